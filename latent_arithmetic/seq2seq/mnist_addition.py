"""MNIST addition: two numbers of N digits as images, of which the sum alone is told.

The protocol is the published one. Every image of MNIST is used once: 60,000 / 2N sums
to train with, 10,000 / 2N to test with. Sums repeat between training and test, images
do not. Two settings: the adder is *given* (only digits have to be learnt), or it is
*learnt* from the sums too. In both, the digits of a column are given as such.

Reference:
    Manhaeve et al., "DeepProbLog", arXiv:1805.10872 (the task).
"""

from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from latent_arithmetic.config import ScheduleConfig, setting
from latent_arithmetic.seq2seq.glyphs import GLYPH_SHAPE, mnist_digits, random_affine
from latent_arithmetic.seq2seq.layers import build_glyph_cnn
from latent_arithmetic.training import (
    Batches,
    History,
    adamw,
    fit,
    jit_compile,
    predict_in_batches,
)

BASE = 10  # digits
TOTALS = 2 * BASE - 1  # of two digits: 0 to 18
BATCH_IMAGES = 256  # in a training step
SYMBOLS = 16  # that the CNN of a learnt adder may tell apart
ADDER_UNITS = 128  # of the LSTM layer of a learnt adder
TINY = 1e-30  # added to probabilities whose logarithm is taken


