"""Arithmetic as on paper: the digits that belong together, one column after another.

A column is what stands at one place of a written sum: a digit of the left number, one
of the right number, and the sign. `build_calculator` answers from columns, units
first. `build_column_reader` finds the columns in a plain string by attention. Both
together are an encoder-decoder of plain strings; the calculator alone is a model of
structured input, whose columns someone has aligned already.
"""

import keras
import numpy as np
from keras import layers, ops

from latent_arithmetic.arithmetic.networks import lstm
from latent_arithmetic.arithmetic.questions import ALPHABET, QuestionFormat

SIGN_KIND = 1  # of the kinds digit, sign and blank
ROLES = 3  # of the characters in a column: left digit, right digit, sign
CALCULATOR_WIDTH = 64  # units of its recurrent layers, each direction
NARROW_WIDTH = 32  # the same where columns are given
DENSE_WIDTH = 64  # units of its dense layers
READER_WIDTH = 32  # units of the layers that find the columns, each direction
DIGIT_DIM = 8  # numbers that stand for a digit before two of them are joined
GUESS = 4.0  # score of the characters the reader looks at before it has learnt
STATE_RATE = 0.3  # share of the states in the scores; low, so that they learn slowly


def build_calculator(
    places: int | None, layers_count: int = 2, narrow: bool = False
) -> keras.Model:
    """Columns [n, places, 3, 13], units first, to answer logits [n, places, 13].

    The answer stands as it is written, its units last. One way through the columns
    carries and borrows, the way back learns which number was larger; every layer goes
    both ways.

    narrow: half the units in the recurrent layers, and a dense layer behind them to
        work out what a column and a carry come to.
    """
    width = NARROW_WIDTH if narrow else CALCULATOR_WIDTH
    columns = keras.Input((places, ROLES, len(ALPHABET)))
    x = layers.Dense(DENSE_WIDTH, activation="relu")(JoinDigits()(columns))
    for _ in range(layers_count):
        x = _both_ways(width, places)(x)
    if narrow:
        x = layers.Dense(DENSE_WIDTH, activation="relu")(x)
    logits = layers.Dense(len(ALPHABET))(x)
    return keras.Model(columns, ops.flip(logits, axis=1), name="calculator")


def build_column_reader(
    form: QuestionFormat, layers_count: int = 1, alignment: float = GUESS
) -> keras.Model:
    """Characters [n, question_length, 13] to columns [n, answer_length, 3, 13].

    Bidirectional LSTM layers see of every character only whether it is a digit, a
    sign or a blank, since where a digit stands does not depend on which it is. For
    each role at each place of the answer, attention (Bahdanau et al., 2015,
    arXiv:1409.0473) chooses the characters.
    """
    characters = keras.Input((form.question_length, len(ALPHABET)))
    kinds = ops.matmul(characters, character_kinds())
    x = kinds
    for _ in range(layers_count):
        x = _both_ways(READER_WIDTH, form.question_length)(x)
    columns = AttendColumns(form, alignment)([x, kinds, characters])
    return keras.Model(characters, columns, name="column_reader")


def build_column_encoder_decoder(
    form: QuestionFormat,
    encoder_layers: int = 1,
    decoder_layers: int = 2,
    alignment: float = GUESS,
) -> keras.Model:
    """Characters [n, question_length, 13] to answer logits [n, answer_length, 13]."""
    reader = build_column_reader(form, encoder_layers, alignment)
    calculator = build_calculator(form.answer_length, decoder_layers)
    answer = calculator(reader.output)
    return keras.Model(reader.input, answer, name="column_encoder_decoder")


def _both_ways(width: int, steps: int | None) -> layers.Layer:
    return layers.Bidirectional(lstm(width, steps))


def character_kinds() -> np.ndarray:
    """Whether each of the 13 characters is a digit, a sign, a blank: [13, 3]."""
    kinds = [0 if c.isdigit() else 2 if c == " " else SIGN_KIND for c in ALPHABET]
    return np.eye(3, dtype="float32")[kinds]


def first_guess(form: QuestionFormat) -> tuple[np.ndarray, np.ndarray]:
    """Where the parts of a column stand in a question written to the right edge.

    The right number ends at the right edge, the left one before the sign. In the
    highest column no digit stands; all its parts look at the sign.

    Returns: ones and zeros, float32 [2 * length - 1, places * 3] by distance to the
        sign (row length - 1: the sign itself) and [length, places * 3] by place.
    """
    length, places = form.question_length, form.answer_length
    by_distance = np.zeros((2 * length - 1, places, ROLES), "float32")
    by_place = np.zeros((length, places, ROLES), "float32")
    sign = length - 1
    by_distance[sign, :, 2] = 1
    by_distance[sign, form.max_digits :] = 1
    for place in range(form.max_digits):
        by_distance[sign - 1 - place, place, 0] = 1
        by_place[length - 1 - place, place, 1] = 1
    flat = (-1, places * ROLES)
    return by_distance.reshape(flat), by_place.reshape(flat)


class AttendColumns(layers.Layer):
    """States [n, length, d], kinds [n, length, 3] and characters to columns.

    What a character scores for a part of a column is a sum of three trained terms:
    of its place, of its distance to the sign (as in Shaw et al., 2018,
    arXiv:1803.02155) and of its state. Before training, the
    first guess outweighs the rest.
    """

    def __init__(self, form: QuestionFormat, alignment: float = GUESS):
        super().__init__()
        self.form, self.alignment = form, alignment
        length = form.question_length
        self.distances = np.subtract.outer(range(length), range(length)) + length - 1

    def build(self, input_shape):
        self.guess = [self.alignment * guess for guess in first_guess(self.form)]
        self.by_distance, self.by_place = (
            self.add_weight(shape=guess.shape, initializer="zeros", name=name)
            for guess, name in zip(self.guess, ("distance", "place"), strict=True)
        )
        self.by_state = layers.Dense(self.guess[0].shape[1], use_bias=False)
        self.by_state.build(input_shape[0])

    def call(self, inputs):
        states, kinds, characters = inputs
        by_distance, by_place = self.by_distance + self.guess[0], self.by_place
        from_sign = ops.take(by_distance, self.distances, axis=0)
        scores = ops.einsum("nm,lmp->nlp", kinds[..., SIGN_KIND], from_sign)
        scores = scores + by_place + self.guess[1] + STATE_RATE * self.by_state(states)
        chosen = ops.einsum("nlp,nlc->npc", ops.softmax(scores, axis=1), characters)
        shape = (-1, self.form.answer_length, ROLES, len(ALPHABET))
        return ops.reshape(chosen, shape)

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0], self.form.answer_length, ROLES, len(ALPHABET))


class JoinDigits(layers.Layer):
    """Columns [n, places, 3, 13] to [n, places, 8 + 13]: joined digits, and the sign.

    Both digits are embedded alike, in few dimensions; the sign chooses a matrix, which
    the right one is multiplied by before they are added. So what was learnt of one
    pair of digits holds for others. Nothing says that a minus subtracts.
    """

    def build(self, input_shape):
        kinds, spread = len(ALPHABET), DIGIT_DIM**-0.5
        self.digits = self.add_weight(shape=(kinds, DIGIT_DIM), name="digits")
        self.signs = self.add_weight(
            shape=(kinds, DIGIT_DIM, DIGIT_DIM),
            initializer=keras.initializers.RandomNormal(stddev=spread),
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
