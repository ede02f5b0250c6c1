"""What generated pictures share with the training pictures: whole pictures (copies),
colours (a palette) and attributes (their shares)."""

from dataclasses import dataclass

import numpy as np
from sklearn.metrics import pairwise_distances_argmin_min

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.quality.metrics import expect_alike
from latent_arithmetic.results import Number, share_of

NEAR_QUANTILE = 0.01  # of held-out pictures' distances: nearer is nearly a copy
BLOCK = 1000  # pictures compared at a time: 100 MB for 64 x 64


def nearest_distances(train: np.ndarray, pictures: np.ndarray) -> np.ndarray:
    """Distance of every picture to the nearest training picture: float64 [n], root
    mean square of pixels in [0, 1], exactly 0 for an exact copy and only then.

    Sums of integers below 2^53 are exact in float64, so equal distances come out
    equal. Pictures of doubled pixels have the same distances at half the size, in a
    quarter of the time. train, pictures: uint8 [*, height, width, 3].

    Raises:
        UserError: the pictures are no uint8, or differ in size.
    """
    expect_alike(train, pictures)
    train, pictures = (some.reshape(len(some), -1) for some in (train, pictures))
    nearest = np.full(len(pictures), np.inf)
    for start in range(0, len(pictures), BLOCK):
        here = slice(start, start + BLOCK)
        for begin in range(0, len(train), BLOCK):
            block = train[begin : begin + BLOCK]
            found = pairwise_distances_argmin_min(pictures[here], block)[1]
            nearest[here] = np.minimum(nearest[here], found)
    return nearest / (255 * np.sqrt(train.shape[1]))


def copy_rates(
    train: np.ndarray, held_out: np.ndarray, generated: np.ndarray
) -> dict[str, Number | float]:
    """How many generated pictures repeat a training picture, beside how many real
    ones do that the model never saw: it should copy no more than those coincide.

    train, held_out, generated: uint8 [*, height, width, 3].

    Returns:
        exact_copies: the share equal to a training picture in every pixel.
        near_copies: the share equal, or nearer to one than ``near_distance``.
        exact_copies_floor, near_copies_floor: the same of the held-out pictures.
        near_distance: the first percentile of the held-out pictures' distances to
            their nearest training picture; root mean square of pixels in [0, 1].

    Raises:
        UserError: the pictures are no uint8, or differ in size.
    """
    floor = nearest_distances(train, held_out)
    found = nearest_distances(train, generated)
    near = float(np.quantile(floor, NEAR_QUANTILE))
    numbers: dict[str, Number | float] = {"near_distance": near}
    for end, distances in (("", found), ("_floor", floor)):
        exact = distances == 0
        numbers[f"exact_copies{end}"] = share_of(exact)
        numbers[f"near_copies{end}"] = share_of(exact | (distances < near))
    return numbers


def on_palette_rate(
    pictures: np.ndarray, palette: np.ndarray, tolerance: int = 0
) -> float:
    """Share of all pixels that have a colour of the palette, in [0, 1].

    pictures: uint8 [n, height, width, 3]. palette: uint8 [m, 3].
    tolerance: how far each of red, green and blue may be off, in steps of 8 bits.

    Raises:
        UserError: pictures, palette or tolerance are none of these.
    """
    expect_alike(pictures)
    is_palette = palette.dtype == np.uint8 and palette.shape[1:] == (3,)
    if not is_palette or not 0 <= tolerance <= 255:
        raise UserError(
            f"received a palette {palette.dtype} {list(palette.shape)} and tolerance "
            f"{tolerance}; expected uint8 [m, 3] and 0 to 255"
        )
    known = np.zeros((256, 256, 256), bool)
    for colour in palette.astype(int):
        lowest, end = np.maximum(colour - tolerance, 0), colour + tolerance + 1
        known[tuple(slice(*ends) for ends in zip(lowest, end, strict=True))] = True
    shares = [known[tuple(picture.reshape(-1, 3).T)].mean() for picture in pictures]
    return float(np.mean(shares))


@dataclass(frozen=True)
class Marginals:
    """Shares of pictures that have an attribute, side by side.

    real, generated: [k] in [0, 1]. error: mean absolute difference of the two.
    pair_error: the same of the shares that have both attributes of a pair, over all
        pairs of different attributes.
    """

    real: np.ndarray
    generated: np.ndarray
    error: float
    pair_error: float


def marginal_errors(real_labels: np.ndarray, predicted_labels: np.ndarray) -> Marginals:
    """Do generated pictures have each attribute, and each pair, as often as real ones?

    real_labels, predicted_labels: bool [n, k] and [m, k], whether a picture has an
        attribute. Take both from one classifier, or its mistakes count as the
        generator's. The floor is the same for held-out pictures, equally many.

    Raises:
        UserError: the labels are no bool arrays of the same attributes.
    """
    both = real_labels, predicted_labels
    if (
        any(labels.ndim != 2 or labels.dtype != bool for labels in both)
        or real_labels.shape[1] != predicted_labels.shape[1]
        or 0 in real_labels.shape + predicted_labels.shape
    ):
        received = " and ".join(f"{a.dtype} {list(a.shape)}" for a in both)
        raise UserError(
            f"received labels {received}; expected bool [n, k] and [m, k]: a threshold "
            "turns a classifier's probabilities into them"
        )
    real, generated = (_joint_shares(labels) for labels in both)
    differences = np.abs(real - generated)
    pairs = differences[np.triu_indices(len(real), k=1)]
    return Marginals(
        real.diagonal(),
        generated.diagonal(),
        error=float(differences.diagonal().mean()),
        pair_error=float(pairs.mean()) if len(pairs) else 0.0,
    )


def _joint_shares(labels: np.ndarray) -> np.ndarray:
    """Share of rows that have both attributes, [k, k]; the diagonal has the singles."""
    values = labels.astype(np.float64)
    return values.T @ values / len(labels)
