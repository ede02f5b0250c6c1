"""The finite-state machine in a trained column-wise RNN, and a check for all lengths.

A finite-state RNN is, softly, in one of a few states. Taking the most probable one
makes a machine of tables: in each layer, which state follows on a state and a column.
The machine is then compared with written addition and subtraction on every pair of a
state that occurs and a column, so that no query of any length is left out.

Reference:
    Weiss et al., "Extracting Automata from Recurrent Neural Networks Using Queries and
    Counterexamples", arXiv:1711.09576 (the idea; here the states need no search).
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import product

import keras
import numpy as np
from keras import ops

from latent_arithmetic.seq2seq.length_generalization import (
    BLANK_COLUMNS,
    FiniteStateCell,
    LongQuery,
    write_columns,
)
from latent_arithmetic.seq2seq.queries import ALPHABET, BLANK

DIGITS = (*range(10), BLANK)  # what a number may have in a column
SIGNS = (ALPHABET.index("+"), ALPHABET.index("-"))
COLUMNS = [(*pair, sign) for pair in product(DIGITS, DIGITS) for sign in SIGNS]
STARTS = 3  # states of writing at the start: a sum, a difference, one below zero
CHUNK = 50_000  # columns with states that are answered at a time


@dataclass(frozen=True)
class FiniteMachine:
    """Tables of the states of a column-wise RNN.

    A *symbol* of a layer is a column, by its place in `COLUMNS`, together with the
    states of all layers below before they read it, upward and downward; see `join`.

    Args:
        up, down: for each layer uint8 [states, symbols], the state that follows on a
            state and a symbol. Before any column, a layer is in its state 0.
        output: uint8 [symbols on top], the code of the character that is answered.
    """

    up: tuple[np.ndarray, ...]
    down: tuple[np.ndarray, ...]
    output: np.ndarray

    @property
    def states(self) -> int:
        """Number of states of each layer in each direction."""
        return len(self.up[0])

    def join(self, symbols, up, down):
        """The symbols of the next layer."""
        return (symbols * self.states + up) * self.states + down

    def answer(self, queries: list[LongQuery]) -> np.ndarray:
        """Answers as codes: uint8 [n, columns], units first, then blanks."""
        longest = max(len(str(max(left, right))) for left, _, right in queries)
        columns = write_columns(queries, longest + BLANK_COLUMNS)
        numbers = np.zeros((len(ALPHABET),) * 3, int)
        numbers[tuple(np.array(COLUMNS).T)] = range(len(COLUMNS))
        symbols = numbers[tuple(np.moveaxis(columns, -1, 0))]
        for up, down in zip(self.up, self.down, strict=True):
            states = _run(up, symbols), _run(down, symbols[:, ::-1])[:, ::-1]
            symbols = self.join(symbols, *states)
        return self.output[symbols]


def _run(table: np.ndarray, symbols: np.ndarray) -> np.ndarray:
    """The states [n, columns] before each of the symbols [n, columns]."""
    states = np.zeros(symbols.shape, int)
    for column in range(symbols.shape[1] - 1):
        following = table[states[:, column], symbols[:, column]]
        states[:, column + 1] = following
    return states


def extract_machine(column_rnn: keras.Model) -> FiniteMachine:
    """The machine of a model of finite-state cells, see `build_column_rnn`."""
    rnns = [each for each in column_rnn.layers if isinstance(each, keras.layers.RNN)]
    column, hidden, logits = [
        each for each in column_rnn.layers if isinstance(each, keras.layers.Dense)
    ]
    states = rnns[0].cell.state_size
    one_hot = np.eye(states, dtype="float32")
    inputs = np.eye(len(ALPHABET), dtype="float32")[np.array(COLUMNS)]
    inputs = np.maximum(_dense(column, inputs.reshape(len(COLUMNS), -1)), 0)
    both = [np.concatenate(pair) for pair in product(one_hot, one_hot)]
    tables = [], []
    upward = [rnn for rnn in rnns if not rnn.go_backwards]
    downward = [rnn for rnn in rnns if rnn.go_backwards]
    for pair in zip(upward, downward, strict=True):
        for rnn, found in zip(pair, tables, strict=True):
            found.append(_transitions(rnn.cell, inputs))
        inputs = np.concatenate(
            [np.repeat(inputs, len(both), axis=0), np.tile(both, (len(inputs), 1))],
            axis=1,
        ).astype("float32")
    output = np.concatenate(
        [
            _dense(logits, np.maximum(_dense(hidden, part), 0)).argmax(axis=1)
            for part in np.array_split(inputs, -(-len(inputs) // CHUNK))
        ]
    )
    return FiniteMachine(*map(tuple, tables), output.astype("uint8"))


def _dense(layer: keras.layers.Dense, inputs: np.ndarray) -> np.ndarray:
    kernel, *bias = layer.get_weights()
    return inputs @ kernel + (bias[0] if bias else 0)


def _transitions(cell: FiniteStateCell, inputs: np.ndarray) -> np.ndarray:
    """The most probable next state, uint8 [states, symbols]."""
    rows = []
    for state in np.eye(cell.state_size, dtype="float32"):
        logits = cell.next_logits(inputs, np.tile(state, (len(inputs), 1)))
        rows.append(ops.convert_to_numpy(logits).argmax(axis=1))
    return np.stack(rows).astype("uint8")


@dataclass(frozen=True)
class Writing:
    """How far a query and its answer are written, on paper, from the units upward.

    Args:
        negative: whether the answer is below zero; guessed at the units, and right if
            the numbers compare so in the end.
        carry: whether anything is carried into, or borrowed from, the next column.
        compared: -1, 0 or 1 as the left number's columns so far are less, equal, more.
        part: of the answer, what comes next: "digits", "minus" (or a blank in its
            place), "blank".
        left, right: what a number's last column was: "" (none yet), "0" (its units),
            "nonzero", "zero" (it may not end so), "ended".
        blanks: columns after both numbers' ends.
    """

    sign: int
    negative: bool = False
    carry: bool = False
    compared: int = 0
    part: str = "digits"
    left: str = ""
    right: str = ""
    blanks: int = 0

    @property
    def is_complete(self) -> bool:
        """Whether a query may end here, and every guess was right."""
        if self.blanks < BLANK_COLUMNS or self.part == "digits":
            return False
        if self.sign == SIGNS[0]:
            return not self.carry
        return not self.carry and self.negative == (self.compared < 0)

    def write(self, left: int, right: int) -> list[tuple[int, "Writing"]]:
        """The right character, and what follows, for a column of two codes.

        Returns:
            Nothing if no query has this column here; two possibilities where the
            answer's digits may end.
        """
        first = not self.left
        ends = _next_part(self.left, left), _next_part(self.right, right)
        if None in ends or self.blanks == BLANK_COLUMNS:
            return []
        a, b = (0 if code == BLANK else code for code in (left, right))
        compared = int(np.sign(a - b)) or self.compared
        if self.sign == SIGNS[0]:
            total = a + b + self.carry
            digit, carry = total % 10, total > 9
        else:
            total = (b - a if self.negative else a - b) - self.carry
            digit, carry = total % 10, total < 0
        blanks = self.blanks + (left == right == BLANK)
        nexts = ["blank"]
        character = BLANK
        if self.part == "digits":
            character = digit
            nexts = ["digits"] + ["minus"] * (digit > 0 or first)
        elif digit:
            return []  # a digit that is not written
        elif self.part == "minus" and self.negative:
            character = SIGNS[1]
        return [
            (
                character,
                Writing(self.sign, self.negative, carry, compared, part, *ends, blanks),
            )
            for part in nexts
        ]


def _next_part(part: str, code: int) -> str | None:
    """What a number's column is, after a column of another kind; None: impossible."""
    if code == BLANK:
        return "ended" if part in ("0", "nonzero", "ended") else None
    if part == "ended":
        return None
    return "nonzero" if code else "zero" if part else "0"


