"""Numbers far longer than those trained on: how they are written, taught and asked.

What decides a digit of the answer is its column: both digits, the sign and what is
carried in. Numbers of two digits do not show every such column, and `are_shown` says
whose columns they show.
"""

import random
from functools import cache
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.arithmetic.columns import ROLES
from latent_arithmetic.arithmetic.evaluation import carries
from latent_arithmetic.arithmetic.lessons import make_split
from latent_arithmetic.arithmetic.long_calculator import LAYERS, build_long_calculator
from latent_arithmetic.arithmetic.models import predict
from latent_arithmetic.arithmetic.networks import OneHot
from latent_arithmetic.arithmetic.questions import (
    ALPHABET,
    BLANK,
    SIGNS,
    all_questions,
)
from latent_arithmetic.profiles import Budget
from latent_arithmetic.training import Batches, cosine_schedule, train

BLANKS = 4  # columns behind the numbers' ends, at least
PLACES = 2 + BLANKS  # columns of a question in training
TRAIN_FRACTION, WEIGHT_DECAY = 0.9, 0.05

Question = tuple[int, int, int]  # left number, sign, right number


def write_columns(questions: list[Question], places: int) -> np.ndarray:
    """Questions of any length as columns of codes: uint8 [n, places, 3], units first.

    Where a number has ended, its part of the column is blank.
    """
    codes = np.full((len(questions), places, ROLES), BLANK, "uint8")
    for row, (left, sign, right) in zip(codes, questions, strict=True):
        for role, number in enumerate((left, right)):
            row[: len(str(number)), role] = _digits(number)
        row[:, 2] = ALPHABET.index("+" if sign > 0 else "-")
    return codes


def write_answers(questions: list[Question], places: int) -> np.ndarray:
    """The true answers as codes: uint8 [n, places], units first, blanks behind."""
    codes = np.full((len(questions), places), BLANK, "uint8")
    for row, (left, sign, right) in zip(codes, questions, strict=True):
        answer = left + sign * right
        row[: len(str(answer))] = _digits(answer)
    return codes


def _digits(number: int) -> list[int]:
    return [ALPHABET.index(character) for character in reversed(str(number))]


def draw_questions(digits: int, count: int, seed: int = 0) -> list[Question]:
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


def are_shown(questions: list[Question]) -> np.ndarray:
    """Whether every column of each occurs in a question of two digits: bool [n].

    What the others come to is never taught. A middle column of a difference may lend
    to the one below and borrow from the one above; the tens of two digits never
    borrow, since they are the highest column of the larger number. Nor is there ever
    a 0 in the tens.
    """
    shown = _columns_of_two_digits()
    return np.array([columns <= shown for columns in _columns(questions)])


@cache
def _columns_of_two_digits() -> set[tuple]:
    return set().union(*_columns(all_questions().tolist()))


def _columns(questions: list[Question]) -> list[set[tuple]]:
    """What decides the digits of each answer: both digits of a column (of a difference
    those of the larger number first), the sign, and whether anything is carried into
    it or borrowed from it."""
    asked = np.array(questions, dtype=object)  # numbers of any length
    left, sign, right = asked.T
    swap = (sign < 0) & (left < right)
    first, second = np.where(swap, right, left), np.where(swap, left, right)
    places = [10**power for power in range(len(str(max(left.max(), right.max()))))]
    columns = [
        np.stack([_digit(first, p), _digit(second, p), sign, carries(asked, p)], axis=1)
        for p in places
    ]
    return [set(map(tuple, those)) for those in np.stack(columns, axis=1)]


def _digit(numbers: np.ndarray, place: int) -> np.ndarray:
    """The digits at a place, None behind a number's end."""
    return np.where((place > 1) & (numbers < place), None, numbers // place % 10)


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


def ask_long(model: keras.Model, questions: list[Question]) -> np.ndarray:
    """Whether every digit of each answer is right: bool [n].

    As many blank columns are behind the longest number as in training.
    """
    largest = max(max(left, right) for left, _, right in questions)
    places = len(str(largest)) + BLANKS
    columns, answers = (
        write_columns(questions, places),
        write_answers(questions, places),
    )
    return (predict(model, columns).argmax(axis=-1) == answers).all(axis=-1)
