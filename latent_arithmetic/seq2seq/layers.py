"""Layers and networks that the models of Task 2 consist of."""

from dataclasses import dataclass

import keras
from keras import layers, ops

from latent_arithmetic.seq2seq.glyphs import GLYPH_SHAPE
from latent_arithmetic.seq2seq.queries import ALPHABET, QueryFormat
from latent_arithmetic.training import has_accelerator

LSTM_UNITS = 64  # of every LSTM layer, each direction
UNROLL_AT_MOST = 8  # steps

# Channels, kernel size and stride of the convolutions that read a glyph. In millions of
# multiplications a glyph they take 1.4, 4.3 and 7.0.
CNNS = {
    "small": ((32, 4, 2), (64, 3, 2)),
    "medium": ((32, 4, 2), (64, 3, 2), (64, 3, 1), (128, 3, 2)),
    "wide": ((32, 5, 2), (64, 3, 1), (64, 3, 2), (128, 3, 2)),
}
GLYPH_CNN_UNITS = 128  # of its last hidden layer
GLYPH_CNN_DROPOUT = 0.3  # fraction of these units dropped in a training step

STYLE_DIM = 24  # dimensions of the style vector: how a character is written
DECODER_CHANNELS = (64, 32)  # of the glyph decoder, at 7x7 and at 14x14 pixels
DECODER_UNITS = 256  # of its first layer


class OneHot(layers.Layer):
    """Codes [n, length] as one-hot characters [n, length, 13]."""

    def call(self, codes):
        return ops.one_hot(ops.cast(codes, "int32"), len(ALPHABET))

    def compute_output_shape(self, input_shape):
        return (*input_shape, len(ALPHABET))


def unrolled_is_faster() -> bool:
    """Whether short sequences run faster unrolled.

    They run 1.5 times faster on TensorFlow and, by one run each of the same training
    beside thirteen others on an H200, more than twice as fast on JAX there; on a CPU,
    JAX only compiles longer.
    """
    return keras.backend.backend() == "tensorflow" or has_accelerator()


def lstm(units: int, steps: int | None, return_sequences: bool = True) -> layers.LSTM:
    """An LSTM layer, unrolled where sequences of `steps` run faster so.

    Args:
        steps: length of the sequences, None for any length.
    """
    unroll = steps is not None and steps <= UNROLL_AT_MOST and unrolled_is_faster()
    return layers.LSTM(units, return_sequences=return_sequences, unroll=unroll)


@dataclass(frozen=True)
class Stack:
    """How the LSTM layers of an encoder or a decoder stand on top of one another.

    Args:
        layers: number of LSTM layers.
        residual: add the input of every layer but the first to its output.
        layer_normalization: normalize the output of every layer.

    Reference:
        He et al., "Deep Residual Learning", arXiv:1512.03385. Ba et al., "Layer
        Normalization", arXiv:1607.06450.
    """

    layers: int = 1
    residual: bool = False
    layer_normalization: bool = False

    def __call__(self, x, bidirectional: bool = False):
        """Sequences [n, steps, d] to states [n, steps, LSTM_UNITS], or twice as many
        where the layers are bidirectional."""
        for layer in range(self.layers):
            states = lstm(LSTM_UNITS, x.shape[1])
            if bidirectional:
                states = layers.Bidirectional(states)
            below, x = x, states(x)
            if self.residual and layer:
                x = layers.Add()([below, x])
            if self.layer_normalization:
                x = layers.LayerNormalization()(x)
        return x


def encode_to_context(x, encoder: Stack):
    """Sequences [n, steps, d] to context vectors [n, 2 * LSTM_UNITS].

    Bidirectional LSTM layers read the sequence; the context vector is the last state of
    the forward direction and of the backward one.

    Reference:
        Schuster and Paliwal, "Bidirectional Recurrent Neural Networks", 1997.
    """
    states = encoder(x, bidirectional=True)
    forward, backward = states[:, -1, :LSTM_UNITS], states[:, 0, LSTM_UNITS:]
    return ops.concatenate([forward, backward], axis=-1)


