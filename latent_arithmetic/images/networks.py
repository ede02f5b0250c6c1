"""Convolutional networks: from an image to a vector, and from a vector to an image.

Encoders and discriminators come from `build_conv_net`, decoders and generators from
`build_deconv_net`. They differ in their arguments only.

One convention holds for both: whatever is given layer by layer (channels, kernel
sizes, strides, upsampling) is listed **from the image to the smallest feature map**.
Given the same lists, the deconvolutional network is the mirror of the convolutional
one, and with channels (24, 48, 96, 192) both are widest at the smallest feature map.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import keras
from keras import layers

from latent_arithmetic.config import setting
from latent_arithmetic.images.dataset import ImageSpec
from latent_arithmetic.io import UserError, expect_one_of

NORMALIZATIONS = {
    "none": None,
    # Averages over about 10 batches: Keras's 100 lag behind in a short training.
    "batch": lambda: layers.BatchNormalization(momentum=0.9),
    "layer": layers.LayerNormalization,
    # One group: every channel of an image together, whatever the batch.
    "group": lambda: layers.GroupNormalization(groups=1),
}

UPSAMPLINGS = ("transposed", "nearest")

SMALLEST_SIDE, LARGEST_SIDE = 3, 7  # pixels of the smallest feature map


@dataclass(frozen=True)
class NetworkConfig:
    """Hyperparameters of an image model's networks."""

    channels: int = setting(
        192,
        "channels of the smallest feature map; with the fixed channel scheme, of all",
        low=1,
    )
    channel_scheme: str = setting(
        "hierarchical",
        "channels double with every layer from the image on, or are the same in all",
        choices=("hierarchical", "fixed"),
    )
    min_channels: int = setting(
        24, "fewest channels, if hierarchical; 48 for VAE on photographs", low=1
    )
    n_layers: int | None = setting(
        None,
        "convolutions of stride 2 (default: until the side is 3 to 7 pixels)",
        low=1,
    )
    kernel_size: int = setting(
        3, "of encoder and discriminator; 4 for GAN on photographs", low=1
    )
    deconv_kernel_size: int = setting(4, "kernel size of decoder and generator", low=1)
    use_pixel_doubling: bool = setting(
        True,
        "if every image consists of blocks of 2 x 2 equal pixels, the layer next to "
        "the image works on these blocks: a quarter of the operations, no blur",
    )
    activation: str = setting("leaky_relu", "name of a Keras activation")
    normalization: str = setting(
        "batch",
        "of encoder, decoder and generator; discriminators have none",
        choices=tuple(NORMALIZATIONS),
    )


def build_conv_net(
    input_shape: tuple[int, int, int],
    output_units: int,
    *,
    channels: int | Sequence[int] = 128,
    n_layers: int = 4,
    kernel_size: int | Sequence[int] = 3,
    strides: int | Sequence[int] = 2,
    activation: str = "relu",
    normalization: str = "none",
    output_activation: str | None = None,
    name: str = "conv_net",
) -> keras.Model:
    """Builds a convolutional network that maps images to vectors.

    Strided convolutions shrink the image layer by layer (with strides of 2, to half
    its side); a dense layer reads the smallest feature map.

    Args:
        input_shape: (height, width, colors) of an image.
        output_units: Length of the output vector.
        channels: Channels coming out of each layer: one number for all (*fixed*), or
            one per layer (*hierarchical*), which then also sets how many there are.
        n_layers: Number of convolutions, when `channels` is a single number.
        kernel_size: One number for all layers, or one per layer.
        strides: One number for all layers, or one per layer.
        activation: Name of a Keras activation, after every convolution.
        normalization: "batch", "layer", "group" or "none", before the activation.
        output_activation: Of the dense layer; None leaves it linear.

    Returns:
        A model from [n, height, width, colors] to [n, output_units].

    Raises:
        UserError: The arguments do not fit together.
    """
    channels = _per_layer("channels", channels, n_layers)
    kernels = _per_layer("kernel_size", kernel_size, len(channels))
    steps = _per_layer("strides", strides, len(channels))

    images = keras.Input(input_shape, name="images")
    x = images
    for filters, kernel, step in zip(channels, kernels, steps, strict=True):
        x = layers.Conv2D(filters, kernel, step, padding="same")(x)
        x = _normalize_and_activate(x, normalization, activation)
    x = layers.Flatten()(x)
    vectors = layers.Dense(output_units, output_activation, name="output")(x)
    return keras.Model(images, vectors, name=name)


