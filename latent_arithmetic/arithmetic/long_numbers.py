"""Numbers far longer than those trained on: a calculator with few states.

Whoever adds on paper keeps one thing in mind from column to column: the carry. A
recurrent layer that can be in only a few states has no room for more, and none to
count columns; so what it does in the second column it does in the hundredth.
"""

import random
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from latent_arithmetic.arithmetic.columns import ROLES, JoinDigits
from latent_arithmetic.arithmetic.lessons import make_split
from latent_arithmetic.arithmetic.models import predict
from latent_arithmetic.arithmetic.networks import OneHot
from latent_arithmetic.arithmetic.questions import ALPHABET, BLANK, SIGNS
from latent_arithmetic.profiles import Budget
from latent_arithmetic.training import Batches, cosine_schedule, train

LAYERS = 3  # recurrent, each passing over the columns in both directions
STATES = 4  # of every recurrent layer, each direction
CELL_WIDTH = 32  # hidden units that choose the next state
OUT_WIDTH = 64  # hidden units that choose a character
CERTAINTY = 4.0  # factor on the scores of the states, so that one of them wins
PLACES = 6  # columns of a question in training; the last ones are always blank
TRAIN_FRACTION, WEIGHT_DECAY = 0.9, 0.05


class StateCell(layers.Layer):
    """A recurrent cell in one of a few states, softly; for `keras.layers.RNN`.

    The next state's probabilities are a softmax of a small network of the input and
    of the present ones. Noise on the scores in training drives them apart, so that
    the cell comes to be in one state at a time (as the discretised units of
    Salakhutdinov and Hinton, 2009, and the neural GPU's saturation, arXiv:1511.08228).
    """

    def __init__(self, states: int = STATES, noise: float = 1.0, **kwargs):
        super().__init__(**kwargs)
        self.state_size = self.output_size = states
        self.noise = noise
        self.seed_generator = keras.random.SeedGenerator(0)

    def build(self, input_shape):
        self.inner = layers.Dense(CELL_WIDTH, activation="relu")
        self.inner.build((None, input_shape[-1] + self.state_size))
        self.scores = layers.Dense(self.state_size, use_bias=False)
        self.scores.build((None, CELL_WIDTH))

    def call(self, inputs, states, training=None):
        hidden = self.inner(ops.concatenate([inputs, states[0]], axis=-1))
        scores = CERTAINTY * self.scores(hidden)
        if training and self.noise:
            noise = keras.random.normal(ops.shape(scores), seed=self.seed_generator)
            scores = scores + self.noise * noise
        state = ops.softmax(scores)
        return state, [state]


CELLS = {"states": StateCell, "lstm": lambda: layers.LSTMCell(CELL_WIDTH)}


def build_long_calculator(cell: str = "states") -> keras.Model:
    """Columns [n, places, 3, 13] of any number of places, units first, to logits.

    cell: one of CELLS; "lstm" may remember whatever it likes.

    Returns: logits [n, places, 13], units first. Every layer passes over the columns
        in both directions and sees what the layers before it found.
    """
    columns = keras.Input((None, ROLES, len(ALPHABET)))
    x = JoinDigits()(columns)
    for _ in range(LAYERS):
        up, down = (
            layers.RNN(CELLS[cell](), return_sequences=True, go_backwards=backwards)(x)
            for backwards in (False, True)
        )
        x = layers.Concatenate()([x, up, ops.flip(down, axis=1)])
    x = layers.Dense(OUT_WIDTH, activation="relu")(x)
    logits = layers.Dense(len(ALPHABET))(x)
    return keras.Model(columns, logits, name="long_calculator")


def write_columns(questions: list[tuple[int, int, int]], places: int) -> np.ndarray:
    """Questions of any length as columns of codes: uint8 [n, places, 3], units first.

    Where a number has ended, its part of the column is blank.
    """
    codes = np.full((len(questions), places, ROLES), BLANK, "uint8")
    for row, (left, sign, right) in zip(codes, questions, strict=True):
        for role, number in enumerate((left, right)):
            row[: len(str(number)), role] = _digits(number)
        row[:, 2] = ALPHABET.index("+" if sign > 0 else "-")
    return codes


def write_answers(questions: list[tuple[int, int, int]], places: int) -> np.ndarray:
    """The true answers as codes: uint8 [n, places], units first, blanks behind."""
    codes = np.full((len(questions), places), BLANK, "uint8")
    for row, (left, sign, right) in zip(codes, questions, strict=True):
        answer = left + sign * right
        row[: len(str(answer))] = _digits(answer)
    return codes


def _digits(number: int) -> list[int]:
    return [ALPHABET.index(character) for character in reversed(str(number))]


def draw_questions(
    digits: int, count: int, seed: int = 0
) -> list[tuple[int, int, int]]:
    """Random questions whose numbers have exactly so many digits."""
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


def train_long(
    folder: Path, *, seed: int, budget: Budget, cell: str = "states"
) -> tuple[keras.Model, float]:
    """Train on 90% of the questions of two digits, in rows of PLACES columns.

    Returns: the model, from codes [n, places, 3], and the seconds it took.
    """
    keras.utils.set_random_seed(seed)
    model = keras.Sequential([OneHot(), build_long_calculator(cell)])
    model.build((None, PLACES, ROLES))
    asked = make_split(seed=seed, train_fraction=TRAIN_FRACTION).train.tolist()
    arrays = write_columns(asked, PLACES), write_answers(asked, PLACES)
    batches = Batches(arrays, budget.batch_size, seed)
    schedule = cosine_schedule(budget.learning_rate, budget.epochs * len(batches))
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=WEIGHT_DECAY, beta_2=0.99, global_clipnorm=1.0
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss)
    history = train(
        model,
        batches,
        epochs=budget.epochs,
        title="long numbers",
        folder=folder,
        settings={"seed": seed, "cell": cell, "layers": LAYERS},
    )
    return model, history.seconds


def ask_long(model: keras.Model, questions: list[tuple[int, int, int]]) -> np.ndarray:
    """Whether every digit of each answer is right: bool [n]."""
    largest = max(max(left, right) for left, _, right in questions)
    places = len(str(largest)) + 1
    columns, answers = (
        write_columns(questions, places),
        write_answers(questions, places),
    )
    return (predict(model, columns).argmax(axis=-1) == answers).all(axis=-1)
