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
    adamw,
    fit,
    jit_compile,
)

ROLES = 3  # of the characters in a column: left digit, right digit, sign
STATES = 4  # of every finite-state layer, each direction
CELL_UNITS = 64  # hidden units that choose the next state; units of an LSTM cell
COLUMN_UNITS = 128  # hidden units that a column is turned into
OUTPUT_UNITS = 128  # hidden units that choose a character
STATE_LOGIT_SCALE = 4.0  # factor on the logits of the states, so that one of them wins
STAY_LOGIT = 8.0  # added to the logit of the present state
READ_TWICE = 0.5  # fraction of the columns, in training
MAX_NOISE = 2.0  # standard deviation of the noise at the end of training
BLANK_COLUMNS = 4  # after the numbers' ends, at least
TRAIN_FRACTION = 0.9  # of all queries up to a number of digits
TRAIN_EXAMPLES = 100_000  # drawn from them, see `draw_examples`

LongQuery = tuple[int, int, int]  # left number, sign, right number; of any length


class StateNoise(layers.Layer):
    """Appends the noise of a `FiniteStateCell` to its inputs [n, columns, d].

    In training, noise on the logits drives the probabilities of the states apart, so
    that the cell comes to be in one state at a time. And half of the columns are read
    twice. Both are drawn here, since on JAX a cell cannot draw random numbers inside
    the loop over the columns. The standard deviation of the noise is the weight
    `deviation`, which `RaiseNoise` changes.

    Every layer draws for itself, and as `keras.utils.set_random_seed` has set.

    Args:
        states: number of states.

    Returns:
        [n, columns, d + states + 1]; outside training all that is added is zero.
    """

    def __init__(self, states: int = STATES):
        super().__init__()
        self.states = states
        self.seed_generator = keras.random.SeedGenerator()
        self.deviation = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="deviation"
        )

    def call(self, inputs, training=None):
        shape = ops.shape(inputs)[:2]
        noise, twice = ops.zeros((*shape, self.states)), ops.zeros((*shape, 1))
        if training:
            noise = keras.random.normal((*shape, self.states), seed=self.seed_generator)
            noise = self.deviation * noise
            twice = keras.random.uniform((*shape, 1), seed=self.seed_generator)
            twice = ops.cast(twice < READ_TWICE, "float32")
        return ops.concatenate([inputs, noise, twice], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], input_shape[2] + self.states + 1)


class RaiseNoise(keras.callbacks.Callback):
    """Raises the noise of a column-wise RNN epoch by epoch, up to MAX_NOISE."""

    def __init__(self, column_rnn: keras.Model):
        super().__init__()
        self.noises = [e for e in column_rnn.layers if isinstance(e, StateNoise)]

    def on_epoch_begin(self, epoch, logs=None):
        for noise in self.noises:
            noise.deviation.assign((epoch + 1) / self.params["epochs"] * MAX_NOISE)


class FiniteStateCell(layers.Layer):
    """A recurrent cell that is, softly, in one of a few states; for `keras.layers.RNN`.

    The next state's probabilities are a softmax of a small network of the input and
    the present ones; the present state has a bonus, as by the bias of an LSTM's forget
    gate, so that what was seen is kept. The output is the state *before* the input was
    read: what is carried into a column, not out of it. The last features of the input
    are noise on the logits, see `StateNoise`.

    Args:
        states: number of states. The first one is that before any input.

    Reference:
        Salakhutdinov and Hinton, "Semantic Hashing", 2009 (noise that makes units
        discrete). Kaiser and Sutskever, "Neural GPUs Learn Algorithms",
        arXiv:1511.08228 (saturation). Gers et al., "Learning to Forget: Continual
        Prediction with LSTM", 2000 (the bonus).
    """

    def __init__(self, states: int = STATES, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = states

    def build(self, input_shape):
        self.hidden = layers.Dense(CELL_UNITS, activation="relu")
        self.hidden.build((None, input_shape[-1] - 1))  # states in place of the noise
        self.logits = layers.Dense(self.state_size, use_bias=False)
        self.logits.build((None, CELL_UNITS))

    def get_initial_state(self, batch_size=None):
        first = np.eye(1, self.state_size, dtype="float32")
        return [ops.zeros((batch_size, self.state_size)) + first]

    def call(self, inputs, states):
        inputs, noise, twice = (
            inputs[:, : -self.state_size - 1],
            inputs[:, -self.state_size - 1 : -1],
            inputs[:, -1:],
        )
        (before,) = states
        after = ops.softmax(self.next_logits(inputs, before) + noise)
        again = ops.softmax(self.next_logits(inputs, after) + noise)
        return before, [after + twice * (again - after)]

    def next_logits(self, inputs, state):
        """Logits of the state that follows, without noise."""
        hidden = self.hidden(ops.concatenate([inputs, state], axis=-1))
        return STATE_LOGIT_SCALE * self.logits(hidden) + STAY_LOGIT * state


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
        2, "recurrent layers, each running over the columns both ways", low=1
    )
    max_digits: int = setting(
        3, "digits of the longest number trained on", choices=(2, 3)
    )
    weight_decay: float = setting(0.05, "decoupled weight decay of AdamW", low=0)
    epochs: int = setting(15, "passes over the training examples", low=1)
    batch_size: int = setting(128, "queries in a training step", low=1)
    learning_rate: float = setting(1e-2, "peak learning rate", low=0, low_open=True)

    def make_split(self) -> Split:
        """The queries to train on, and others of at most as many digits."""
        queries = all_queries(QueryFormat(self.max_digits))
        return random_split(queries, TRAIN_FRACTION, self.seed)

    @property
    def columns(self) -> int:
        """Columns of a query in training."""
        return self.max_digits + BLANK_COLUMNS


def draw_examples(queries: np.ndarray, seed: int = 0) -> np.ndarray:
    """TRAIN_EXAMPLES of the queries [n, 3], with repetitions: int32 [m, 3].

    Most numbers of up to three digits have three, and two of them are seldom nearly
    equal. So a part of the examples has every pair of lengths equally often, and each
    other part numbers that differ by less than 10, or less than 100.
    """
    left, right = queries[:, 0], queries[:, 2]
    places = [10**power for power in range(1, len(str(queries.max())))]
    digits = np.digitize(left, places), np.digitize(right, places)  # one less each
    pairs = digits[0] * (len(places) + 1) + digits[1]
    parts = [1 / np.bincount(pairs)[pairs]]
    parts += [(abs(left - right) < place).astype(float) for place in places]
    weights = np.mean([part / part.sum() for part in parts], axis=0)
    generator = np.random.default_rng(seed)
    return queries[generator.choice(len(queries), TRAIN_EXAMPLES, p=weights)]


def build_column_rnn(cell: str = "finite-state", layer_count: int = 2) -> keras.Model:
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
        x = StateNoise()(x)
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
    queries = draw_examples(config.make_split().train, config.seed).tolist()
    arrays = (
        write_columns(queries, config.columns),
        write_answers(queries, config.columns),
    )
    batches = Batches(arrays, config.batch_size, config.seed)
    optimizer = adamw(config, config.epochs * len(batches))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss, jit_compile=jit_compile())
    history = fit(
        model,
        batches,
        epochs=config.epochs,
        title="length generalization",
        folder=folder,
        config=asdict(config),
        callbacks=[RaiseNoise(column_rnn)],
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
