"""Handwritten characters: MNIST digits, drawn signs, and blanks, in separate worlds.

A question in handwriting is never stored. `FreshGlyphs` draws it anew whenever a
batch needs it; `GlyphBank.draw` draws given questions once, for a test.
"""

from dataclasses import dataclass
from functools import lru_cache

import cv2
import keras
import numpy as np
from keras import ops

from latent_arithmetic.data_files import MNIST, read_data
from latent_arithmetic.errors import expect_one_of

GLYPH_SIZE = 28  # pixels
SIGN_POOL = 500  # drawings of each sign in each world
VALIDATION_DIGITS = 5_000  # MNIST train digits kept for choosing
# Most pixels to the side and down, radians, shares of the width and height, shear.
WARP = (2.0, 2.0, 0.17, 0.1, 0.1, 0.1)
WORLDS = ("train", "validation", "test")  # no picture is in two of them


@dataclass(frozen=True)
class GlyphBank:
    """Pictures of every character of ALPHABET, sorted by character.

    images: uint8 [n, 28, 28], white (255) on black (0).
    starts, counts: int32 [13]; the pictures of character c are
        images[starts[c] : starts[c] + counts[c]].
    """

    images: np.ndarray
    starts: np.ndarray
    counts: np.ndarray

    def choose(self, codes: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """A random picture's index in `images` for each of the codes (any shape)."""
        return self.starts[codes] + generator.integers(self.counts[codes])

    def draw(self, codes: np.ndarray, seed: int = 0) -> np.ndarray:
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


def mnist_digits(world: str) -> tuple[np.ndarray, np.ndarray]:
    """The MNIST pictures (uint8 [n, 28, 28]) and labels (uint8 [n]) of a world.

    MNIST: LeCun et al., 1998. Validation digits are the last of the train file.
    """
    arrays = read_data(MNIST)
    part = "test" if world == "test" else "train"
    images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
    cut = len(images) - VALIDATION_DIGITS
    kept = {"train": slice(cut), "validation": slice(cut, None), "test": slice(None)}
    return images[kept[world]], labels[kept[world]]


@lru_cache(maxsize=len(WORLDS))
def glyph_bank(world: str) -> GlyphBank:
    """All characters of one of WORLDS.

    Raises:
        UserError: there is no such world, or mnist.npz is not found.
    """
    expect_one_of("world", world, WORLDS)
    digits, labels = mnist_digits(world)
    generator = np.random.default_rng(WORLDS.index(world))
    counts = np.array(
        [*np.bincount(labels, minlength=10), SIGN_POOL, SIGN_POOL, 1], "int32"
    )
    starts = (np.cumsum(counts) - counts).astype("int32")
    images = np.zeros((counts.sum(), GLYPH_SIZE, GLYPH_SIZE), "uint8")
    order = np.argsort(labels, kind="stable")
    # In its default mode, which checks the indices, NumPy would copy them once more.
    np.take(digits, order, axis=0, out=images[: len(digits)], mode="clip")
    signs = images[len(digits) : -1]  # the last picture, of the blank, stays empty
    for number, picture in enumerate(signs):
        picture[:] = draw_sign("+-"[number // SIGN_POOL], generator)
    return GlyphBank(images, starts, counts)


def random_affine(images, seed):
    """Move, turn, stretch and shear each of the images [n, 28, 28, 1] at random.

    Every amount is uniform between minus and plus its WARP, about the centre.
    """
    count = ops.shape(images)[0]
    across, down, turn, wide, high, shear = (
        keras.random.uniform((count,), -most, most, seed=seed) for most in WARP
    )
    cos, sin = ops.cos(turn), ops.sin(turn)
    a, b = cos * (1 + wide), shear - sin * (1 + high)
    c, d = sin * (1 + wide), cos * (1 + high)
    middle = (GLYPH_SIZE - 1) / 2
    first = across + middle * (1 - a - b)
    second = down + middle * (1 - c - d)
    nothing = ops.zeros_like(a)
    rows = ops.stack([a, b, first, c, d, second, nothing, nothing], axis=1)
    return ops.image.affine_transform(images, rows, data_format="channels_last")


class FreshGlyphs(keras.layers.Layer):
    """Codes of any shape to handwriting, drawn anew at every call, inside the graph.

    Args:
        bank: where pictures are drawn from, with replacement.
        warp: whether pictures are moved, turned and stretched, each in its own way.
        seed: seed of the layer's own random numbers.
    """

    def __init__(self, bank: GlyphBank, warp: bool = True, seed: int = 0):
        super().__init__()
        self.bank = bank
        self.warp = warp
        self.seed_generator = keras.random.SeedGenerator(seed)
        # A tensor, not a weight: it is data, and has no place in a weight file.
        self.pictures = ops.convert_to_tensor(bank.images)

    def call(self, codes):
        """Float32 pictures in [0, 1], [..., 28, 28, 1], of codes [...]."""
        flat = ops.reshape(ops.cast(codes, "int32"), (-1,))
        counts = ops.take(ops.convert_to_tensor(self.bank.counts), flat)
        starts = ops.take(ops.convert_to_tensor(self.bank.starts), flat)
        chance = keras.random.uniform(ops.shape(flat), seed=self.seed_generator)
        chosen = ops.cast(chance * ops.cast(counts, "float32"), "int32")
        chosen = starts + ops.minimum(chosen, counts - 1)  # a product may round up
        drawn = ops.cast(ops.take(self.pictures, chosen, axis=0), "float32") / 255.0
        drawn = drawn[..., None]
        if self.warp:
            drawn = random_affine(drawn, self.seed_generator)
        return ops.reshape(drawn, (*ops.shape(codes), GLYPH_SIZE, GLYPH_SIZE, 1))