def written_states() -> tuple[list[Writing], list[list[list[tuple[int, int]]]]]:
    """All states of writing that occur, and what follows on each pair of codes.

    Returns:
        The states, `STARTS` of them at a query's start first; and for each state and
        each pair of `DIGITS` the possible (character, index of the next state).
    """
    starts = [Writing(SIGNS[0]), Writing(SIGNS[1]), Writing(SIGNS[1], negative=True)]
    states, index, rows = list(starts), {each: i for i, each in enumerate(starts)}, []
    for state in states:  # grows while it is gone through
        row = []
        for pair in product(DIGITS, DIGITS):
            options = []
            for character, following in state.write(*pair):
                if following not in index:
                    index[following] = len(states)
                    states.append(following)
                options.append((character, index[following]))
            row.append(options)
        rows.append(row)
    return states, rows


@dataclass
class Check:
    """What a check of a machine found.

    Args:
        states: pairs of a state of the machine and one of writing that occur.
        transitions: pairs of such a state and a column.
        failures: where the machine's character is wrong: (state of writing, left code,
            right code, character of the machine, right character).
    """

    states: int = 0
    transitions: int = 0
    failures: list[tuple[Writing, int, int, int, int]] = field(default_factory=list)

    @property
    def is_proved(self) -> bool:
        """Whether every answer is right, for numbers of any length."""
        return self.states > 0 and not self.failures

    def summary(self) -> dict:
        """Plain values for a record; of the failures the first."""
        about = {
            "states": self.states,
            "transitions": self.transitions,
            "wrong_transitions": len(self.failures),
            "proved": self.is_proved,
        }
        if self.failures:
            writing, left, right, given, expected = self.failures[0]
            column = f"{ALPHABET[left]}{ALPHABET[writing.sign]}{ALPHABET[right]}"
            about["first_failure"] = (
                f"{column!r} with {asdict(writing)}: {ALPHABET[given]!r} in place of "
                f"{ALPHABET[expected]!r}"
            )
        return about


