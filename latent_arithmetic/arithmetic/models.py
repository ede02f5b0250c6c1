"""Text to text, and what all models of Task 2 are measured by.

The part that does arithmetic is always taught with text: the two models with pictures
start from a text-to-text model that was trained on the same questions and no others.
"""

import keras
import numpy as np
from keras import ops

from latent_arithmetic.arithmetic.networks import OneHot

PREDICT_BATCH = 500  # examples


def predict(model: keras.Model, inputs: np.ndarray) -> np.ndarray:
    """The model's outputs for any number of inputs, all in batches of one size.

    A step is compiled again for every new size, which can take seconds; so the last
    batch is filled up, and what it was filled with is thrown away.
    """
    missing = -len(inputs) % PREDICT_BATCH
    filled = np.concatenate([inputs, np.repeat(inputs[:1], missing, axis=0)])
    parts = filled.reshape(-1, PREDICT_BATCH, *inputs.shape[1:])
    outputs = np.concatenate([model.predict_on_batch(part) for part in parts])
    return outputs[: len(inputs)]


def exact(answers, logits):
    """The share of answers of which every character is right."""
    written = ops.argmax(logits, axis=-1)
    right = ops.equal(written, ops.cast(answers, written.dtype))
    return ops.cast(ops.all(right, axis=-1), "float32")


class TextToText(keras.Model):
    """Codes of questions, as `encode_for` makes them, to answer logits [n, k, 13].

    encoder_decoder: what `build_text_design` gives.
    """

    def __init__(self, encoder_decoder: keras.Model):
        super().__init__()
        self.one_hot = OneHot()
        self.encoder_decoder = encoder_decoder
        self.built = True

    def call(self, codes):
        return self.encoder_decoder(self.one_hot(codes))
