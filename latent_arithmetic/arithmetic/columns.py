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

from latent_arithmetic.arithmetic.questions import ALPHABET, QuestionFormat

ROLES = 3  # of the characters in a column: left digit, right digit, sign
CALCULATOR_WIDTH = 64  # units of its recurrent layers, each direction
READER_WIDTH = 32  # units of the layers that find the columns, each direction
DIGIT_DIM = 8  # numbers that stand for a digit before two of them are joined
GUESS = 2.0  # how firmly the reader first believes that numbers have all their digits
SHARPNESS = 2.0  # of the attention: the scores are multiplied by it
# Unrolled short sequences run 1.5 times faster on TensorFlow; JAX only compiles longer.
UNROLL = keras.backend.backend() == "tensorflow"
UNROLL_AT_MOST = 8  # steps


def build_calculator(places: int | None, layers_count: int = 2) -> keras.Model:
    """Columns [n, places, 3, 13], units first, to answer logits [n, places, 13].

    The answer stands as it is written, its units last. One way through the columns
    carries and borrows, the way back learns which number was larger; every layer goes
    both ways.
    """
    columns = keras.Input((places, ROLES, len(ALPHABET)))
    x = layers.Dense(CALCULATOR_WIDTH, activation="relu")(JoinDigits()(columns))
    for _ in range(layers_count):
        x = _both_ways(CALCULATOR_WIDTH, places)(x)
    logits = layers.Dense(len(ALPHABET))(x)
    return keras.Model(columns, ops.flip(logits, axis=1), name="calculator")


def build_column_reader(form: QuestionFormat, layers_count: int = 1) -> keras.Model:
    """Characters [n, question_length, 13] to columns [n, answer_length, 3, 13].

    Bidirectional LSTM layers see of every character only whether it is a digit, a
    sign or a blank, since where a digit stands does not depend on which it is. For
    each role at each place of the answer, attention (Bahdanau et al., 2015,
    arXiv:1409.0473) chooses the characters.
    """
    characters = keras.Input((form.question_length, len(ALPHABET)))
    x = ops.matmul(characters, character_kinds())
    for _ in range(layers_count):
        x = _both_ways(READER_WIDTH, form.question_length)(x)
    columns = AttendColumns(form)([x, characters])
    return keras.Model(characters, columns, name="column_reader")


def build_column_encoder_decoder(
    form: QuestionFormat, encoder_layers: int = 1, decoder_layers: int = 2
) -> keras.Model:
    """Characters [n, question_length, 13] to answer logits [n, answer_length, 13]."""
    reader = build_column_reader(form, encoder_layers)
    calculator = build_calculator(form.answer_length, decoder_layers)
    answer = calculator(reader.output)
    return keras.Model(reader.input, answer, name="column_encoder_decoder")


def _both_ways(width: int, steps: int | None) -> layers.Layer:
    unroll = UNROLL and steps is not None and steps <= UNROLL_AT_MOST
    return layers.Bidirectional(
        layers.LSTM(width, return_sequences=True, unroll=unroll)
    )


def character_kinds() -> np.ndarray:
    """Whether each of the 13 characters is a digit, a sign, a blank: [13, 3]."""
    kinds = [0 if c.isdigit() else 2 if c == " " else 1 for c in ALPHABET]
    return np.eye(3, dtype="float32")[kinds]


def first_guess(form: QuestionFormat) -> np.ndarray:
    """Which character is which part of a column if both numbers have all digits.

    Returns: float32 [question_length, answer_length, 3], ones and zeros. In the
        highest column no digit stands, only a carry or a minus in the answer; all
        its parts look at the sign.
    """
    digits, sign = form.max_digits, form.max_digits
    guess = np.zeros((form.question_length, form.answer_length, ROLES), "float32")
    for place in range(digits):
        guess[sign - 1 - place, place, 0] = 1
        guess[form.question_length - 1 - place, place, 1] = 1
    guess[sign, :, 2] = 1
    guess[sign, digits] = 1
    return guess


class AttendColumns(layers.Layer):
    """States [n, length, d] and characters [n, length, 13] to columns.

    What a character scores for a part of a column is a linear function of its state
    plus a trained bias of its place, which starts at the first guess.
    """

    def __init__(self, form: QuestionFormat):
        super().__init__()
        self.form = form

    def build(self, input_shape):
        guess = GUESS * first_guess(self.form)
        shape = (self.form.question_length, self.form.answer_length * ROLES)
        self.score = layers.Dense(shape[1], use_bias=False)
        self.score.build(input_shape[0])
        self.place_bias = self.add_weight(shape=shape, name="place_bias")
        self.place_bias.assign(guess.reshape(shape))

    def call(self, inputs):
        states, characters = inputs
        scores = SHARPNESS * (self.score(states) + self.place_bias)
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
