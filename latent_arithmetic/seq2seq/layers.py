"""Layers and networks that the models of Task 2 consist of."""

import keras
import numpy as np
from keras import layers, ops

from latent_arithmetic.seq2seq.glyphs import GLYPH_SHAPE
from latent_arithmetic.seq2seq.queries import ALPHABET, QueryFormat

LSTM_UNITS = 128  # of every LSTM layer of the encoder-decoder, each direction
# Unrolled short sequences run 1.5 times faster on TensorFlow; JAX only compiles longer.
UNROLL = keras.backend.backend() == "tensorflow"
UNROLL_AT_MOST = 8  # steps

# Channels, kernel size and stride of the convolutions that classify a glyph. The wide
# ones cost 1.6 times as much a step; trained for the same time, both are as accurate.
SMALL_CNN = ((32, 4, 2), (64, 3, 2), (64, 3, 1), (128, 3, 2))
WIDE_CNN = ((32, 5, 2), (64, 3, 1), (64, 3, 2), (128, 3, 2))
GLYPH_CNN_UNITS = 128  # of its last hidden layer
GLYPH_CNN_DROPOUT = 0.3  # fraction of these units dropped in a training step

STYLE_DIM = 24  # dimensions of the style vector: how a character is written
DECODER_CHANNELS = (64, 32)  # of the glyph decoder, at 7x7 and at 14x14 pixels
DECODER_UNITS = 256  # of its first layer

SIGN_KIND = 1  # of the character kinds digit, sign and blank
ROLES = 3  # of the characters in a column: left digit, right digit, sign
COLUMN_RNN_UNITS = 64  # of its LSTM layers, each direction
NARROW_COLUMN_RNN_UNITS = 32  # the same where columns are given
COLUMN_DENSE_UNITS = 64  # of its dense layers
ATTENTION_UNITS = 32  # of the LSTM layers that attention reads, each direction
DIGIT_DIM = 8  # dimensions of a digit's embedding
ALIGNMENT_LOGIT = 4.0  # see `AlignedAttention`
STATE_SCALE = 0.3  # of the LSTM states' term in the scores; low, so it learns slowly


class OneHot(layers.Layer):
    """Codes [n, length] as one-hot characters [n, length, 13]."""

    def call(self, codes):
        return ops.one_hot(ops.cast(codes, "int32"), len(ALPHABET))

    def compute_output_shape(self, input_shape):
        return (*input_shape, len(ALPHABET))


def lstm(units: int, steps: int | None, return_sequences: bool = True) -> layers.LSTM:
    """An LSTM layer, unrolled where sequences of `steps` run faster so.

    Args:
        steps: length of the sequences, None for any length.
    """
    unroll = UNROLL and steps is not None and steps <= UNROLL_AT_MOST
    return layers.LSTM(units, return_sequences=return_sequences, unroll=unroll)


def build_encoder_decoder(
    query_format: QueryFormat, encoder_layers: int = 1, decoder_layers: int = 1
) -> keras.Model:
    """Characters [n, query_length, 13] to answer logits [n, answer_length, 13].

    Bidirectional LSTM layers read the query. The last one ends in a single context
    vector, the input of the decoder's LSTM layers at every character of the answer.

    Reference:
        Sutskever et al., "Sequence to Sequence Learning with Neural Networks",
        arXiv:1409.3215. Schuster and Paliwal, "Bidirectional Recurrent Neural
        Networks", 1997.
    """
    characters = keras.Input((query_format.query_length, len(ALPHABET)))
    x = characters
    for layer in range(encoder_layers):
        more = layer < encoder_layers - 1  # the next layer reads a whole sequence
        x = layers.Bidirectional(lstm(LSTM_UNITS, query_format.query_length, more))(x)
    answer = decode_from(x, query_format, decoder_layers)
    return keras.Model(characters, answer, name="encoder_decoder")


def decode_from(context, query_format: QueryFormat, decoder_layers: int = 1):
    """Context vectors [n, d] to answer logits [n, answer_length, 13].

    The decoder writes the units first, as we do on paper, so that a carry or borrow is
    known before the digit that needs it; the last step reverses the answer.
    """
    x = layers.RepeatVector(query_format.answer_length)(context)
    for _ in range(decoder_layers):
        x = lstm(LSTM_UNITS, query_format.answer_length)(x)
    return ops.flip(layers.Dense(len(ALPHABET))(x), axis=1)


