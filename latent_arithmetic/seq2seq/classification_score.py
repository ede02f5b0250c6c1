"""Classification accuracy score: what a classifier learns from generated digits alone.

A fresh classifier is trained on digits that a text-to-image model has drawn and is
tested on MNIST's test digits. It is as good as one trained on real digits only if the
drawn ones are right, and as varied.

Reference:
    Ravuri and Vinyals, "Classification Accuracy Score for Conditional Generative
    Models", arXiv:1905.10887.
"""

from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.records import Estimate, fraction_of
from latent_arithmetic.seq2seq.digit_classifier import (
    DigitClassifier,
    DigitClassifierConfig,
)
from latent_arithmetic.seq2seq.glyphs import mnist_digits
from latent_arithmetic.seq2seq.queries import ALPHABET
from latent_arithmetic.seq2seq.tasks import answer_loss
from latent_arithmetic.seq2seq.text_to_image import TextToImage
from latent_arithmetic.seq2seq.text_to_text import predict
from latent_arithmetic.training import Batches, adamw, fit, jit_compile

DIGITS = 10
CHUNK = 1_000  # digits drawn at a time


def draw_digits(
    model: TextToImage, count: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Digits that the model draws, and what they are meant to be.

    Returns:
        uint8 [count, 28, 28] and uint8 [count], all digits equally often.
    """
    generator = np.random.default_rng(seed)
    codes = np.arange(count, dtype="uint8") % DIGITS
    one_hot = np.eye(len(ALPHABET), dtype="float32")
    parts = []
    for start in range(0, count, CHUNK):
        chosen = codes[start : start + CHUNK, None]
        styles = model.sample_styles(chosen, generator)
        parts.append(model.render(one_hot[chosen], styles)[:, 0])
    return np.concatenate(parts), codes


def classification_accuracy_score(
    images: np.ndarray, codes: np.ndarray, folder: Path, config: DigitClassifierConfig
) -> Estimate:
    """Train a classifier on digits [n, 28, 28]; its accuracy on MNIST's test digits.

    Args:
        codes: what the digits are, [n].
        folder: where a checkpoint is kept; an interrupted training is resumed there.
        config: every value filled in, see `SequenceTask.resolve`.
    """
    keras.utils.set_random_seed(config.seed)
    classifier = DigitClassifier(config.seed)
    batches = Batches((images, codes), config.batch_size, config.seed)
    steps = config.epochs * len(batches)
    optimizer = adamw(config, steps, beta_2=0.999)  # as in the recorded runs
    classifier.compile(optimizer, answer_loss(), jit_compile=jit_compile())
    fit(
        classifier,
        batches,
        epochs=config.epochs,
        title="classifier of drawn digits",
        folder=folder,
    )
    test, labels = mnist_digits("test")
    return fraction_of(predict(classifier, test).argmax(axis=-1) == labels)