class _Product:
    """The machine beside writing, over the columns from the units upward.

    A state is one of writing, the machine's upward states, and the downward states that
    the next column has to lead to: these are guessed, since they depend on columns that
    are still to come, and a guess is right if the highest column confirms it.
    """

    def __init__(self, machine: FiniteMachine):
        self.machine, self.layers = machine, len(machine.up)
        self.written, rows = written_states()
        self.signs = np.array([SIGNS.index(each.sign) for each in self.written])
        self.complete = np.array([each.is_complete for each in self.written])
        # [state of writing, pair, option]: right character, next state or -1.
        self.options = np.full((len(rows), len(rows[0]), 2, 2), -1)
        for state, row in enumerate(rows):
            for pair, found in enumerate(row):
                self.options[state, pair, : len(found)] = found or -1
        up = (machine.states,) * self.layers
        down = (machine.states + 1,) * self.layers  # the last: no column is left
        self.shape = (len(rows), *up, *down)

    def starts(self) -> np.ndarray:
        """All states before the units: upward ones 0, any downward ones."""
        guesses = product(range(self.machine.states), repeat=self.layers)
        rows = [
            (written, *[0] * self.layers, *guess)
            for written, guess in product(range(STARTS), guesses)
        ]
        return np.ravel_multi_index(np.array(rows).T, self.shape)

    def transitions(self, states: np.ndarray) -> Iterator[tuple]:
        """For every column: sources, targets, and what is written there.

        Yields:
            pair, sources, targets, the machine's characters, the right characters.
        """
        written, *rest = np.unravel_index(states, self.shape)
        up, down = rest[: self.layers], rest[self.layers :]
        guesses = product(range(self.machine.states), repeat=self.layers)
        first, ended = (0,) * self.layers, (self.machine.states,) * self.layers
        # Downward states before this column is read, and what is said of them: they are
        # guessed, or this column is the highest.
        above = [*((guess, guess) for guess in guesses), (first, ended)]
        for pair, (guess, said) in product(range(self.options.shape[1]), above):
            symbols = 2 * pair + self.signs[written]
            following, possible = [], np.ones(len(states), bool)
            for layer in range(self.layers):
                table, back = self.machine.up[layer], self.machine.down[layer]
                following.append(table[up[layer], symbols].astype(int))
                possible &= back[guess[layer], symbols] == down[layer]
                symbols = self.machine.join(symbols, up[layer], guess[layer])
            if not possible.any():
                continue
            characters = self.machine.output[symbols]
            for option in range(2):
                right, target = self.options[written, pair, option].T
                chosen = possible & (target >= 0)
                if said == ended:
                    chosen &= self.complete[target]
                if chosen.any():
                    after = [each[chosen] for each in following]
                    guessed = [np.full(len(after[0]), state) for state in said]
                    targets = np.ravel_multi_index(
                        (target[chosen], *after, *guessed), self.shape
                    )
                    yield (
                        pair,
                        states[chosen],
                        targets,
                        characters[chosen],
                        right[chosen],
                    )

    def has_ended(self, states: np.ndarray) -> np.ndarray:
        """Whether a state is behind the highest column: bool [n]."""
        return np.unravel_index(states, self.shape)[-1] == self.machine.states


def check_machine(machine: FiniteMachine) -> Check:
    """Compare a machine with written arithmetic on everything that can occur.

    A transition counts if a query leads there and can be completed from there.
    """
    found = _Product(machine)
    reached = np.zeros(np.prod(found.shape), bool)
    frontier, edges = np.unique(found.starts()), []
    reached[frontier] = True
    while len(frontier):
        new = [np.zeros(0, int)]
        for pair, sources, targets, given, right in found.transitions(frontier):
            pairs = np.full(len(sources), pair)
            edges.append(np.stack([sources, targets, pairs, given, right]))
            new.append(targets[~reached[targets] & ~found.has_ended(targets)])
            reached[targets] = True
        frontier = np.unique(np.concatenate(new))
    sources, targets, pairs, given, right = np.concatenate(edges, axis=1)
    completed = np.zeros(len(reached), bool)
    completed[targets[found.has_ended(targets)]] = True
    counted = -1
    while counted != (counted := int(completed.sum())):
        completed[sources[completed[targets]]] = True
    occurs = completed[targets]
    check = Check(int(completed.sum()), int(occurs.sum()))
    codes = list(product(DIGITS, DIGITS))
    for edge in np.flatnonzero(occurs & (given != right)):
        state = found.written[np.unravel_index(sources[edge], found.shape)[0]]
        check.failures.append(
            (state, *codes[pairs[edge]], int(given[edge]), int(right[edge]))
        )
    return check
