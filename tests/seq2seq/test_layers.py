"""Layers and networks of Task 2: shapes, the built-in alignment, joined digits."""

import keras
import numpy as np
import pytest

from latent_arithmetic.seq2seq.layers import (
    DIGIT_DIM,
    SMALL_CNN,
    STYLE_DIM,
    WIDE_CNN,
    AlignedAttention,
    JoinDigits,
    build_encoder_decoder,
    build_glyph_cnn,
    build_glyph_decoder,
    build_style_encoder,
    character_kinds,
)
from latent_arithmetic.seq2seq.queries import (
    ALPHABET,
    QueryFormat,
    encode_queries,
    one_hot,
    parse_queries,
)

TWO_DIGITS = QueryFormat(2)


def characters(texts):
    return one_hot(encode_queries(parse_queries(texts)))


@pytest.mark.parametrize("layers", [(1, 1), (2, 1), (1, 2)])
def test_encoder_decoder_shapes(layers):
    model = build_encoder_decoder(QueryFormat(3), *layers)
    assert model.input_shape == (None, 7, 13)
    assert model.output_shape == (None, 4, 13)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Bidirectional") == layers[0]
    assert kinds.count("LSTM") == layers[1]


@pytest.mark.parametrize("convolutions", [SMALL_CNN, WIDE_CNN])
def test_glyph_cnn_shapes(convolutions):
    model = build_glyph_cnn(14, convolutions)
    assert (model.input_shape, model.output_shape) == ((None, 28, 28, 1), (None, 14))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2D") == len(convolutions) == 4


def test_style_encoder_and_glyph_decoder_fit_together():
    encoder, decoder = build_style_encoder(), build_glyph_decoder()
    assert encoder.output_shape == [(None, STYLE_DIM)] * 2
    assert decoder.input_shape == [(None, 13), (None, STYLE_DIM)]
    assert decoder.output_shape == (None, 28, 28, 1)


def test_attention_starts_where_numbers_are_written():
    """Before training, the strongest part of every column is the right character."""
    text = characters(["81+24", "81+5", "7-30"])
    states = np.zeros((3, 5, 6), "float32")
    columns = np.array(
        AlignedAttention(TWO_DIGITS)([states, text @ character_kinds(), text])
    )
    assert columns.shape == (3, 3, 3, len(ALPHABET))
    assert np.allclose(columns.sum(axis=-1), 1, atol=1e-6)
    found = columns.argmax(axis=-1)
    read = [["".join(ALPHABET[code] for code in part) for part in row] for row in found]
    assert read[0] == ["14+", "82+", "+++"]
    assert read[1] == ["15+", "8++", "+++"]
    assert read[2][0] == "70-" and read[2][1][1:] == "3-"


@pytest.mark.parametrize(("logit", "weight"), [(4.0, 0.93), (0.0, 0.2)])
def test_how_much_of_the_alignment_is_given(logit, weight):
    """93% of the attention's weight with the default; nothing is aligned with 0."""
    layer = AlignedAttention(TWO_DIGITS, logit)
    text = characters(["81+24", "19-60"])
    states = np.zeros((2, 5, 6), "float32")
    layer([states, text @ character_kinds(), text])
    weights = np.array(layer.attention_weights(states, text @ character_kinds()))
    assert weights.shape == (2, 5, 9)
    assert np.allclose(weights.max(axis=1), weight, atol=2e-3)


def test_digits_are_joined_by_the_matrix_of_the_sign():
    layer = JoinDigits()
    column = one_hot(np.array([[[7, 2, ALPHABET.index("-")]]]))
    joined = np.array(layer(column))[0, 0]
    digits, signs = np.array(layer.digits), np.array(layer.signs)
    expected = digits[7] + digits[2] @ signs[ALPHABET.index("-")]
    assert np.allclose(joined[:DIGIT_DIM], expected, atol=1e-6)
    assert joined[DIGIT_DIM:].argmax() == ALPHABET.index("-")


def test_kinds_tell_digits_signs_and_blanks_apart():
    assert character_kinds().argmax(axis=1).tolist() == [0] * 10 + [1, 1, 2]


def test_initial_weights_depend_on_the_seed_alone():
    weights = []
    for seed in (3, 3, 4):
        keras.utils.set_random_seed(seed)
        weights.append(build_encoder_decoder(TWO_DIGITS).get_weights()[0])
    assert (weights[0] == weights[1]).all() and (weights[0] != weights[2]).any()