def build_deconv_net(
    input_units: int,
    output_shape: tuple[int, int, int],
    *,
    channels: int | Sequence[int] = 128,
    n_layers: int = 4,
    kernel_size: int | Sequence[int] = 4,
    strides: int | Sequence[int] = 2,
    activation: str = "relu",
    normalization: str = "none",
    upsampling: str | Sequence[str] = "transposed",
    output_activation: str | None = "sigmoid",
    name: str = "deconv_net",
) -> keras.Model:
    """Builds the mirror of `build_conv_net`, which maps vectors to images.

    A dense layer makes the smallest feature map, with `channels[-1]` channels. Each
    layer then enlarges it by its stride, the last one into the colors of the image.

    Args:
        input_units: Length of the input vector (the latent dimension).
        output_shape: (height, width, colors) of an image.
        channels: Channels going *into* each layer, from the image to the smallest
            feature map: one number for all (*fixed*), or one per layer
            (*hierarchical*).
        n_layers: Number of enlarging layers, when `channels` is a single number.
        kernel_size: One number for all layers, or one per layer from the image on.
        strides: One number for all layers, or one per layer from the image on.
        activation: Name of a Keras activation, before each enlargement.
        normalization: "batch", "layer", "group" or "none", before the activation.
        upsampling: "transposed" convolution, or "nearest": repeat every pixel
            `stride` times, then convolve (with a kernel size of 1, first weigh the
            channels, then repeat, which comes to the same). One name for all layers,
            or one per layer from the image on. A transposed convolution avoids
            checkerboard artifacts if its stride divides its kernel size.
        output_activation: "sigmoid" for images in [0, 1], "tanh" for [-1, 1].

    Returns:
        A model from [n, input_units] to [n, height, width, colors].

    Raises:
        UserError: The arguments do not fit together, or the strides do not divide
            the size of the image.

    Reference:
        Odena et al., Deconvolution and Checkerboard Artifacts, 2016
        (doi:10.23915/distill.00003).
    """
    channels = _per_layer("channels", channels, n_layers)[::-1]
    kernels = _per_layer("kernel_size", kernel_size, len(channels))[::-1]
    steps = _per_layer("strides", strides, len(channels))[::-1]
    methods = _per_layer("upsampling", upsampling, len(channels))[::-1]
    height, width, colors = output_shape
    first_height = _smallest_side(height, steps)
    first_width = _smallest_side(width, steps)

    vectors = keras.Input((input_units,), name="vectors")
    x = layers.Dense(first_height * first_width * channels[0])(vectors)
    x = layers.Reshape((first_height, first_width, channels[0]))(x)
    outputs = (*channels[1:], colors)
    for filters, kernel, step, method in zip(
        outputs, kernels, steps, methods, strict=True
    ):
        x = _normalize_and_activate(x, normalization, activation)
        if method == "transposed":
            x = layers.Conv2DTranspose(filters, kernel, step, padding="same")(x)
        elif kernel == 1:
            x = layers.Dense(filters)(x)
            x = layers.UpSampling2D(step, interpolation="nearest")(x)
        else:
            x = layers.UpSampling2D(step, interpolation="nearest")(x)
            x = layers.Conv2D(filters, kernel, padding="same")(x)
    images = layers.Activation(output_activation or "linear", name="images")(x)
    return keras.Model(vectors, images, name=name)


def count_halvings(size: int) -> int:
    """How often an image's side can be halved, down to 4 or an odd number of pixels.

    Raises:
        UserError: The side left over is not one of 3 to 7 pixels.
    """
    side, count = size, 0
    while side > 4 and side % 2 == 0:
        side, count = side // 2, count + 1
    if not SMALLEST_SIDE <= side <= LARGEST_SIDE or count == 0:
        raise UserError(
            f"received images of {size} pixels; expected a size that can be halved "
            f"down to {SMALLEST_SIDE} to {LARGEST_SIDE} pixels, such as 24, 32, 48, "
            "64, 96 or 128"
        )
    return count


