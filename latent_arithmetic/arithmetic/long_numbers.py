"""Numbers far longer than those trained on: how they are written, taught and asked.

What decides a digit of the answer is its column: both digits, the sign and what is
carried in. Numbers of two digits do not show every such column, and `are_shown` says
whose columns they show.
"""

import random
from functools import cache
from itertools import zip_longest
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.arithmetic.columns import ROLES
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

    What those that do not come to is never taught. A middle column of a difference
    may borrow because something was borrowed from it; the tens of two digits never
    do, since they are the highest column of the larger number. Nor is there a 0 in
    the tens.
    """
    shown = _columns_of_two_digits()
    return np.array([_columns(question) <= shown for question in questions])


@cache
def _columns_of_two_digits() -> set[tuple]:
    return set().union(*map(_columns, map(tuple, all_questions().tolist())))


def _columns(question: Question) -> set[tuple]:
    """What decides the digits of the answer, column by column: both digits (of a
    difference those of the larger number first; None behind a number's end), the
    sign, and what is carried or borrowed in."""
    left, sign, right = question
    if sign < 0:
        left, right = max(left, right), min(left, right)
    carried, found = 0, set()
    for pair in zip_longest(reversed(str(left)), reversed(str(right))):
        found.add((*pair, sign, carried))
        first, second = (int(digit or 0) for digit in pair)
        carried = int(not 0 <= first + sign * (second + carried) < 10)
    return found


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
