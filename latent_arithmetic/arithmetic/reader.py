"""An independent reader of handwritten characters, to score painted answers with.

It learns from MNIST's train digits, drawn signs, blanks, and junk: pictures that are
no character. It is never part of another model's training.
"""

import keras
import numpy as np
from keras import ops

from latent_arithmetic.arithmetic.glyphs import (
    GLYPH_SIZE,
    GlyphBank,
    glyph_bank,
    random_affine,
)
from latent_arithmetic.arithmetic.models import predict
from latent_arithmetic.arithmetic.networks import PICTURE, WIDE_EYE, build_eye
from latent_arithmetic.arithmetic.questions import ALPHABET

JUNK = len(ALPHABET)  # the reader's code of a picture that is no character
READER_ALPHABET = ALPHABET + "?"
JUNK_PICTURES = {"train": 6_000, "validation": 500, "test": 1_000}
BLANK_PICTURES = {"train": 1_000, "validation": 100, "test": 200}


class Reader(keras.Model):
    """Pictures [n, 28, 28] (uint8, or float in [0, 255]) to logits [n, 14]."""

    def __init__(self, seed: int = 0):
        super().__init__()
        self.eye = build_eye(len(READER_ALPHABET), WIDE_EYE)
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, pictures, training=None):
        x = ops.reshape(ops.cast(pictures, "float32") / 255.0, (-1, *PICTURE))
        if training:
            x = random_affine(x, self.seed_generator)
            x = random_softness(x, self.seed_generator)
        return self.eye(x, training=training)

    def read(self, pictures: np.ndarray) -> list[str]:
        """Pictures uint8 [n, length, 28, 28] as texts; '?' is an unreadable one."""
        flat = pictures.reshape(-1, GLYPH_SIZE, GLYPH_SIZE)
        codes = predict(self, flat).argmax(axis=-1)
        rows = codes.reshape(pictures.shape[:2]).tolist()
        return ["".join(READER_ALPHABET[code] for code in row) for row in rows]


def random_softness(images, seed):
    """Blur each of the images [n, 28, 28, 1] by a random amount.

    A soft stroke is no other character, and no junk, than a sharp one.
    """
    blurred = ops.average_pool(images, 3, strides=1, padding="same")
    share = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), seed=seed)
    return images + share * (blurred - images)


def draw_junk(bank: GlyphBank, count: int, seed: int = 0) -> np.ndarray:
    """Pictures that are no character: uint8 [count, 28, 28].

    In equal parts: two different digits drawn over one another, the upper half of one
    digit over the lower half of another, upside down, and digits with their 4x4
    tiles mixed.
    """
    generator = np.random.default_rng(seed)
    first = generator.integers(10, size=count)
    second = (first + generator.integers(1, 10, size=count)) % 10
    upper, lower = (
        bank.images[bank.choose(codes, generator)] for codes in (first, second)
    )
    crossed = np.maximum(upper, lower)
    glued = np.concatenate([upper[:, :14], lower[:, 14:][:, ::-1]], axis=1)
    tiles = upper.reshape(count, 7, 4, 7, 4).swapaxes(2, 3).reshape(count, 49, 4, 4)
    tiles = generator.permuted(tiles.reshape(count, 49, 16), axis=1)
    mixed = tiles.reshape(count, 7, 7, 4, 4).swapaxes(2, 3).reshape(upper.shape)
    kind = np.arange(count) % 3
    return np.stack([crossed, glued, mixed])[kind, np.arange(count)]


def reader_examples(world: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Pictures (uint8 [n, 28, 28]) and codes (uint8 [n], JUNK included) of a world."""
    bank = glyph_bank(world)
    blanks = np.zeros((BLANK_PICTURES[world], GLYPH_SIZE, GLYPH_SIZE), "uint8")
    junk = draw_junk(bank, JUNK_PICTURES[world], seed)
    codes = np.repeat(np.arange(len(ALPHABET), dtype="uint8"), bank.counts)
    blank = np.full(len(blanks), len(ALPHABET) - 1, "uint8")
    return (
        np.concatenate([bank.images, blanks, junk]),
        np.concatenate([codes, blank, np.full(len(junk), JUNK, "uint8")]),
    )
