"""Metrics of generated glyphs, relative to real handwriting of the same characters."""

import numpy as np

from latent_arithmetic.seq2seq.glyphs import MAX_INTENSITY, GlyphBank
from latent_arithmetic.seq2seq.queries import ALPHABET, encode

MAX_NEIGHBORS = 2_000  # training images of a character that are compared with


def prototypes(bank: GlyphBank) -> np.ndarray:
    """The glyph nearest to the mean, of every character: uint8 [13, 28, 28]."""
    chosen = []
    for start, count in zip(bank.starts, bank.counts, strict=True):
        glyphs = bank.images[start : start + count].astype("float32")
        distance = np.square(glyphs - glyphs.mean(axis=0)).sum(axis=(1, 2))
        chosen.append(bank.images[start + distance.argmin()])
    return np.stack(chosen)


def group_by_character(texts: list[str], images: np.ndarray) -> dict[str, np.ndarray]:
    """Glyphs [n, length, 28, 28] of n texts, by character."""
    codes = encode(texts)
    return {ALPHABET[code]: images[codes == code] for code in np.unique(codes)}


def intra_class_diversity(
    glyphs: np.ndarray, pairs: int = 2_000, seed: int = 0
) -> float:
    """Mean distance of random pairs of glyphs [n, 28, 28].

    Distance: root of the mean squared difference of pixels in [0, 1].
    """
    first, second = np.random.default_rng(seed).integers(len(glyphs), size=(2, pairs))
    difference = glyphs[first].astype("float32") - glyphs[second]
    squares = np.square(difference / MAX_INTENSITY).mean(axis=(1, 2))
    return float(np.sqrt(squares).mean())


def pixel_variance(glyphs: np.ndarray) -> float:
    """Mean variance of a pixel in [0, 1] over glyphs [n, 28, 28]."""
    return float((glyphs / MAX_INTENSITY).var(axis=0).mean())


def gradient_energy(glyphs: np.ndarray) -> float:
    """Mean squared difference of neighboring pixels in [0, 1]: how sharp glyphs are."""
    pixels = glyphs.astype("float32") / MAX_INTENSITY
    steps = [np.square(np.diff(pixels, axis=axis)).mean() for axis in (1, 2)]
    return float(np.mean(steps))


def nearest_training_distance(glyphs: np.ndarray, train: np.ndarray) -> float:
    """Mean distance of glyphs [n, 28, 28] to the nearest of `train` [m, 28, 28].

    Distance: root of the mean squared difference of pixels in [0, 1].
    """
    flat, other = (
        x.reshape(len(x), -1) / np.float32(MAX_INTENSITY) for x in (glyphs, train)
    )
    squares = (flat**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)
    squares = (squares - 2 * flat @ other.T).min(axis=1)
    return float(np.sqrt(np.maximum(squares, 0) / flat.shape[1]).mean())


def compare_glyphs(
    texts: list[str], drawn: np.ndarray, real: np.ndarray, train: GlyphBank
) -> dict[str, float]:
    """Diversity, variance, sharpness and novelty of drawn digits, relative to real.

    Args:
        texts: n answers.
        drawn, real: uint8 [n, length, 28, 28], glyphs of them.
        train: glyphs the model was trained on; one that copies is nearer to them than
            real handwriting is.

    Returns:
        Each as a ratio to real handwriting's, the mean over digits.
    """
    drawn_by_character = group_by_character(texts, drawn)
    real_by_character = group_by_character(texts, real)
    ratios: dict[str, list[float]] = {}
    for digit in filter(str.isdecimal, drawn_by_character):
        start = train.starts[int(digit)]
        known = train.images[start : start + train.counts[int(digit)]][:MAX_NEIGHBORS]
        pair = drawn_by_character[digit], real_by_character[digit]
        for measure in (intra_class_diversity, pixel_variance, gradient_energy):
            own, reference = map(measure, pair)
            ratios.setdefault(measure.__name__, []).append(own / reference)
        own, reference = (nearest_training_distance(each, known) for each in pair)
        ratios.setdefault("nearest_training_distance", []).append(own / reference)
    return {name: float(np.mean(values)) for name, values in ratios.items()}
