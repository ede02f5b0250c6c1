"""Length generalization: trained on two or three digits, tested on far longer numbers.

Written addition passes one thing from column to column: the carry. A finite-state RNN
has a few states for it and hardly room to count columns, which should make it apply one
rule to all of them. It is given the columns (structured input).

A digit of the answer depends on its column: both digits, the sign and what is carried
in. Numbers of two digits do not show every such column pattern, see `patterns_seen`;
numbers of three digits do.
"""

import random
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from latent_arithmetic.config import ScheduleConfig, setting
from latent_arithmetic.seq2seq.layers import OneHot
from latent_arithmetic.seq2seq.queries import (
    ALPHABET,
    BLANK,
    SIGNS,
    QueryFormat,
    all_queries,
    carries,
)
from latent_arithmetic.seq2seq.splits import Split, random_split
from latent_arithmetic.seq2seq.text_to_text import predict
from latent_arithmetic.training import (
    Batches,
    History,
    cosine_schedule,
    fit,
    jit_compile,
)

ROLES = 3  # of the characters in a column: left digit, right digit, sign
STATES = 4  # of every finite-state layer, each direction
CELL_UNITS = 32  # hidden units that choose the next state; units of an LSTM cell
COLUMN_UNITS = 64  # hidden units that a column is turned into
OUTPUT_UNITS = 64  # hidden units that choose a character
STATE_LOGIT_SCALE = 4.0  # factor on the logits of the states, so that one of them wins
BLANK_COLUMNS = 4  # after the numbers' ends, at least
# Of all queries with numbers of so many digits, the fraction to train on: 18,000 of two
# digits, 20,000 of three.
TRAIN_FRACTIONS = {2: 0.9, 3: 0.01}

LongQuery = tuple[int, int, int]  # left number, sign, right number; of any length


class StateNoise(layers.Layer):
    """Appends the noise of a `FiniteStateCell` to its inputs [n, columns, d].

    Noise on the logits in training drives the probabilities of the states apart, so
    that the cell comes to be in one state at a time. It is drawn here, since on JAX a
    cell cannot draw random numbers inside the loop over the columns.

    Args:
        backwards: whether the cell runs over the columns from the last to the first.
        states: number of states.

    Returns:
        [n, columns, d + states]; the noise is zero outside training.
    """

    def __init__(self, backwards: bool, states: int = STATES):
        super().__init__()
        self.backwards, self.states = backwards, states
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs, training=None):
        count, columns = ops.shape(inputs)[:2]
        noise = ops.zeros((count, columns, self.states))
        if training:
            # On TensorFlow, Keras called the cell once before its loop when the cell
            # drew the noise: this keeps the noise of the recorded runs.
            self.seed_generator.next()
            draws = [
                keras.random.normal((count, self.states), seed=self.seed_generator)
                for _ in range(inputs.shape[1])
            ]
            noise = ops.stack(draws[::-1] if self.backwards else draws, axis=1)
        return ops.concatenate([inputs, noise], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], input_shape[2] + self.states)


