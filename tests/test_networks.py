"""The two bricks: shapes for many arguments, and refusals."""

import keras
import numpy as np
import pytest

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.models.networks import build_conv_net, build_deconv_net

FORMS = [
    {},
    {"channels": 8, "n_layers": 2, "kernel_size": 5},
    {"channels": (4, 8, 16), "kernel_size": (2, 4, 3)},
    {"channels": (4, 8), "strides": (4, 1), "normalisation": "batch"},
    {"channels": 4, "n_layers": 3, "normalisation": "layer", "activation": "gelu"},
    {"channels": 4, "n_layers": 1, "normalisation": "group", "strides": 2},
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [16])
def test_shapes_down_and_up(form, size):
    form = {"channels": 8, **form} if "channels" not in form else form
    pictures = np.zeros((2, size, size, 3), "float32")
    down = build_conv_net((size, size, 3), 5, **form)
    up = build_deconv_net(5, (size, size, 3), **form)
    assert tuple(down(pictures).shape) == (2, 5)
    assert tuple(up(down(pictures)).shape) == pictures.shape


def test_fixed_and_hierarchical_channels_are_used():
    def widths(net, kind):
        return [layer.filters for layer in net.layers if type(layer).__name__ == kind]

    fixed = build_conv_net((16, 16, 3), 1, channels=6, n_layers=3)
    assert widths(fixed, "Conv2D") == [6, 6, 6]
    growing = build_conv_net((16, 16, 3), 1, channels=(2, 4))
    assert widths(growing, "Conv2D") == [2, 4]
    shrinking = build_deconv_net(3, (16, 16, 3), channels=(8, 4))
    assert widths(shrinking, "Conv2DTranspose") == [4, 3]


def test_a_last_repeated_pixel_makes_doubled_pictures():
    net = build_deconv_net(
        3,
        (16, 16, 3),
        channels=(8, 4),
        kernel_size=(4, 1),
        upsampling=("transposed", "nearest"),
    )
    vectors = np.random.default_rng(0).normal(size=(2, 3))
    made = np.asarray(net(vectors))
    np.testing.assert_array_equal(made[:, ::2, ::2], made[:, 1::2, 1::2])
    assert made.std() > 0
    # As if the pixels had been repeated first and then convolved.
    *_, weigh, repeat, _ = net.layers
    features = keras.Model(net.input, repeat(weigh.input))(vectors)
    convolved = keras.ops.conv(features, weigh.kernel[None, None]) + weigh.bias
    np.testing.assert_allclose(made, keras.ops.sigmoid(convolved), rtol=1e-5)


def test_output_activations():
    noise = np.random.default_rng(0).normal(size=(8, 3)) * 50
    for activation, low, high in (("sigmoid", 0, 1), ("tanh", -1, 1)):
        net = build_deconv_net(
            3, (8, 8, 3), channels=(4,), output_activation=activation
        )
        made = np.asarray(net(noise))
        assert low <= made.min() and made.max() <= high
    logits = build_conv_net((8, 8, 3), 1, channels=(4,), output_activation="sigmoid")
    assert 0 <= np.asarray(logits(np.ones((1, 8, 8, 3)))).item() <= 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"channels": ()}, "at least one layer"),
        ({"channels": (4, 0)}, "1 and more"),
        ({"channels": (4, 4), "kernel_size": (3,)}, "each of the 2 layers"),
        ({"channels": (4, 4), "normalisation": "instance"}, "batch, layer, group"),
    ],
)
def test_wrong_arguments_are_one_clear_error(wrong, said):
    with pytest.raises(UserError, match=said):
        build_conv_net((16, 16, 3), 1, **wrong)
    with pytest.raises(UserError, match=said):
        build_deconv_net(2, (16, 16, 3), **wrong)


def test_strides_must_divide_the_size():
    with pytest.raises(UserError, match="do not divide"):
        build_deconv_net(2, (20, 20, 3), channels=(4, 4, 4))
    with pytest.raises(UserError, match="transposed and nearest"):
        build_deconv_net(2, (16, 16, 3), channels=(4,), upsampling="bilinear")
