"""Independent classifier of handwritten characters, to evaluate generated answers.

It is trained on MNIST's training digits, drawn signs, blanks, and rejects: images that
are no character. It is never part of another model's training.
"""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from keras import ops

from latent_arithmetic.config import ScheduleConfig, setting
from latent_arithmetic.io import DIGIT_CLASSIFIER, read_data, save_arrays
from latent_arithmetic.seq2seq.glyphs import (
    GLYPH_SHAPE,
    GLYPH_SIZE,
    GlyphBank,
    glyph_bank,
    random_affine,
)
from latent_arithmetic.seq2seq.layers import build_glyph_cnn
from latent_arithmetic.seq2seq.queries import ALPHABET
from latent_arithmetic.seq2seq.text_to_text import predict

REJECT = len(ALPHABET)  # the code of an image that is no character
CLASSES = ALPHABET + "?"
REJECTS = {"train": 6_000, "validation": 500, "test": 1_000}
BLANKS = {"train": 1_000, "validation": 100, "test": 200}


@dataclass(frozen=True)
class DigitClassifierConfig(ScheduleConfig):
    """Hyperparameters of the digit classifier."""

    seed: int = setting(
        0,
        "seed of the initial weights and the order of training",
        low=0,
        high=2**32 - 1,
    )
    weight_decay: float = setting(0.1, "decoupled weight decay of AdamW", low=0)


class DigitClassifier(keras.Model):
    """Glyphs [n, 28, 28] (uint8, or float in [0, 255]) to logits [n, 14]."""

    def __init__(self, seed: int = 0):
        super().__init__()
        self.cnn = build_glyph_cnn(len(CLASSES), "wide")
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.built = True

    def call(self, glyphs, training=None):
        x = ops.reshape(ops.cast(glyphs, "float32") / 255.0, (-1, *GLYPH_SHAPE))
        if training:
            x = random_affine(x, self.seed_generator)
            x = random_blur(x, self.seed_generator)
        return self.cnn(x, training=training)

    def recognize(self, images: np.ndarray, may_reject: bool = True) -> list[str]:
        """Texts of images, uint8 [n, length, 28, 28]; '?' is a rejected character.

        Args:
            may_reject: if not, the most probable of the 13 characters is taken.
        """
        codes = predict(self, images.reshape(-1, GLYPH_SIZE, GLYPH_SIZE))
        codes = codes if may_reject else codes[:, :REJECT]
        rows = codes.argmax(axis=-1).reshape(images.shape[:2]).tolist()
        return ["".join(CLASSES[code] for code in row) for row in rows]


def save_weights(path: Path, classifier: DigitClassifier) -> None:
    """Write a classifier's weights as the evaluation classifier of the project.

    They are kept as float16, to be small. The file's checksum has to be entered in
    `io.CONTENT_CHECKSUMS`.
    """
    weights = [each.astype("float16") for each in classifier.cnn.get_weights()]
    save_arrays(path, {f"{place:02d}": each for place, each in enumerate(weights)})


def evaluation_classifier() -> DigitClassifier:
    """The classifier that ships with the project, and that every recorded number of
    text-to-image comes from.

    It was trained by `train digit-classifier --profile full --seed 1`.

    Raises:
        UserError: its file is missing or damaged.
    """
    arrays = read_data(DIGIT_CLASSIFIER)
    classifier = DigitClassifier()
    weights = [arrays[name].astype("float32") for name in sorted(arrays)]
    classifier.cnn.set_weights(weights)
    return classifier


def random_blur(images, seed):
    """Blur each of the images [n, 28, 28, 1] by a random amount.

    A blurred stroke is neither another character nor a reject.
    """
    blurred = ops.average_pool(images, 3, strides=1, padding="same")
    amount = keras.random.uniform((ops.shape(images)[0], 1, 1, 1), seed=seed)
    return images + amount * (blurred - images)


def draw_rejects(bank: GlyphBank, count: int, seed: int = 0) -> np.ndarray:
    """Images that are no character: uint8 [count, 28, 28].

    In equal parts: two different digits over one another, the upper half of one digit
    above the lower half of another turned upside down, and digits whose 4x4 tiles are
    shuffled.
    """
    generator = np.random.default_rng(seed)
    first = generator.integers(10, size=count)
    second = (first + generator.integers(1, 10, size=count)) % 10
    upper, lower = (
        bank.images[bank.choose(codes, generator)] for codes in (first, second)
    )
    overlaid = np.maximum(upper, lower)
    joined = np.concatenate([upper[:, :14], lower[:, 14:][:, ::-1]], axis=1)
    tiles = upper.reshape(count, 7, 4, 7, 4).swapaxes(2, 3).reshape(count, 49, 16)
    tiles = generator.permuted(tiles, axis=1)
    shuffled = tiles.reshape(count, 7, 7, 4, 4).swapaxes(2, 3).reshape(upper.shape)
    kind = np.arange(count) % 3
    return np.stack([overlaid, joined, shuffled])[kind, np.arange(count)]


def classifier_examples(split: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Glyphs, blanks and rejects of a split, with their codes.

    Returns:
        uint8 [n, 28, 28] and uint8 [n], `REJECT` among the codes.
    """
    bank = glyph_bank(split)
    blanks = np.zeros((BLANKS[split], GLYPH_SIZE, GLYPH_SIZE), "uint8")
    rejects = draw_rejects(bank, REJECTS[split], seed)
    codes = np.repeat(np.arange(len(ALPHABET), dtype="uint8"), bank.counts)
    blank = np.full(len(blanks), len(ALPHABET) - 1, "uint8")
    return (
        np.concatenate([bank.images, blanks, rejects]),
        np.concatenate([codes, blank, np.full(len(rejects), REJECT, "uint8")]),
    )
