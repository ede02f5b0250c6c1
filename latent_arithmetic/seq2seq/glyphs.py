"""Handwritten characters: MNIST digits, drawn signs and blanks, split for training.

A query in handwriting is never stored. `RandomGlyphs` samples it anew whenever a batch
needs it; `GlyphBank.sample` samples given queries once, for a test.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import keras
import numpy as np
from keras import ops
from matplotlib.figure import Figure

from latent_arithmetic.io import MNIST, expect_one_of, read_data
from latent_arithmetic.plotting import image_grid

GLYPH_SIZE = 28  # pixels
GLYPH_SHAPE = (GLYPH_SIZE, GLYPH_SIZE, 1)
MAX_INTENSITY = 255  # of a pixel
SIGNS_PER_SPLIT = 500  # drawings of each sign in each split
VALIDATION_DIGITS = 5_000  # MNIST training digits held out for validation
SPLITS = ("train", "validation", "test")  # no image is in two of them
# Largest shift across and down in pixels, rotation in radians, scale of width and
# height as fractions, and shear.
AFFINE_LIMITS = (2.0, 2.0, 0.17, 0.1, 0.1, 0.1)


@dataclass(frozen=True)
class GlyphBank:
    """Images of every character of ALPHABET, sorted by character.

    Args:
        images: uint8 [n, 28, 28], white (255) on black (0).
        starts, counts: int32 [13]; the images of character c are
            images[starts[c] : starts[c] + counts[c]].
    """

    images: np.ndarray
    starts: np.ndarray
    counts: np.ndarray

    def choose(self, codes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """A random image's index in `images` for each of the codes (any shape)."""
        return self.starts[codes] + generator.integers(self.counts[codes])

    def sample(self, codes: np.ndarray, seed: int = 0) -> np.ndarray:
        """Codes of any shape in handwriting: uint8 [..., 28, 28]."""
        return self.images[self.choose(codes, np.random.default_rng(seed))]


def draw_sign(sign: str, generator: np.random.Generator) -> np.ndarray:
    """A slightly crooked '+' or '-' of two or one strokes: uint8 [28, 28]."""
    image = np.zeros((GLYPH_SIZE, GLYPH_SIZE), "uint8")
    near, far = int(generator.integers(6, 10)), int(generator.integers(18, 22))
    first, last = (int(place) for place in generator.integers(12, 16, size=2))
    cv2.line(image, (near, first), (far, last), 255, 2, cv2.LINE_AA)
    if sign == "+":
        cv2.line(image, (first, near), (last, far), 255, 2, cv2.LINE_AA)
    return image


def mnist_digits(split: str) -> tuple[np.ndarray, np.ndarray]:
    """MNIST images (uint8 [n, 28, 28]) and labels (uint8 [n]) of a split.

    Validation digits are the last of MNIST's training file.

    Reference:
        LeCun et al., "Gradient-based learning applied to document recognition", 1998.
    """
    arrays = read_data(MNIST)
    part = "test" if split == "test" else "train"
    images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
    cut = len(images) - VALIDATION_DIGITS
    kept = {"train": slice(cut), "validation": slice(cut, None), "test": slice(None)}
    return images[kept[split]], labels[kept[split]]


@lru_cache(maxsize=len(SPLITS))
def glyph_bank(split: str) -> GlyphBank:
    """Images of all characters of a split, "train", "validation" or "test".

    Raises:
        UserError: there is no such split, or mnist.npz is not found.
    """
    expect_one_of("split", split, SPLITS)
    digits, labels = mnist_digits(split)
    generator = np.random.default_rng(SPLITS.index(split))
    counts = np.array(
        [*np.bincount(labels, minlength=10), SIGNS_PER_SPLIT, SIGNS_PER_SPLIT, 1],
        "int32",
    )
    starts = (np.cumsum(counts) - counts).astype("int32")
    images = np.zeros((counts.sum(), GLYPH_SIZE, GLYPH_SIZE), "uint8")
    order = np.argsort(labels, kind="stable")
    # In its default mode, which checks the indices, NumPy would copy them once more.
    np.take(digits, order, axis=0, out=images[: len(digits)], mode="clip")
    signs = images[len(digits) : -1]  # the last image, of the blank, stays empty
    for number, image in enumerate(signs):
        image[:] = draw_sign("+-"[number // SIGNS_PER_SPLIT], generator)
    return GlyphBank(images, starts, counts)


def random_affine(images, seed, limits: Sequence[float] = AFFINE_LIMITS):
    """Shift, rotate, scale and shear each image about its center, at random.

    Args:
        images: [n, 28, 28, 1].
        seed: a `keras.random.SeedGenerator`.
        limits: each amount is uniform between minus and plus its limit, see
            AFFINE_LIMITS.
    """
    count = ops.shape(images)[0]
    across, down, turn, wide, high, shear = (
        keras.random.uniform((count,), -most, most, seed=seed) for most in limits
    )
    cos, sin = ops.cos(turn), ops.sin(turn)
    a, b = cos * (1 + wide), shear - sin * (1 + high)
    c, d = sin * (1 + wide), cos * (1 + high)
    middle = (GLYPH_SIZE - 1) / 2
    first = across + middle * (1 - a - b)
    second = down + middle * (1 - c - d)
    zeros = ops.zeros_like(a)
    rows = ops.stack([a, b, first, c, d, second, zeros, zeros], axis=1)
    return ops.image.affine_transform(images, rows, data_format="channels_last")


class RandomGlyphs(keras.layers.Layer):
    """Codes to handwriting, sampled and augmented anew at every call, in the graph.

    Args:
        bank: where images are sampled from, with replacement.
        augment: whether each image gets a random affine transformation of its own.
        seed: seed of the layer's own random numbers.
    """

    def __init__(self, bank: GlyphBank, augment: bool = True, seed: int = 0):
        super().__init__()
        self.bank = bank
        self.augment = augment
        self.seed_generator = keras.random.SeedGenerator(seed)
        # A tensor, not a weight: it is data, and has no place in a weight file.
        self.images = ops.convert_to_tensor(bank.images)

    def call(self, codes):
        """Codes [...] as float32 images in [0, 1], [..., 28, 28, 1]."""
        flat = ops.reshape(ops.cast(codes, "int32"), (-1,))
        counts = ops.take(ops.convert_to_tensor(self.bank.counts), flat)
        starts = ops.take(ops.convert_to_tensor(self.bank.starts), flat)
        uniform = keras.random.uniform(ops.shape(flat), seed=self.seed_generator)
        chosen = ops.cast(uniform * ops.cast(counts, "float32"), "int32")
        chosen = starts + ops.minimum(chosen, counts - 1)  # a product may round up
        drawn = ops.cast(ops.take(self.images, chosen, axis=0), "float32") / 255.0
        drawn = drawn[..., None]
        if self.augment:
            drawn = random_affine(drawn, self.seed_generator)
        return ops.reshape(drawn, (*ops.shape(codes), *GLYPH_SHAPE))


def glyph_grid(
    images: np.ndarray, columns: int, titles: Sequence[str] = (), cell: float = 0.28
) -> Figure:
    """Characters [n, length, 28, 28] as lines of handwriting, `columns` in a row.

    Args:
        titles: a caption above each line.
        cell: width of a character in inches.
    """
    count, length = images.shape[:2]
    lines = images.swapaxes(1, 2).reshape(count, GLYPH_SIZE, GLYPH_SIZE * length)
    return image_grid(
        lines, columns, titles=titles, cell=cell * length, gap=0.2, cmap="gray_r"
    )