@dataclass(frozen=True)
class MnistAdditionConfig(ScheduleConfig):
    """All hyperparameters of MNIST addition.

    Args:
        held_out: whether 5,000 training images are held out, to choose settings by;
            the numbers of the tables are of models trained on all 60,000.
    """

    seed: int = setting(
        0, "seed of the pairs, the initial weights and the order", low=0, high=2**32 - 1
    )
    digits: int = setting(1, "digits of each of the two numbers", low=1, high=15)
    adder: str = setting(
        "given",
        "given: digits are added by the rules; learnt: by a network, from sums alone",
        choices=("given", "learnt"),
    )
    held_out: bool = setting(True, "hold out 5,000 training images for validation")
    epochs: int = setting(24, "passes over the training images", low=1)
    learning_rate: float = setting(3e-3, "peak learning rate", low=0, low_open=True)
    weight_decay: float = setting(0.1, "decoupled weight decay of AdamW", low=0)

    @property
    def sums_in_a_batch(self) -> int:
        """Sums in a training step."""
        return max(1, BATCH_IMAGES // (2 * self.digits))


def pair_digits(
    split: str, digits: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All images of a split in random order as pairs of numbers; each image once.

    Args:
        split: "train", "validation" or "test", or "all" for both of the first two.

    Returns:
        Images uint8 [n, digits, 2, 28, 28], their labels [n, digits, 2], and the digits
        of the sums [n, digits + 1]; units first.
    """
    parts = ("train", "validation") if split == "all" else (split,)
    images, labels = map(
        np.concatenate, zip(*(mnist_digits(part) for part in parts), strict=True)
    )
    order = np.random.default_rng(seed).permutation(len(images))
    order = order[: len(order) // (2 * digits) * (2 * digits)].reshape(-1, digits, 2)
    return images[order], labels[order], add_digits(labels[order])


def add_digits(digits: np.ndarray) -> np.ndarray:
    """The digits of the sums of two numbers, [n, digits, 2] to [n, digits + 1]."""
    count, columns, _ = digits.shape
    sums, carry = np.zeros((count, columns + 1), "uint8"), np.zeros(count, "uint8")
    for column in range(columns):
        total = digits[:, column].astype("uint8").sum(axis=1, dtype="uint8") + carry
        sums[:, column], carry = total % BASE, total // BASE
    sums[:, columns] = carry
    return sums


def log_likelihood_of_sums(probabilities, sums):
    """Log probability [n] that digits of these probabilities have these sums.

    The sum over all digits is exact: from column to column only the carry is passed on,
    so a vector of two probabilities, one a carry, is enough.

    Args:
        probabilities: of each digit, [n, columns, 2, 10].
        sums: digits [n, columns + 1], units first.
    """
    pairs = probabilities[:, :, 0, :, None] * probabilities[:, :, 1, None, :]
    pairs = ops.reshape(pairs, (-1, pairs.shape[1], BASE * BASE))
    totals = ops.matmul(pairs, _totals_of_pairs())  # [n, columns, 19]
    carried = ops.stack(
        [ops.ones_like(totals[:, 0, 0]), ops.zeros_like(totals[:, 0, 0])]
    )
    log_scale = 0.0
    for column in range(totals.shape[1]):
        digit = ops.one_hot(sums[:, column], BASE)
        # [carry in, carry out, n]: probability of the total that makes this digit.
        step = [
            [
                _probability(totals[:, column], digit, BASE * out - carry)
                for out in (0, 1)
            ]
            for carry in (0, 1)
        ]
        carried = ops.stack(
            [sum(carried[i] * step[i][out] for i in (0, 1)) for out in (0, 1)]
        )
        scale = ops.sum(carried, axis=0) + TINY
        carried, log_scale = carried / scale, log_scale + ops.log(scale)
    last = ops.cast(sums[:, -1], carried.dtype)
    return log_scale + ops.log((1 - last) * carried[0] + last * carried[1] + TINY)


def _totals_of_pairs() -> np.ndarray:
    """Which total each of the 100 pairs of digits has: [100, 19]."""
    digits = np.arange(BASE)
    return np.eye(TOTALS, dtype="float32")[np.add.outer(digits, digits).ravel()]


def _probability(totals, digit, offset: int):
    """Probability [n] of the total digit + offset; totals [n, 19], digit [n, 10]."""
    shifted = np.zeros((BASE, TOTALS), "float32")
    for value in range(BASE):
        if 0 <= value + offset < TOTALS:
            shifted[value, value + offset] = 1
    return ops.sum(ops.matmul(digit, shifted) * totals, axis=-1)


class MnistAddition(keras.Model):
    """Images of two numbers [n, columns, 2, 28, 28] to the digits of their sum."""

    def __init__(self, classes: int, seed: int = 0):
        super().__init__()
        self.cnn = build_glyph_cnn(classes)
        self.seed_generator = keras.random.SeedGenerator(seed)

    def probabilities(self, images, training=None):
        """Of the digits or symbols in images: [n, columns, 2, classes]."""
        columns = images.shape[1]
        x = ops.reshape(ops.cast(images, "float32") / 255.0, (-1, *GLYPH_SHAPE))
        if training:
            x = random_affine(x, self.seed_generator)
        probabilities = ops.softmax(self.cnn(x, training=training))
        return ops.reshape(probabilities, (-1, columns, 2, probabilities.shape[-1]))

    def sums(self, images: np.ndarray) -> np.ndarray:
        """The digits of the most probable sums: uint8 [n, columns + 1], units first."""
        raise NotImplementedError


class GivenAdder(MnistAddition):
    """The rules of addition are given; the CNN learns the digits from the sums."""

    def __init__(self, seed: int = 0):
        super().__init__(BASE, seed)
        self.built = True

    def call(self, images, training=None):
        """Probabilities [n, columns, 2, 10] of the digits."""
        return self.probabilities(images, training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        """Negative log likelihood of the sums, in nats a column."""
        return -ops.mean(log_likelihood_of_sums(y_pred, y)) / y.shape[1]

    def sums(self, images: np.ndarray) -> np.ndarray:
        found = predict_in_batches(lambda part: self(part, training=False), images)
        return add_digits(found.argmax(axis=-1))


class LearntAdder(MnistAddition):
    """A CNN that tells symbols apart, and an LSTM over the columns, units first.

    Which symbols there are, what a sum is and what is carried is learnt.
    """

    def __init__(self, seed: int = 0):
        super().__init__(SYMBOLS, seed)
        columns = keras.Input((None, 2 * SYMBOLS))
        x = layers.Dense(ADDER_UNITS, activation="relu")(columns)
        x = layers.LSTM(ADDER_UNITS, return_sequences=True)(x)
        x = layers.Dense(ADDER_UNITS, activation="relu")(x)
        self.adder = keras.Model(columns, layers.Dense(BASE)(x), name="adder")
        self.cross_entropy = keras.losses.SparseCategoricalCrossentropy(
            from_logits=True
        )
        self.built = True

    def call(self, images, training=None):
        """Logits [n, columns + 1, 10] of the digits of the sum."""
        symbols = self.probabilities(images, training)
        symbols = ops.reshape(symbols, (-1, images.shape[1], 2 * SYMBOLS))
        # The highest digit of the sum has a column without images.
        return self.adder(ops.pad(symbols, ((0, 0), (0, 1), (0, 0))))

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, **kwargs):
        """Cross-entropy of the sums' digits, in nats a digit."""
        return self.cross_entropy(y, y_pred)

    def sums(self, images: np.ndarray) -> np.ndarray:
        found = predict_in_batches(lambda part: self(part, training=False), images)
        return found.argmax(axis=-1).astype("uint8")


ADDERS = {"given": GivenAdder, "learnt": LearntAdder}


def exact_sums(model: MnistAddition, split: str, digits: int) -> np.ndarray:
    """Whether every digit of each sum of a split is right: bool [n]."""
    images, _, sums = pair_digits(split, digits)
    return (model.sums(images) == sums).all(axis=1)


def train_mnist_addition(
    folder: Path, config: MnistAdditionConfig
) -> tuple[MnistAddition, History]:
    """Train a model; an interrupted run is resumed in `folder`."""
    keras.utils.set_random_seed(config.seed)
    model = ADDERS[config.adder](config.seed)
    split = "train" if config.held_out else "all"
    images, _, sums = pair_digits(split, config.digits, config.seed)
    batches = Batches((images, sums), config.sums_in_a_batch, config.seed)
    optimizer = adamw(config, config.epochs * len(batches))
    model.compile(optimizer, jit_compile=jit_compile())

    def validate(model: MnistAddition) -> dict[str, float]:
        return {
            "exact_match": float(exact_sums(model, "validation", config.digits).mean())
        }

    history = fit(
        model,
        batches,
        epochs=config.epochs,
        title=f"MNIST addition, adder {config.adder}",
        folder=folder,
        config=asdict(config),
        validate=validate if config.held_out else None,
    )
    return model, history
