"""Networks from handwriting straight to the answer, as earlier reports had them.

Each reads the pictures of a question [n, question_length, 28, 28, 1] in [0, 1] and
gives answer logits [n, answer_length, 13]. Nothing but the answers teaches them, all
at once: what the digits look like, and how to calculate.
"""

import keras
from keras import layers

from latent_arithmetic.arithmetic.networks import (
    PICTURE,
    WIDE_EYE,
    WIDTH,
    build_eye,
    decode_from,
)
from latent_arithmetic.arithmetic.questions import QuestionFormat

CONV_LSTM_CHANNELS = 16


def build_flattened_lstm(form: QuestionFormat) -> keras.Model:
    """An LSTM over the 784 pixels of each picture."""
    pictures = _pictures(form)
    pixels = layers.TimeDistributed(layers.Flatten())(pictures)
    summary = layers.LSTM(WIDTH)(pixels)
    return keras.Model(pictures, decode_from(summary, form), name="flattened_lstm")


def build_conv_lstm(form: QuestionFormat) -> keras.Model:
    """An LSTM whose states are pictures (Shi et al., 2015, arXiv:1506.04214)."""
    pictures = _pictures(form)
    x = layers.ConvLSTM2D(CONV_LSTM_CHANNELS, 3, strides=2, padding="same")(pictures)
    x = layers.MaxPooling2D(2)(x)
    summary = layers.Dense(WIDTH, activation="relu")(layers.Flatten()(x))
    return keras.Model(pictures, decode_from(summary, form), name="conv_lstm")


def build_cnn_lstm(form: QuestionFormat) -> keras.Model:
    """The same conv net looks at each picture, an LSTM reads what it saw."""
    pictures = _pictures(form)
    seen = layers.TimeDistributed(build_eye(WIDTH, WIDE_EYE))(pictures)
    summary = layers.Bidirectional(layers.LSTM(WIDTH))(seen)
    return keras.Model(pictures, decode_from(summary, form), name="cnn_lstm")


STRAIGHT_DESIGNS = {
    "flattened-lstm": build_flattened_lstm,
    "conv-lstm": build_conv_lstm,
    "cnn-lstm": build_cnn_lstm,
}


def _pictures(form: QuestionFormat):
    return keras.Input((form.question_length, *PICTURE))
