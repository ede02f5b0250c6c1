"""Convolutional networks: shapes for many arguments, mirrored order, refusals."""

import keras
import numpy as np
import pytest

from latent_arithmetic.images.dataset import ImageSpec
from latent_arithmetic.images.networks import (
    NetworkConfig,
    build_conv_net,
    build_deconv_net,
    conv_arguments,
    count_halvings,
    deconv_arguments,
    hierarchical_channels,
)
from latent_arithmetic.io import UserError

ARGUMENTS = [
    {"channels": 8},
    {"channels": 8, "n_layers": 2, "kernel_size": 5},
    {"channels": (4, 8, 16), "kernel_size": (2, 4, 3)},
    {"channels": (4, 8), "strides": (4, 1), "normalization": "batch"},
    {"channels": 4, "n_layers": 3, "normalization": "layer", "activation": "gelu"},
    {"channels": 4, "n_layers": 1, "normalization": "group", "strides": 2},
]


def layers_of(network, kind):
    return [layer for layer in network.layers if type(layer).__name__ == kind]


@pytest.mark.parametrize("arguments", ARGUMENTS)
def test_shapes(arguments):
    images = np.zeros((2, 16, 16, 3), "float32")
    encoder = build_conv_net((16, 16, 3), 5, **arguments)
    decoder = build_deconv_net(5, (16, 16, 3), **arguments)
    assert tuple(encoder(images).shape) == (2, 5)
    assert tuple(decoder(encoder(images)).shape) == images.shape


def test_fixed_and_hierarchical_channels():
    def filters(network, kind):
        return [layer.filters for layer in layers_of(network, kind)]

    fixed = build_conv_net((16, 16, 3), 1, channels=6, n_layers=3)
    assert filters(fixed, "Conv2D") == [6, 6, 6]
    growing = build_conv_net((16, 16, 3), 1, channels=(2, 4))
    assert filters(growing, "Conv2D") == [2, 4]
    assert hierarchical_channels(4, 192, 24) == (24, 48, 96, 192)
    assert hierarchical_channels(3, 64, 48) == (48, 48, 64)


def test_a_deconv_net_mirrors_the_conv_net_of_the_same_arguments():
    arguments = {
        "channels": (24, 48, 96, 192),
        "kernel_size": (2, 3, 4, 5),
        "strides": (1, 2, 2, 2),
    }
    encoder = build_conv_net((32, 32, 3), 7, **arguments)
    decoder = build_deconv_net(7, (32, 32, 3), **arguments)
    convolutions = layers_of(encoder, "Conv2D")
    transposed = layers_of(decoder, "Conv2DTranspose")[::-1]
    for down, up in zip(convolutions, transposed, strict=True):
        assert tuple(down.kernel_size) == tuple(up.kernel_size)
        assert tuple(down.strides) == tuple(up.strides)
        assert down.output.shape == up.input.shape
        assert down.input.shape == up.output.shape
    (smallest,) = layers_of(decoder, "Reshape")
    assert smallest.output.shape == (None, 4, 4, 192)


def test_nearest_upsampling_next_to_the_image_makes_pixel_doubled_images():
    network = build_deconv_net(
        3,
        (16, 16, 3),
        channels=(4, 8),
        kernel_size=(1, 4),
        upsampling=("nearest", "transposed"),
    )
    vectors = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
    images = keras.ops.convert_to_numpy(network(vectors))
    np.testing.assert_array_equal(images[:, ::2, ::2], images[:, 1::2, 1::2])
    assert images.std() > 0
    # As if the pixels had been repeated first and then convolved.
    *_, dense, repeat, _ = network.layers
    features = keras.Model(network.input, repeat(dense.input))(vectors)
    convolved = keras.ops.conv(features, dense.kernel[None, None]) + dense.bias
    expected = keras.ops.convert_to_numpy(keras.ops.sigmoid(convolved))
    np.testing.assert_allclose(images, expected, rtol=1e-5)


def test_output_activations():
    noise = 50 * np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
    for activation, low, high in (("sigmoid", 0, 1), ("tanh", -1, 1)):
        network = build_deconv_net(
            3, (8, 8, 3), channels=(4,), output_activation=activation
        )
        images = keras.ops.convert_to_numpy(network(noise))
        assert low <= images.min() and images.max() <= high
    network = build_conv_net((8, 8, 3), 1, channels=(4,), output_activation="sigmoid")
    assert 0 <= float(network(np.ones((1, 8, 8, 3)))[0, 0]) <= 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"channels": ()}, "at least one layer"),
        ({"channels": (4, 0)}, "1 and more"),
        ({"channels": (4, 4), "kernel_size": (3,)}, "each of the 2 layers"),
        ({"channels": (4, 4), "normalization": "instance"}, "batch, layer, group"),
    ],
)
def test_wrong_arguments_are_one_clear_error(wrong, message):
    with pytest.raises(UserError, match=message):
        build_conv_net((16, 16, 3), 1, **wrong)
    with pytest.raises(UserError, match=message):
        build_deconv_net(2, (16, 16, 3), **wrong)


def test_strides_must_divide_the_size():
    with pytest.raises(UserError, match="do not divide"):
        build_deconv_net(2, (20, 20, 3), channels=(4, 4, 4))
    with pytest.raises(UserError, match="transposed and nearest"):
        build_deconv_net(2, (16, 16, 3), channels=(4,), upsampling="bilinear")


@pytest.mark.parametrize(("size", "expected"), [(24, 3), (64, 4), (128, 5), (56, 3)])
def test_the_side_is_halved_to_between_3_and_7_pixels(size, expected):
    assert count_halvings(size) == expected


@pytest.mark.parametrize("size", [5, 50, 72])
def test_sizes_that_cannot_be_halved_far_enough_are_refused(size):
    with pytest.raises(UserError, match="halved"):
        count_halvings(size)


def test_arguments_for_pixel_doubled_images_and_for_photographs():
    config = NetworkConfig(channels=64, kernel_size=5)
    photographs, pixel_art = ImageSpec(32, False), ImageSpec(32, True, 7)
    assert conv_arguments(config, photographs)["kernel_size"] == (5, 5, 5)
    assert conv_arguments(config, pixel_art)["kernel_size"] == (2, 5, 5)
    assert deconv_arguments(config, photographs)["kernel_size"] == (4, 4, 4)
    assert deconv_arguments(config, pixel_art)["kernel_size"] == (1, 4, 4)
    logits = deconv_arguments(config, pixel_art, palette=True)
    assert logits["output_shape"] == (16, 16, 7)
    assert logits["strides"] == (1, 2, 2)
    plain = NetworkConfig(64, "fixed", n_layers=2, use_pixel_doubling=False)
    assert conv_arguments(plain, pixel_art)["kernel_size"] == (3, 3)
    assert conv_arguments(plain, pixel_art)["channels"] == (64, 64)
