"""Small networks and images for the tests of the image models."""

import numpy as np
from keras import ops

from latent_arithmetic.images.networks import build_conv_net, build_deconv_net

SIDE, LATENT_DIM = 8, 3
SMALL = {"channels": (4, 6), "activation": "leaky_relu"}


def random_images(n=8, low=0.0):
    """Float images in [low, 1]."""
    values = np.random.default_rng(0).uniform(low, 1, (n, SIDE, SIDE, 3))
    return values.astype("float32")


def small_conv_net(output_units, **arguments):
    return build_conv_net((SIDE, SIDE, 3), output_units, **SMALL, **arguments)


def small_deconv_net(input_units=LATENT_DIM, **arguments):
    return build_deconv_net(input_units, (SIDE, SIDE, 3), **SMALL, **arguments)


def copy_weights(weights):
    """NumPy copies of weights, which later training leaves alone."""
    return [np.array(ops.convert_to_numpy(weight)) for weight in weights]


def changed(before, weights):
    """Whether each weight differs from its earlier copy."""
    pairs = zip(before, copy_weights(weights), strict=True)
    return [bool(np.any(old != new)) for old, new in pairs]


def train_losses(model, x, steps=16):
    """The losses and metrics of training steps on one batch, one dict a step."""
    return [model.train_on_batch(x, return_dict=True) for _ in range(steps)]
