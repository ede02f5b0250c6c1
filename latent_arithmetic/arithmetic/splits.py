"""Which questions are trained on, which choose, which test."""

from dataclasses import dataclass

import numpy as np

from latent_arithmetic.errors import UserError

MAX_VALIDATION = 500  # questions; enough to choose by, few enough to spare


@dataclass(frozen=True)
class Split:
    """Questions to train on, to choose by and to test with; each int32 [n, 3]."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def _split_rest(train: np.ndarray, rest: np.ndarray) -> Split:
    """Choose by the first quarter of `rest` (500 at most), test with what follows."""
    held_out = min(MAX_VALIDATION, len(rest) // 4)
    return Split(train, rest[:held_out], rest[held_out:])


def _check_fraction(train_fraction: float) -> None:
    if not 0 < train_fraction < 1:
        raise UserError(
            f"train fraction {train_fraction} is outside what can be split; expected "
            "a number between 0 and 1, such as 0.9"
        )


def random_split(questions: np.ndarray, train_fraction: float, seed: int = 0) -> Split:
    """Put `train_fraction` of the questions into train, by chance.

    With the same seed a smaller train part is contained in a larger one.

    Raises:
        UserError: the fraction is not between 0 and 1.
    """
    _check_fraction(train_fraction)
    shuffled = np.random.default_rng(seed).permutation(questions)
    cut = max(1, round(train_fraction * len(questions)))
    return _split_rest(shuffled[:cut], shuffled[cut:])


def mirror_clean_split(
    questions: np.ndarray, train_fraction: float, seed: int = 0
) -> Split:
    """Like `random_split`, but a+b, b+a, a-b and b-a are always on the same side.

    In a random split at 90% nine in ten test questions a+b have b+a in train.
    """
    _check_fraction(train_fraction)
    numbers = questions[:, [0, 2]]
    span = numbers.max() + 1
    pair = numbers.min(axis=1) * span + numbers.max(axis=1)
    generator = np.random.default_rng(seed)
    pairs = generator.permutation(np.unique(pair))
    in_train = np.isin(pair, pairs[: max(1, round(train_fraction * len(pairs)))])
    train, rest = questions[in_train], questions[~in_train]
    return _split_rest(generator.permutation(train), generator.permutation(rest))


def without(questions: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Those of questions [n, 3] that are not among the others [m, 3], in order."""
    span = max(questions.max(), others.max()) + 1

    def number(rows: np.ndarray) -> np.ndarray:  # one whole number per question
        left, sign, right = rows.T.astype("int64")
        return (left * span + right) * 2 + (sign > 0)

    return questions[~np.isin(number(questions), number(others))]


def file_split(questions: np.ndarray, train: np.ndarray, seed: int = 0) -> Split:
    """Train on exactly the questions `train`, test with all others.

    Nothing is held out of `train` and nothing is chosen by the others, so the
    validation part is empty.
    """
    rest = without(questions, train)
    shuffled = np.random.default_rng(seed).permutation(rest)
    return Split(train, shuffled[:0], shuffled)