def build_glyph_cnn(classes: int, convolutions: tuple = SMALL_CNN) -> keras.Model:
    """A convolutional network from a glyph [n, 28, 28, 1] to logits [n, classes].

    Args:
        classes: of characters, or features of a larger network.
        convolutions: (channels, kernel size, stride) of each layer: SMALL_CNN or
            WIDE_CNN.
    """
    glyph = keras.Input(GLYPH_SHAPE)
    x = glyph
    for channels, kernel_size, stride in convolutions:
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
    x = layers.Concatenate()([character, style])
    x = layers.Dense(DECODER_UNITS, activation="silu")(x)
    x = layers.Dense(7 * 7 * DECODER_CHANNELS[0], activation="silu")(x)
    x = layers.Reshape((7, 7, DECODER_CHANNELS[0]))(x)
    x = layers.Conv2DTranspose(
        DECODER_CHANNELS[1], 4, strides=2, padding="same", activation="silu"
    )(x)
    pixels = layers.Conv2DTranspose(1, 4, strides=2, padding="same")(x)
    return keras.Model([character, style], pixels, name="glyph_decoder")


def build_bidirectional_column_rnn(
    columns: int | None, layer_count: int = 2, narrow: bool = False
) -> keras.Model:
    """Columns [n, columns, 3, 13], units first, to answer logits [n, columns, 13].

    A column is what stands at one place of a written sum: a digit of the left number,
    one of the right number, and the sign. Bidirectional LSTM layers run over them. The
    answer stands as it is written, its units last.

    Args:
        columns: columns of a query, None for any number.
        layer_count: bidirectional LSTM layers.
        narrow: half the units in the LSTM layers, and a dense layer behind them.
    """
    units = NARROW_COLUMN_RNN_UNITS if narrow else COLUMN_RNN_UNITS
    inputs = keras.Input((columns, ROLES, len(ALPHABET)))
    x = layers.Dense(COLUMN_DENSE_UNITS, activation="relu")(JoinDigits()(inputs))
    for _ in range(layer_count):
        x = layers.Bidirectional(lstm(units, columns))(x)
    if narrow:
        x = layers.Dense(COLUMN_DENSE_UNITS, activation="relu")(x)
    logits = ops.flip(layers.Dense(len(ALPHABET))(x), axis=1)
    return keras.Model(inputs, logits, name="bidirectional_column_rnn")


def build_aligned_encoder_decoder(
    query_format: QueryFormat,
    encoder_layers: int = 1,
    decoder_layers: int = 2,
    alignment_logit: float = ALIGNMENT_LOGIT,
) -> keras.Model:
    """Characters [n, query_length, 13] to answer logits [n, answer_length, 13].

    Attention with a given alignment selects the three characters of every column, and a
    bidirectional column RNN answers. Bidirectional LSTM layers, whose states the
    attention uses, are given the kind of every character (digit, sign or blank) and
    nothing else: where a digit belongs does not depend on which it is. See
    `AlignedAttention` for the alignment.
    """
    characters = keras.Input((query_format.query_length, len(ALPHABET)))
    kinds = ops.matmul(characters, character_kinds())
    x = kinds
    for _ in range(encoder_layers):
        x = layers.Bidirectional(lstm(ATTENTION_UNITS, query_format.query_length))(x)
    columns = AlignedAttention(query_format, alignment_logit)([x, kinds, characters])
    column_rnn = build_bidirectional_column_rnn(
        query_format.answer_length, decoder_layers
    )
    return keras.Model(characters, column_rnn(columns), name="aligned_encoder_decoder")


def character_kinds() -> np.ndarray:
    """Whether each of the 13 characters is a digit, a sign, a blank: [13, 3]."""
    kinds = [0 if c.isdigit() else 2 if c == " " else SIGN_KIND for c in ALPHABET]
    return np.eye(3, dtype="float32")[kinds]


