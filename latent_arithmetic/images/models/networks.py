"""The two bricks of every picture model: a convolutional net down, and one up.

The encoder of the autoencoders and the discriminator of the GAN come from
``build_conv_net``; the decoders and the generator come from ``build_deconv_net``.
They differ only in the arguments.
"""

from collections.abc import Sequence

import keras
from keras import layers

from latent_arithmetic.errors import UserError

NORMALISATIONS = {
    # Averages over about 10 batches: Keras's 100 lag behind in a short training.
    "batch": lambda: layers.BatchNormalization(momentum=0.9),
    "layer": layers.LayerNormalization,
    # One group: every channel of a picture together, whatever the batch.
    "group": lambda: layers.GroupNormalization(groups=1),
}

UPSAMPLINGS = ("transposed", "nearest")


def build_conv_net(
    input_shape: tuple[int, int, int],
    output_units: int,
    *,
    channels: int | Sequence[int] = 128,
    n_layers: int = 4,
    kernel_size: int | Sequence[int] = 3,
    strides: int | Sequence[int] = 2,
    activation: str = "relu",
    normalisation: str | None = None,
    output_activation: str | None = None,
    name: str = "conv_net",
) -> keras.Model:
    """Pictures [n, height, width, colours] -> vectors [n, output_units].

    Strided convolutions halve the picture (for stride 2) layer by layer; a dense
    layer reads the last, smallest feature map.

    Args:
        input_shape: (height, width, colours) of a picture.
        output_units: length of the vector that comes out.
        channels: one number for every layer (*fixed*), or one number per layer
            (*hierarchical*), which then also says how many layers there are.
        n_layers: number of convolutions, when ``channels`` is a single number.
        kernel_size, strides: one number for every layer, or one per layer.
        activation: any name of a Keras activation, after every convolution.
        normalisation: "batch", "layer", "group" or None, before the activation.
        output_activation: of the dense layer; None leaves it linear.

    Raises:
        UserError: the arguments do not fit together.
    """
    channels = _per_layer("channels", channels, n_layers)
    kernels = _per_layer("kernel_size", kernel_size, len(channels))
    steps = _per_layer("strides", strides, len(channels))

    pictures = keras.Input(input_shape, name="pictures")
    x = pictures
    for width, kernel, step in zip(channels, kernels, steps, strict=True):
        x = layers.Conv2D(width, kernel, step, padding="same", use_bias=True)(x)
        x = _normalise_and_activate(x, normalisation, activation)
    x = layers.Flatten()(x)
    vectors = layers.Dense(output_units, output_activation, name="output")(x)
    return keras.Model(pictures, vectors, name=name)


def build_deconv_net(
    input_units: int,
    output_shape: tuple[int, int, int],
    *,
    channels: int | Sequence[int] = 128,
    n_layers: int = 4,
    kernel_size: int | Sequence[int] = 4,
    strides: int | Sequence[int] = 2,
    activation: str = "relu",
    normalisation: str | None = None,
    upsampling: str | Sequence[str] = "transposed",
    output_activation: str | None = "sigmoid",
    name: str = "deconv_net",
) -> keras.Model:
    """Vectors [n, input_units] -> pictures [n, height, width, colours].

    The mirror of ``build_conv_net``: a dense layer makes the smallest feature map,
    with ``channels[0]`` channels; each layer then enlarges it by its stride, the last
    one into the colours.

    Args:
        input_units: length of the vector (the latent dimension).
        output_shape: (height, width, colours) of a picture.
        channels: channels *going into* each layer: one number for all (*fixed*), or
            one per layer (*hierarchical*).
        n_layers: number of enlarging layers, when ``channels`` is a single number.
        kernel_size, strides: one number for every layer, or one per layer.
        upsampling: "transposed" convolution, or "nearest": repeat every pixel
            ``stride`` times, then convolve (with a kernel of 1 first weigh the
            channels, then repeat, which comes to the same); one name for every layer,
            or one per layer. A transposed convolution avoids checkerboard patterns if
            its kernel is a multiple of its stride (Odena et al. 2016,
            doi:10.23915/distill.00003).
        activation: any name of a Keras activation, before each enlargement.
        normalisation: "batch", "layer", "group" or None, before the activation.
        output_activation: "sigmoid" for pictures in [0, 1], "tanh" for [-1, 1].

    Raises:
        UserError: the arguments do not fit together, or the strides do not divide
            the size of the picture.
    """
    channels = _per_layer("channels", channels, n_layers)
    kernels = _per_layer("kernel_size", kernel_size, len(channels))
    steps = _per_layer("strides", strides, len(channels))
    ways = _per_layer("upsampling", upsampling, len(channels))
    height, width, colours = output_shape
    first_height = _smallest_side(height, steps)
    first_width = _smallest_side(width, steps)

    vectors = keras.Input((input_units,), name="vectors")
    x = layers.Dense(first_height * first_width * channels[0])(vectors)
    x = layers.Reshape((first_height, first_width, channels[0]))(x)
    outputs = (*channels[1:], colours)
    for filters, kernel, step, way in zip(outputs, kernels, steps, ways, strict=True):
        x = _normalise_and_activate(x, normalisation, activation)
        if way == "transposed":
            x = layers.Conv2DTranspose(filters, kernel, step, padding="same")(x)
        elif kernel == 1:
            x = layers.Dense(filters)(x)
            x = layers.UpSampling2D(step, interpolation="nearest")(x)
        else:
            x = layers.UpSampling2D(step, interpolation="nearest")(x)
            x = layers.Conv2D(filters, kernel, padding="same")(x)
    pictures = layers.Activation(output_activation or "linear", name="pictures")(x)
    return keras.Model(vectors, pictures, name=name)


def _normalise_and_activate(x, normalisation: str | None, activation: str):
    if normalisation is not None:
        if normalisation not in NORMALISATIONS:
            raise UserError(
                f"received normalisation={normalisation!r}. "
                f"expected None or one of {', '.join(NORMALISATIONS)}."
            )
        x = NORMALISATIONS[normalisation]()(x)
    return layers.Activation(activation)(x)


def _per_layer(name: str, value, n_layers: int) -> tuple:
    """One value for every layer; a sequence given for ``channels`` sets the number."""
    if isinstance(value, (int, str)):
        values = (value,) * n_layers
    else:
        values = tuple(value)
        if name != "channels" and len(values) != n_layers:
            raise UserError(
                f"received {len(values)} values for {name}: {values}. "
                f"expected one number, or one for each of the {n_layers} layers."
            )
    if name == "upsampling":
        accepted, wrong = " and ".join(UPSAMPLINGS), set(values) - set(UPSAMPLINGS)
    else:
        accepted, wrong = "numbers of 1 and more", [n for n in values if n < 1]
    if not values or wrong:
        raise UserError(
            f"received {name}={value!r} for {n_layers} layers. "
            f"expected at least one layer, and {accepted}."
        )
    return values


def _smallest_side(side: int, strides: Sequence[int]) -> int:
    for stride in reversed(strides):
        side, rest = divmod(side, stride)
        if rest or side == 0:
            raise UserError(
                f"strides {tuple(strides)} do not divide the picture's side evenly. "
                "Choose fewer layers, or a size that is a multiple of their product."
            )
    return side