def decode_from(
    context,
    steps: int,
    decoder: Stack,
    units_first: bool = True,
    outputs: int = len(ALPHABET),
):
    """Context vectors [n, d] to the logits of an answer [n, steps, outputs].

    The context vector is the input of the decoder's LSTM layers at every character.

    Args:
        units_first: the decoder writes the units first, as we do on paper, so that a
            carry or borrow is known before the digit that needs it; the last step
            reverses the answer.
        outputs: of each character: its logits, or what an image is drawn from.
    """
    states = decoder(layers.RepeatVector(steps)(context))
    characters = layers.Dense(outputs)(states)
    return ops.flip(characters, axis=1) if units_first else characters


def build_encoder_decoder(
    query_format: QueryFormat,
    encoder: Stack = Stack(),
    decoder: Stack = Stack(),
    units_first: bool = True,
) -> keras.Model:
    """Characters [n, query_length, 13] to answer logits [n, answer_length, 13].

    All that the decoder gets of the query is one context vector.

    Reference:
        Sutskever et al., "Sequence to Sequence Learning with Neural Networks",
        arXiv:1409.3215.
    """
    characters = keras.Input((query_format.query_length, len(ALPHABET)))
    context = encode_to_context(characters, encoder)
    answer = decode_from(context, query_format.answer_length, decoder, units_first)
    return keras.Model(characters, answer, name="encoder_decoder")


def build_glyph_cnn(classes: int, cnn: str = "small") -> keras.Model:
    """A convolutional network from a glyph [n, 28, 28, 1] to logits [n, classes].

    Args:
        classes: of characters, or features of a larger network.
        cnn: name of its convolutions, one of CNNS.
    """
    glyph = keras.Input(GLYPH_SHAPE)
    x = glyph
    for channels, kernel_size, stride in CNNS[cnn]:
        x = layers.Conv2D(
            channels, kernel_size, strides=stride, padding="same", use_bias=False
        )(x)
        x = _normalize_and_activate(x)
    x = layers.Dense(GLYPH_CNN_UNITS, use_bias=False)(layers.Flatten()(x))
    x = layers.Dropout(GLYPH_CNN_DROPOUT)(_normalize_and_activate(x))
    return keras.Model(glyph, layers.Dense(classes)(x), name="glyph_cnn")


def _normalize_and_activate(x):
    x = layers.BatchNormalization(momentum=0.95)(x)
    return layers.Activation("relu")(x)


def build_style_encoder() -> keras.Model:
    """Glyph [n, 28, 28, 1] and character [n, 13] to a style's mean and log variance.

    The character is given, so that the style vector need not encode it.
    """
    glyph, character = keras.Input(GLYPH_SHAPE), keras.Input((len(ALPHABET),))
    x = glyph
    for channels in reversed(DECODER_CHANNELS):
        x = layers.Conv2D(channels, 4, strides=2, padding="same", activation="silu")(x)
    x = layers.Concatenate()([layers.Flatten()(x), character])
    x = layers.Dense(DECODER_UNITS, activation="silu")(x)
    moments = [layers.Dense(STYLE_DIM, name="mean")(x), layers.Dense(STYLE_DIM)(x)]
    return keras.Model([glyph, character], moments, name="style_encoder")


def build_glyph_decoder() -> keras.Model:
    """Character [n, 13] and style vector [n, 24] to pixel logits [n, 28, 28, 1]."""
    character, style = keras.Input((len(ALPHABET),)), keras.Input((STYLE_DIM,))
    pixels = draw_glyphs(layers.Concatenate()([character, style]))
    return keras.Model([character, style], pixels, name="glyph_decoder")


def draw_glyphs(x):
    """Vectors [n, d] to pixel logits [n, 28, 28, 1]."""
    x = layers.Dense(DECODER_UNITS, activation="silu")(x)
    x = layers.Dense(7 * 7 * DECODER_CHANNELS[0], activation="silu")(x)
    x = layers.Reshape((7, 7, DECODER_CHANNELS[0]))(x)
    x = layers.Conv2DTranspose(
        DECODER_CHANNELS[1], 4, strides=2, padding="same", activation="silu"
    )(x)
    return layers.Conv2DTranspose(1, 4, strides=2, padding="same")(x)
