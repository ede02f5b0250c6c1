"""The bricks of the arithmetic models, each a small network of standard layers."""

import keras
from keras import layers, ops

from latent_arithmetic.arithmetic.glyphs import GLYPH_SIZE
from latent_arithmetic.arithmetic.questions import ALPHABET, QuestionFormat

WIDTH = 128  # units of every recurrent layer (each direction)
# Channels, kernel and stride of the conv nets that look at one picture. The wide one
# costs 1.6 times as much a step; trained for the same time, both read as well.
EYE = ((32, 4, 2), (64, 3, 2), (64, 3, 1), (128, 3, 2))
WIDE_EYE = ((32, 5, 2), (64, 3, 1), (64, 3, 2), (128, 3, 2))
EYE_WIDTH = 128  # units of its last hidden layer
EYE_DROPOUT = 0.3  # share of them that is left out in a training step
STYLE_DIM = 24  # latent numbers that say how a character is written
PAINTER_CHANNELS = (64, 32)  # of the deconv net, at 7x7 and at 14x14 pixels
PAINTER_WIDTH = 256  # units of its first layer
# Unrolled short sequences run 1.5 times faster on TensorFlow; JAX only compiles longer.
UNROLL = keras.backend.backend() == "tensorflow"
UNROLL_AT_MOST = 8  # steps
PICTURE = (GLYPH_SIZE, GLYPH_SIZE, 1)


class OneHot(layers.Layer):
    """Codes [n, length] as one-hot characters [n, length, 13]."""

    def call(self, codes):
        return ops.one_hot(ops.cast(codes, "int32"), len(ALPHABET))

    def compute_output_shape(self, input_shape):
        return (*input_shape, len(ALPHABET))


def build_encoder_decoder(
    form: QuestionFormat, encoder_layers: int = 1, decoder_layers: int = 1
) -> keras.Model:
    """Characters [n, question_length, 13] to answer logits [n, answer_length, 13].

    Bidirectional LSTM layers read the question; the last one sums it up in a single
    vector, which is shown to the decoder's LSTM layers once for every character of
    the answer. They write the units first, as we do on paper, so that a carry or
    borrow is known before the digit that needs it; the last step turns the answer
    around. (Sutskever et al., 2014, arXiv:1409.3215; Schuster and Paliwal, 1997.)
    """
    characters = keras.Input((form.question_length, len(ALPHABET)))
    x = characters
    for layer in range(encoder_layers):
        more = layer < encoder_layers - 1  # the next layer reads a whole sequence
        x = layers.Bidirectional(lstm(WIDTH, form.question_length, more))(x)
    answer = decode_from(x, form, decoder_layers)
    return keras.Model(characters, answer, name="encoder_decoder")


def decode_from(summary, form: QuestionFormat, layers_count: int = 1):
    """Vectors [n, d] to answer logits [n, answer_length, 13], units first inside."""
    x = layers.RepeatVector(form.answer_length)(summary)
    for _ in range(layers_count):
        x = lstm(WIDTH, form.answer_length, return_sequences=True)(x)
    return ops.flip(layers.Dense(len(ALPHABET))(x), axis=1)


def lstm(width: int, steps: int | None, return_sequences: bool = True) -> layers.LSTM:
    """An LSTM layer, unrolled where sequences of `steps` run faster so.

    steps: None for sequences of any length.
    """
    unroll = UNROLL and steps is not None and steps <= UNROLL_AT_MOST
    return layers.LSTM(width, return_sequences=return_sequences, unroll=unroll)


def build_eye(classes: int, convolutions: tuple = EYE) -> keras.Model:
    """One picture [n, 28, 28, 1] in [0, 1] to logits [n, classes].

    convolutions: EYE or WIDE_EYE.
    """
    picture = keras.Input(PICTURE)
    x = picture
    for channels, kernel, stride in convolutions:
        x = layers.Conv2D(
            channels, kernel, strides=stride, padding="same", use_bias=False
        )(x)
        x = _normalised(x)
    x = layers.Dense(EYE_WIDTH, use_bias=False)(layers.Flatten()(x))
    x = layers.Dropout(EYE_DROPOUT)(_normalised(x))
    return keras.Model(picture, layers.Dense(classes)(x), name="eye")


def _normalised(x):
    x = layers.BatchNormalization(momentum=0.95)(x)
    return layers.Activation("relu")(x)


def build_style_encoder() -> keras.Model:
    """Picture [n, 28, 28, 1] and character [n, 13] to a style's mean and log variance.

    The character is given so that the style need not say it again.
    """
    picture, character = keras.Input(PICTURE), keras.Input((len(ALPHABET),))
    x = picture
    for count in reversed(PAINTER_CHANNELS):
        x = layers.Conv2D(count, 4, strides=2, padding="same", activation="silu")(x)
    x = layers.Concatenate()([layers.Flatten()(x), character])
    x = layers.Dense(PAINTER_WIDTH, activation="silu")(x)
    moments = [layers.Dense(STYLE_DIM, name="mean")(x), layers.Dense(STYLE_DIM)(x)]
    return keras.Model([picture, character], moments, name="style_encoder")


def build_painter() -> keras.Model:
    """Character [n, 13] and style [n, 24] to pixel logits [n, 28, 28, 1]."""
    character, style = keras.Input((len(ALPHABET),)), keras.Input((STYLE_DIM,))
    x = layers.Concatenate()([character, style])
    x = layers.Dense(PAINTER_WIDTH, activation="silu")(x)
    x = layers.Dense(7 * 7 * PAINTER_CHANNELS[0], activation="silu")(x)
    x = layers.Reshape((7, 7, PAINTER_CHANNELS[0]))(x)
    x = layers.Conv2DTranspose(
        PAINTER_CHANNELS[1], 4, strides=2, padding="same", activation="silu"
    )(x)
    pixels = layers.Conv2DTranspose(1, 4, strides=2, padding="same")(x)
    return keras.Model([character, style], pixels, name="painter")
