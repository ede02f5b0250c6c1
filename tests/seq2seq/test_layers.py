"""Layers and networks of Task 2: shapes, stacks of LSTM layers, orders of writing."""

import keras
import numpy as np
import pytest

from latent_arithmetic.seq2seq.layers import (
    CNNS,
    STYLE_DIM,
    Stack,
    build_encoder_decoder,
    build_glyph_cnn,
    build_glyph_decoder,
    build_style_encoder,
    encode_to_context,
)
from latent_arithmetic.seq2seq.queries import (
    QueryFormat,
    encode_queries,
    one_hot,
    parse_queries,
)

TWO_DIGITS = QueryFormat(2)


def characters(texts):
    return one_hot(encode_queries(parse_queries(texts)))


@pytest.mark.parametrize("numbers", [(1, 1), (2, 1), (1, 2)])
def test_encoder_decoder_shapes(numbers):
    stacks = [Stack(number, residual=True) for number in numbers]
    model = build_encoder_decoder(QueryFormat(3), *stacks)
    assert model.input_shape == (None, 7, 13)
    assert model.output_shape == (None, 4, 13)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Bidirectional") == numbers[0]
    assert kinds.count("LSTM") == numbers[1]
    assert kinds.count("Add") == sum(numbers) - 2


def silenced(stack, layers):
    """A stack of LSTM layers on one sequence; all but `layers` give zeros."""
    inputs = keras.Input((4, 13))
    model = keras.Model(inputs, stack(inputs))
    rnns = [each for each in model.layers if isinstance(each, keras.layers.LSTM)]
    for rnn in rnns[layers:]:
        rnn.set_weights([np.zeros_like(weight) for weight in rnn.get_weights()])
    sequence = np.random.default_rng(0).standard_normal((1, 4, 13)).astype("float32")
    return np.array(model(sequence)), np.array(rnns[0](sequence))


def test_a_residual_connection_goes_around_every_layer_but_the_first():
    plain, first = silenced(Stack(3), 1)
    assert np.abs(first).max() > 0 and np.abs(plain).max() == 0
    residual, first = silenced(Stack(3, residual=True), 1)
    assert np.allclose(residual, first, atol=1e-6)
    nothing, _ = silenced(Stack(1, residual=True), 0)
    assert np.abs(nothing).max() == 0


def test_layer_normalization_gives_states_mean_0_and_deviation_1():
    keras.utils.set_random_seed(0)
    states, first = silenced(Stack(1, layer_normalization=True), 1)
    mean, variance = first.mean(-1, keepdims=True), first.var(-1, keepdims=True)
    epsilon = keras.layers.LayerNormalization().epsilon
    expected = (first - mean) / np.sqrt(variance + epsilon)
    assert np.allclose(states, expected, atol=1e-3)
    assert np.abs(states).max() > 0.5


def test_the_context_vector_is_where_both_directions_end():
    inputs = keras.Input((5, 13))
    model = keras.Model(inputs, encode_to_context(inputs, Stack(1)))
    sequence = np.random.default_rng(0).standard_normal((2, 5, 13)).astype("float32")
    (rnn,) = (x for x in model.layers if isinstance(x, keras.layers.Bidirectional))
    forward = rnn.forward_layer(sequence)[:, -1]
    backward = rnn.backward_layer(sequence)[:, -1]  # it reads, and ends, backwards
    expected = np.concatenate([np.array(forward), np.array(backward)], axis=1)
    assert np.allclose(np.array(model(sequence)), expected, atol=1e-5)


def test_writing_left_to_right_is_the_same_network_not_reversed():
    answers = []
    for units_first in (True, False):
        keras.utils.set_random_seed(0)
        model = build_encoder_decoder(TWO_DIGITS, units_first=units_first)
        answers.append(np.array(model(characters(["81+24"]))))
    assert np.allclose(answers[0], answers[1][:, ::-1], atol=1e-6)


@pytest.mark.parametrize("cnn", CNNS)
def test_glyph_cnn_shapes(cnn):
    model = build_glyph_cnn(14, cnn)
    assert (model.input_shape, model.output_shape) == ((None, 28, 28, 1), (None, 14))
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Conv2D") == len(CNNS[cnn])


def test_style_encoder_and_glyph_decoder_fit_together():
    encoder, decoder = build_style_encoder(), build_glyph_decoder()
    assert encoder.output_shape == [(None, STYLE_DIM)] * 2
    assert decoder.input_shape == [(None, 13), (None, STYLE_DIM)]
    assert decoder.output_shape == (None, 28, 28, 1)


def test_initial_weights_depend_on_the_seed_alone():
    weights = []
    for seed in (3, 3, 4):
        keras.utils.set_random_seed(seed)
        weights.append(build_encoder_decoder(TWO_DIGITS).get_weights()[0])
    assert (weights[0] == weights[1]).all() and (weights[0] != weights[2]).any()
