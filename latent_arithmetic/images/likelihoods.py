"""Likelihoods of images given a decoder's output: the reconstruction term of an
evidence lower bound (ELBO), as a negative log-likelihood in nats.

Both are Keras layers, so that their state (a variance, a palette) is saved with the
model.
"""

from math import pi

import keras
import numpy as np
from keras import ops

from latent_arithmetic.images.autoencoder import squared_error
from latent_arithmetic.images.dataset import palette_indices
from latent_arithmetic.io import UserError

BASELINE_SIGMA = 0.5**0.5  # makes the reconstruction term the plain squared error
MIN_SIGMA = 0.5 / 255  # of a value in [0, 1]: half a step of 8 bits
MOMENTUM = 0.99  # of the running average of the variance, per step


class GaussianLikelihood(keras.layers.Layer):
    """Every pixel value is normally distributed around the decoder's, in [0, 1].

    Args:
        sigma: Standard deviation; a smaller one weighs errors more against the KL
            divergence. None takes the optimal one of each batch in training (the root
            of its mean squared error) and the running average of these afterwards.

    Reference:
        Rybkin et al., Simple and Effective VAE Training with Calibrated Decoders,
        2021 (arXiv:2006.13202).
    """

    def __init__(self, sigma: float | None = None):
        super().__init__(name="gaussian_likelihood")
        if sigma is not None and not sigma > 0:
            raise UserError(
                f"received sigma {sigma}; expected a number above 0, or None"
            )
        self.sigma = sigma
        self.variance = self.add_weight(
            shape=(),
            initializer=keras.initializers.Constant((sigma or 1.0) ** 2),
            trainable=False,
            name="variance",
        )

    def negative_log_likelihood(self, x, y, decoded, training: bool = True):
        """Nats of each image, summed over pixels and colors.

        Args:
            x: Images in [0, 1].
            y: Not used.
            decoded: The decoder's images in [0, 1].

        Returns:
            A tensor [n].
        """
        n_values = x.shape[1] * x.shape[2] * x.shape[3]
        errors = squared_error(x, decoded)
        variance = self.variance.value
        if self.sigma is None and training:
            # At the optimum the likelihood does not change with the variance, so
            # the variance may be a constant for the gradient.
            optimum = ops.stop_gradient(ops.mean(errors)) / n_values
            variance = ops.maximum(optimum, MIN_SIGMA**2)
            average = MOMENTUM * self.variance + (1 - MOMENTUM) * variance
            self.variance.assign(average)
        return 0.5 * (n_values * ops.log(2 * pi * variance) + errors / variance)

    def most_likely_images(self, decoded):
        """The mode of the likelihood: images in [0, 1]."""
        return decoded


class PaletteLikelihood(keras.layers.Layer):
    """A categorical distribution over the colors of a palette at every pixel.

    For pixel art: decoded images are sharp and use the palette's colors only, and a
    rare color costs no more than a common one.

    Args:
        palette_size: Number of colors, which `set_palette` fills in.
        block_size: Side, in pixels, of the squares that share a color.
    """

    def __init__(self, palette_size: int, block_size: int = 1):
        super().__init__(name="palette_likelihood")
        self.block_size = block_size
        self.palette = self.add_weight(
            shape=(palette_size, 3),
            initializer="zeros",
            trainable=False,
            name="palette",
        )

    def set_palette(self, palette: np.ndarray) -> None:
        """Sets the colors, uint8 [palette_size, 3]."""
        self.palette.assign(ops.cast(palette, "float32") / 255)

    def indices(self, images: np.ndarray) -> np.ndarray:
        """Palette index of every block of uint8 images: uint8 [n, height, width]."""
        palette = np.round(255 * ops.convert_to_numpy(self.palette)).astype(np.uint8)
        step = self.block_size
        return palette_indices(images[:, ::step, ::step], palette)

    def negative_log_likelihood(self, x, y, decoded, training: bool = True):
        """Nats of each image, summed over its blocks.

        Args:
            x: Not used.
            y: Palette index of every block, integers [n, height, width].
            decoded: The decoder's logits [n, height, width, palette_size].

        Returns:
            A tensor [n].
        """
        return ops.sum(categorical_cross_entropy(decoded, y), axis=(1, 2))

    def most_likely_images(self, decoded):
        """The most likely color of every block, as images in [0, 1]."""
        colors = ops.take(self.palette.value, ops.argmax(decoded, axis=-1), axis=0)
        rows = ops.repeat(colors, self.block_size, axis=1)
        return ops.repeat(rows, self.block_size, axis=2)


def categorical_cross_entropy(logits, targets):
    """Softmax cross-entropy in nats: -log softmax(logits)[targets].

    The same as Keras's sparse categorical cross-entropy, with its gradient (softmax
    minus one-hot) written out: with hundreds of classes at every pixel that is faster.

    Args:
        logits: [..., n_classes].
        targets: Integers [...].

    Returns:
        A tensor [...].
    """
    targets = ops.cast(targets, "int32")

    @ops.custom_gradient
    def cross_entropy(logits):
        probabilities = ops.softmax(logits)
        chosen = ops.take_along_axis(logits, targets[..., None], axis=-1)[..., 0]
        # The largest probability never underflows, as that of the target may.
        largest = ops.max(probabilities, axis=-1)
        log_sum = ops.max(logits, axis=-1) - ops.log(largest)

        def gradient(*arguments, upstream=None):
            upstream = arguments[0] if upstream is None else upstream
            one_hot = ops.one_hot(targets, logits.shape[-1], dtype=logits.dtype)
            return (probabilities - one_hot) * upstream[..., None]

        return log_sum - chosen, gradient

    return cross_entropy(logits)