def right_characters(query_format: QueryFormat) -> tuple[np.ndarray, np.ndarray]:
    """Where the characters of a column stand in a right-justified query.

    The right number ends at the right edge, the left one before the sign. In the
    highest column there is no digit; all its roles point to the sign.

    Returns:
        Ones and zeros, float32 [2 * length - 1, columns * 3] by distance to the sign
        (row length - 1: the sign itself) and [length, columns * 3] by place.
    """
    length, columns = query_format.query_length, query_format.answer_length
    by_distance = np.zeros((2 * length - 1, columns, ROLES), "float32")
    by_place = np.zeros((length, columns, ROLES), "float32")
    sign = length - 1
    by_distance[sign, :, 2] = 1
    by_distance[sign, query_format.max_digits :] = 1
    for column in range(query_format.max_digits):
        by_distance[sign - 1 - column, column, 0] = 1
        by_place[length - 1 - column, column, 1] = 1
    flat = (-1, columns * ROLES)
    return by_distance.reshape(flat), by_place.reshape(flat)


class AlignedAttention(layers.Layer):
    """Attention from columns to characters, with a built-in alignment.

    The score of a character, for a role in a column, is a sum of three trained terms:
    of its place, of its distance to the sign, and of the LSTM's state there. To the
    scores of the right characters `alignment_logit` is added. So about 93% of the
    attention's weight lies on them before any training, and character kinds are given:
    this alignment is an input of the model, not something that it has learned.

    Args:
        alignment_logit: 0 for attention to which no alignment is given.

    Call arguments: states [n, length, d], kinds [n, length, 3] and one-hot characters
    [n, length, 13].

    Returns:
        Columns [n, answer_length, 3, 13], units first.

    Reference:
        Bahdanau et al., "Neural Machine Translation by Jointly Learning to Align and
        Translate", arXiv:1409.0473. Shaw et al., "Self-Attention with Relative
        Position Representations", arXiv:1803.02155.
    """

    def __init__(
        self, query_format: QueryFormat, alignment_logit: float = ALIGNMENT_LOGIT
    ):
        super().__init__()
        self.query_format, self.alignment_logit = query_format, alignment_logit
        length = query_format.query_length
        self.distances = np.subtract.outer(range(length), range(length)) + length - 1

    def build(self, input_shape):
        self.alignment = [
            self.alignment_logit * right
            for right in right_characters(self.query_format)
        ]
        self.by_distance, self.by_place = (
            self.add_weight(shape=scores.shape, initializer="zeros", name=name)
            for scores, name in zip(self.alignment, ("distance", "place"), strict=True)
        )
        self.by_state = layers.Dense(self.alignment[0].shape[1], use_bias=False)
        self.by_state.build(input_shape[0])

    def attention_weights(self, states, kinds):
        """How much of each character a column gets: [n, length, answer_length * 3]."""
        by_distance = self.by_distance + self.alignment[0]
        from_sign = ops.take(by_distance, self.distances, axis=0)
        scores = ops.einsum("nm,lmp->nlp", kinds[..., SIGN_KIND], from_sign)
        scores = scores + self.by_place + self.alignment[1]
        scores = scores + STATE_SCALE * self.by_state(states)
        return ops.softmax(scores, axis=1)

    def call(self, inputs):
        states, kinds, characters = inputs
        weights = self.attention_weights(states, kinds)
        columns = ops.einsum("nlp,nlc->npc", weights, characters)
        shape = (-1, self.query_format.answer_length, ROLES, len(ALPHABET))
        return ops.reshape(columns, shape)

    def compute_output_shape(self, input_shape):
        columns = self.query_format.answer_length
        return (input_shape[0][0], columns, ROLES, len(ALPHABET))


class JoinDigits(layers.Layer):
    """Columns [n, columns, 3, 13] to joined digits and the sign [n, columns, 8 + 13].

    e(left) + M(sign) e(right), with one trained embedding e of both digits and one
    trained matrix M per sign. This structure is given to every model with columns: it
    shares weights between pairs of digits. What plus and minus mean is not given.
    """

    def build(self, input_shape):
        characters, stddev = len(ALPHABET), DIGIT_DIM**-0.5
        self.digits = self.add_weight(shape=(characters, DIGIT_DIM), name="digits")
        self.signs = self.add_weight(
            shape=(characters, DIGIT_DIM, DIGIT_DIM),
            initializer=keras.initializers.RandomNormal(stddev=stddev),
            name="signs",
        )

    def call(self, columns):
        left, right, sign = (columns[:, :, role] for role in range(ROLES))
        turned = ops.einsum(
            "nps,skj,npk->npj", sign, self.signs, ops.matmul(right, self.digits)
        )
        joined = ops.matmul(left, self.digits) + turned
        return ops.concatenate([joined, sign], axis=-1)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:2], DIGIT_DIM + len(ALPHABET))
