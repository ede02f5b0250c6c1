"""How good painted handwriting is, beside real handwriting of the same characters."""

import numpy as np

from latent_arithmetic.arithmetic.glyphs import GlyphBank
from latent_arithmetic.arithmetic.questions import decode, encode

NEAREST_AMONG = 2_000  # training pictures of a character that are compared with
PIXELS = 255


def characters(texts: list[str], pictures: np.ndarray) -> dict[str, np.ndarray]:
    """The pictures [n, length, 28, 28] under each character of n texts."""
    codes = encode(texts)
    found = np.unique(codes).tolist()
    return {decode(np.array([[c]]))[0]: pictures[codes == c] for c in found}


def variety(pictures: np.ndarray, pairs: int = 2_000, seed: int = 0) -> float:
    """How different pictures [n, 28, 28] are: mean distance of random pairs.

    The root of the mean squared difference of pixels in [0, 1].
    """
    first, second = np.random.default_rng(seed).integers(len(pictures), size=(2, pairs))
    difference = pictures[first].astype("float32") - pictures[second]
    return float(np.sqrt(np.square(difference / PIXELS).mean(axis=(1, 2))).mean())


def variance(pictures: np.ndarray) -> float:
    """Variance of pictures [n, 28, 28] about their mean, a pixel, in [0, 1]."""
    return float((pictures / PIXELS).var(axis=0).mean())


def sharpness(pictures: np.ndarray) -> float:
    """Gradient energy: mean squared step between neighbouring pixels, in [0, 1]."""
    pixels = pictures.astype("float32") / PIXELS
    steps = [np.square(np.diff(pixels, axis=axis)).mean() for axis in (1, 2)]
    return float(np.mean(steps))


def nearest_distance(pictures: np.ndarray, known: np.ndarray) -> float:
    """Mean distance of pictures [n, 28, 28] to the nearest of `known` [m, 28, 28].

    The root of the mean squared difference of pixels in [0, 1].
    """
    flat, other = (
        x.reshape(len(x), -1) / np.float32(PIXELS) for x in (pictures, known)
    )
    squares = (flat**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)
    squares = (squares - 2 * flat @ other.T).min(axis=1)
    return float(np.sqrt(np.maximum(squares, 0) / flat.shape[1]).mean())


def compare_handwriting(
    texts: list[str], painted: np.ndarray, real: np.ndarray, train: GlyphBank
) -> dict[str, float]:
    """Painted digits' variety, variance, sharpness and distance to training digits.

    texts: n answers. painted, real: uint8 [n, length, 28, 28] of them.
    train: the pictures the painter learnt from; one that copies is nearer to them
        than real handwriting is.

    Returns: each as a share of real handwriting's, the mean over digits.
    """
    shown, true = characters(texts, painted), characters(texts, real)
    shares: dict[str, list[float]] = {}
    for digit in (name for name in shown if name.isdecimal()):
        start = train.starts[int(digit)]
        known = train.images[start : start + train.counts[int(digit)]][:NEAREST_AMONG]
        for name, measure in (
            ("variety", variety),
            ("variance", variance),
            ("sharpness", sharpness),
            (
                "nearest",
                lambda pictures, known=known: nearest_distance(pictures, known),
            ),
        ):
            share = measure(shown[digit]) / measure(true[digit])
            shares.setdefault(name, []).append(share)
    return {name: float(np.mean(values)) for name, values in shares.items()}