class FiniteStateCell(layers.Layer):
    """A recurrent cell that is, softly, in one of a few states; for `keras.layers.RNN`.

    The next state's probabilities are a softmax of a small network of the input and
    the present ones. The last features of the input are noise on its logits, see
    `StateNoise`.

    Args:
        states: number of states.

    Reference:
        Salakhutdinov and Hinton, "Semantic Hashing", 2009 (noise that makes units
        discrete). Kaiser and Sutskever, "Neural GPUs Learn Algorithms",
        arXiv:1511.08228 (saturation).
    """

    def __init__(self, states: int = STATES, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = states

    def build(self, input_shape):
        self.hidden = layers.Dense(CELL_UNITS, activation="relu")
        self.hidden.build((None, input_shape[-1]))  # the states in place of the noise
        self.logits = layers.Dense(self.state_size, use_bias=False)
        self.logits.build((None, CELL_UNITS))

    def call(self, inputs, states):
        inputs, noise = inputs[:, : -self.state_size], inputs[:, -self.state_size :]
        hidden = self.hidden(ops.concatenate([inputs, states[0]], axis=-1))
        state = ops.softmax(STATE_LOGIT_SCALE * self.logits(hidden) + noise)
        return state, [state]


CELLS = {
    "finite-state": FiniteStateCell,
    "lstm": lambda: layers.LSTMCell(CELL_UNITS),
}


@dataclass(frozen=True)
class LengthGeneralizationConfig(ScheduleConfig):
    """All hyperparameters of a column-wise RNN for numbers of any length.

    It is given structured input: columns of the digits that belong together.
    """

    seed: int = setting(
        0,
        "seed of the split, the initial weights and the order of training",
        low=0,
        high=2**32 - 1,
    )
    cell: str = setting(
        "finite-state",
        "recurrent cell: softmax over a few states, or LSTM",
        choices=tuple(CELLS),
    )
    layers: int = setting(
        3, "recurrent layers, each running over the columns both ways", low=1
    )
    max_digits: int = setting(
        3, "digits of the longest number trained on", choices=tuple(TRAIN_FRACTIONS)
    )
    weight_decay: float = setting(0.05, "decoupled weight decay of AdamW", low=0)
    epochs: int = setting(36, "passes over the training queries", low=1)
    batch_size: int = setting(128, "queries in a training step", low=1)
    learning_rate: float = setting(1e-2, "peak learning rate", low=0, low_open=True)

    def make_split(self) -> Split:
        """The queries to train on, and others of their length."""
        queries = all_queries(QueryFormat(self.max_digits))
        return random_split(queries, TRAIN_FRACTIONS[self.max_digits], self.seed)

    @property
    def columns(self) -> int:
        """Columns of a query in training."""
        return self.max_digits + BLANK_COLUMNS


def build_column_rnn(cell: str = "finite-state", layer_count: int = 3) -> keras.Model:
    """Columns [n, columns, 3, 13] of any number, units first, to answer logits.

    Every layer runs over the columns in both directions and reads the outputs of the
    layers before it.

    Args:
        cell: one of CELLS.
        layer_count: recurrent layers.

    Returns:
        A model with logits [n, columns, 13], units first.
    """
    columns = keras.Input((None, ROLES, len(ALPHABET)))
    x = layers.Reshape((-1, ROLES * len(ALPHABET)))(columns)
    x = layers.Dense(COLUMN_UNITS, activation="relu")(x)
    for _ in range(layer_count):
        up, down = (_run_over_columns(x, cell, back) for back in (False, True))
        x = layers.Concatenate()([x, up, ops.flip(down, axis=1)])
    x = layers.Dense(OUTPUT_UNITS, activation="relu")(x)
    logits = layers.Dense(len(ALPHABET))(x)
    return keras.Model(columns, logits, name="column_rnn")


def _run_over_columns(x, cell: str, backwards: bool):
    if cell == "finite-state":
        x = StateNoise(backwards)(x)
    rnn = layers.RNN(CELLS[cell](), return_sequences=True, go_backwards=backwards)
    return rnn(x)


def write_columns(queries: list[LongQuery], columns: int) -> np.ndarray:
    """Queries of any length as columns of codes: uint8 [n, columns, 3], units first.

    Where a number has ended, its part of the column is blank.
    """
    codes = np.full((len(queries), columns, ROLES), BLANK, "uint8")
    for row, (left, sign, right) in zip(codes, queries, strict=True):
        for role, number in enumerate((left, right)):
            row[: len(str(number)), role] = _digits(number)
        row[:, 2] = ALPHABET.index("+" if sign > 0 else "-")
    return codes


def write_answers(queries: list[LongQuery], columns: int) -> np.ndarray:
    """The true answers as codes: uint8 [n, columns], units first, then blanks."""
    codes = np.full((len(queries), columns), BLANK, "uint8")
    for row, (left, sign, right) in zip(codes, queries, strict=True):
        answer = left + sign * right
        row[: len(str(answer))] = _digits(answer)
    return codes


def _digits(number: int) -> list[int]:
    return [ALPHABET.index(character) for character in reversed(str(number))]


def sample_queries(digits: int, count: int, seed: int = 0) -> list[LongQuery]:
    """Random queries whose numbers have exactly so many digits."""
    generator = random.Random(f"{digits} {seed}")
    low, high = 10 ** (digits - 1), 10**digits
    signs = list(SIGNS.values())
    return [
        (
            generator.randrange(low, high),
            generator.choice(signs),
            generator.randrange(low, high),
        )
        for _ in range(count)
    ]


def patterns_seen(queries: list[LongQuery]) -> np.ndarray:
    """Whether every column pattern of each occurs in a query of two digits: bool [n].

    What the other patterns come to is not in the training data. A middle column of a
    difference may lend to the one below and borrow from the one above; the tens of two
    digits never borrow, since they are the highest column of the larger number. Nor is
    there ever a 0 in the tens.
    """
    seen = _patterns_of_two_digits()
    return np.array([patterns <= seen for patterns in _column_patterns(queries)])


@cache
def _patterns_of_two_digits() -> set[tuple]:
    return set().union(*_column_patterns(all_queries().tolist()))


def _column_patterns(queries: list[LongQuery]) -> list[set[tuple]]:
    """All that the digits of each answer depend on: both digits of a column (of a
    difference those of the larger number first), the sign, and whether anything is
    carried into it or borrowed from it."""
    table = np.array(queries, dtype=object)  # numbers of any length
    left, sign, right = table.T
    swap = (sign < 0) & (left < right)
    first, second = np.where(swap, right, left), np.where(swap, left, right)
    places = [10**power for power in range(len(str(max(left.max(), right.max()))))]
    columns = [
        np.stack([_digit(first, p), _digit(second, p), sign, carries(table, p)], axis=1)
        for p in places
    ]
    return [set(map(tuple, rows)) for rows in np.stack(columns, axis=1)]


def _digit(numbers: np.ndarray, place: int) -> np.ndarray:
    """The digits at a place, None behind a number's end."""
    return np.where((place > 1) & (numbers < place), None, numbers // place % 10)


def train_column_rnn(
    folder: Path, config: LengthGeneralizationConfig
) -> tuple[keras.Model, History]:
    """Train a column-wise RNN.

    Args:
        folder: where the checkpoint is kept; an interrupted run is resumed there.

    Returns:
        The model, from codes [n, columns, 3] to logits [n, columns, 13], and its
        training history.
    """
    keras.utils.set_random_seed(config.seed)
    column_rnn = build_column_rnn(config.cell, config.layers)
    model = keras.Sequential([OneHot(), column_rnn])
    model.build((None, config.columns, ROLES))
    queries = config.make_split().train.tolist()
    arrays = (
        write_columns(queries, config.columns),
        write_answers(queries, config.columns),
    )
    batches = Batches(arrays, config.batch_size, config.seed)
    optimizer = keras.optimizers.AdamW(
        cosine_schedule(config.learning_rate, config.epochs * len(batches)),
        weight_decay=config.weight_decay,
        beta_2=0.99,
        global_clipnorm=1.0,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=jit_compile())
    history = fit(
        model,
        batches,
        epochs=config.epochs,
        title="length generalization",
        folder=folder,
        config=asdict(config),
    )
    return model, history


def exact_matches(model: keras.Model, queries: list[LongQuery]) -> np.ndarray:
    """Whether every digit of each answer is correct: bool [n].

    As many blank columns follow the longest number as in training.
    """
    largest = max(max(left, right) for left, _, right in queries)
    columns = len(str(largest)) + BLANK_COLUMNS
    predicted = predict(model, write_columns(queries, columns)).argmax(axis=-1)
    return (predicted == write_answers(queries, columns)).all(axis=-1)