def hierarchical_channels(n_layers: int, widest: int, fewest: int) -> tuple[int, ...]:
    """Channels from the image to the smallest feature map: doubled by every layer up
    to `widest`, and at least `fewest`."""
    halvings = range(n_layers - 1, -1, -1)
    return tuple(max(fewest, widest // 2**n) for n in halvings)


def conv_arguments(config: NetworkConfig, spec: ImageSpec, **changes) -> dict:
    """Arguments of `build_conv_net` for images of a specification.

    All but the normalization, which not every network has; `changes` are added, or
    take the place of others.
    """
    n_layers = config.n_layers or count_halvings(spec.size)
    first_kernel = 2 if uses_doubling(config, spec) else config.kernel_size
    return {
        "input_shape": spec.shape,
        "channels": _channels(config, n_layers),
        "kernel_size": (first_kernel,) + (config.kernel_size,) * (n_layers - 1),
        "activation": config.activation,
        **changes,
    }


def deconv_arguments(
    config: NetworkConfig, spec: ImageSpec, *, palette: bool = False, **changes
) -> dict:
    """Arguments of `build_deconv_net`, as `conv_arguments` gives those of its mirror.

    Args:
        palette: Whether the network gives logits of the palette's colors, once for
            each block of pixels that share a color, in place of images.
    """
    n_layers = config.n_layers or count_halvings(spec.size)
    inner, doubled = n_layers - 1, uses_doubling(config, spec)
    kernel, upsampling, stride = config.deconv_kernel_size, "transposed", 2
    if doubled:
        kernel, upsampling = 1, "nearest"
    output = {"output_shape": spec.shape}
    if palette:
        side = spec.size // 2 if doubled else spec.size
        stride = 1 if doubled else 2
        output = {
            "output_shape": (side, side, spec.palette_size),
            "output_activation": None,
        }
    return {
        **output,
        "channels": _channels(config, n_layers),
        "kernel_size": (kernel,) + (config.deconv_kernel_size,) * inner,
        "strides": (stride,) + (2,) * inner,
        "upsampling": (upsampling,) + ("transposed",) * inner,
        "activation": config.activation,
        **changes,
    }


def uses_doubling(config: NetworkConfig, spec: ImageSpec) -> bool:
    """Whether the layer next to the image works on blocks of 2 x 2 pixels."""
    return config.use_pixel_doubling and spec.pixel_doubled


def _channels(config: NetworkConfig, n_layers: int) -> tuple[int, ...]:
    if config.channel_scheme == "fixed":
        return (config.channels,) * n_layers
    return hierarchical_channels(n_layers, config.channels, config.min_channels)


def _normalize_and_activate(x, normalization: str, activation: str):
    expect_one_of("normalization", normalization, NORMALIZATIONS)
    build_layer = NORMALIZATIONS[normalization]
    if build_layer is not None:
        x = build_layer()(x)
    return layers.Activation(activation)(x)


def _per_layer(name: str, value, n_layers: int) -> tuple:
    """One value per layer; a sequence given for `channels` sets how many there are."""
    if isinstance(value, (int, str)):
        values = (value,) * n_layers
    else:
        values = tuple(value)
        if name != "channels" and len(values) != n_layers:
            raise UserError(
                f"received {len(values)} values for {name}: {values}; "
                f"expected one, or one for each of the {n_layers} layers"
            )
    if name == "upsampling":
        accepted, wrong = " and ".join(UPSAMPLINGS), set(values) - set(UPSAMPLINGS)
    else:
        accepted, wrong = "numbers of 1 and more", [n for n in values if n < 1]
    if not values or wrong:
        raise UserError(
            f"received {name}={value!r} for {n_layers} layers; "
            f"expected at least one layer, and {accepted}"
        )
    return values


def _smallest_side(side: int, strides: Sequence[int]) -> int:
    for stride in reversed(strides):
        side, remainder = divmod(side, stride)
        if remainder or side == 0:
            raise UserError(
                f"received strides {tuple(strides)} that do not divide the image's "
                "side evenly; expected fewer layers, or a size that is a multiple of "
                "the strides' product"
            )
    return side
