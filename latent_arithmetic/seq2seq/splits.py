"""Which queries a model is trained, validated and tested with; all disjoint."""

import hashlib
from dataclasses import dataclass

import numpy as np

from latent_arithmetic.io import UserError

MAX_VALIDATION = 500  # queries; enough to choose settings by, few enough to spare


@dataclass(frozen=True)
class Split:
    """Training, validation and test queries; each int32 [n, 3]."""

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


def _split_rest(train: np.ndarray, rest: np.ndarray) -> Split:
    """Validate with the first quarter of `rest` (500 at most), test with the others."""
    held_out = min(MAX_VALIDATION, len(rest) // 4)
    return Split(train, rest[:held_out], rest[held_out:])


def _check_fraction(train_fraction: float) -> None:
    if not 0 < train_fraction < 1:
        raise UserError(
            f"train fraction {train_fraction} is outside what can be split; expected "
            "a number between 0 and 1, such as 0.9"
        )


def random_split(queries: np.ndarray, train_fraction: float, seed: int = 0) -> Split:
    """Train on a random fraction of the queries, validate and test with the others.

    With the same seed a smaller training set is contained in a larger one.

    Raises:
        UserError: the fraction is not between 0 and 1.
    """
    _check_fraction(train_fraction)
    shuffled = np.random.default_rng(seed).permutation(queries)
    cut = max(1, round(train_fraction * len(queries)))
    return _split_rest(shuffled[:cut], shuffled[cut:])


def commutative_grouped_split(
    queries: np.ndarray, train_fraction: float, seed: int = 0
) -> Split:
    """Like `random_split`, with a+b, b+a, a-b and b-a all in training or all held out.

    In a random split at 90%, nine in ten test queries a+b have b+a in training.
    """
    _check_fraction(train_fraction)
    numbers = queries[:, [0, 2]]
    span = numbers.max() + 1
    pair = numbers.min(axis=1) * span + numbers.max(axis=1)
    generator = np.random.default_rng(seed)
    pairs = generator.permutation(np.unique(pair))
    in_train = np.isin(pair, pairs[: max(1, round(train_fraction * len(pairs)))])
    train, rest = queries[in_train], queries[~in_train]
    return _split_rest(generator.permutation(train), generator.permutation(rest))


def exclude(queries: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Those of queries [n, 3] that are not among the others [m, 3], in order."""
    span = max(queries.max(), others.max()) + 1

    def number(rows: np.ndarray) -> np.ndarray:  # one whole number per query
        left, sign, right = rows.T.astype("int64")
        return (left * span + right) * 2 + (sign > 0)

    return queries[~np.isin(number(queries), number(others))]


def file_split(queries: np.ndarray, train: np.ndarray, seed: int = 0) -> Split:
    """Train on exactly the queries `train`, test with all others.

    Nothing is held out of `train` and no setting is chosen by the others, so the
    validation set is empty.
    """
    rest = exclude(queries, train)
    shuffled = np.random.default_rng(seed).permutation(rest)
    return Split(train, shuffled[:0], shuffled)


def repeat_until(queries: np.ndarray, count: int) -> np.ndarray:
    """Queries [n, 3] one after the other, repeated until there are at least `count`."""
    times = max(1, -(-count // len(queries)))
    return np.tile(queries, (times, 1))[: max(count, len(queries))]


SPLIT_METHODS = {
    "random": random_split,
    "commutative-grouped": commutative_grouped_split,
}


def fingerprint(queries: np.ndarray) -> str:
    """A short checksum of queries [n, 3], to tell one set from another."""
    return hashlib.sha256(queries.tobytes()).hexdigest()[:16]
