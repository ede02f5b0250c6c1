"""How a decoder's output is compared with a picture: the reconstruction term of an
ELBO, a negative log-likelihood in nats.

Both kinds are layers, so that what belongs to them (a spread, a palette) is saved
with the model.
"""

from math import pi

import keras
import numpy as np
from keras import ops

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.data.palette import as_numbers
from latent_arithmetic.images.models.autoencoder import squared_error

COURSE_SIGMA = 0.5**0.5  # makes the reconstruction term the plain squared error
SMALLEST_SIGMA = 0.5 / 255  # of a pixel in [0, 1]: half a step of the 8 bits
MEMORY = 0.99  # of the spread's running average, a step


class GaussianLikelihood(keras.layers.Layer):
    """Every pixel value is normal around that of the decoder's picture in [0, 1].

    sigma: standard deviation. A smaller one weighs errors more against the KL;
        ``COURSE_SIGMA`` gives the course's loss. None takes the best for each batch in
        training, the root of its mean squared error (Rybkin et al. 2021,
        arXiv:2006.13202), and the running average of these afterwards.
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

    def negative_log(self, x, y, decoded, training: bool = True):
        """Nats of each picture in ``x``, summed over pixels and colours: [n].

        y is not used.
        """
        n_values = x.shape[1] * x.shape[2] * x.shape[3]
        errors = squared_error(x, decoded)
        variance = self.variance.value
        if self.sigma is None and training:
            # At the optimum the likelihood does not change with the variance, so
            # the variance may be a constant for the gradient.
            best = ops.stop_gradient(ops.mean(errors)) / n_values
            variance = ops.maximum(best, SMALLEST_SIGMA**2)
            self.variance.assign(MEMORY * self.variance + (1 - MEMORY) * variance)
        return 0.5 * (n_values * ops.log(2 * pi * variance) + errors / variance)

    def pictures(self, decoded):
        """The most likely pictures, in [0, 1]."""
        return decoded


class PaletteLikelihood(keras.layers.Layer):
    """Every pixel is one of a few colours, and the decoder gives each its logit.

    For pixel art: what is drawn is sharp and uses the palette's colours by
    construction, and a rare colour costs no more than a common one.

    n_colours: colours in the palette, which ``set_palette`` fills in.
    block: side, in pixels of a picture, of the squares that share a colour.
    """

    def __init__(self, n_colours: int, block: int = 1):
        super().__init__(name="palette_likelihood")
        self.block = block
        self.palette = self.add_weight(
            shape=(n_colours, 3), initializer="zeros", trainable=False, name="palette"
        )

    def set_palette(self, palette) -> None:
        """The colours, uint8 [n_colours, 3]."""
        self.palette.assign(ops.cast(palette, "float32") / 255)

    def numbers(self, images):
        """The colour of every block of uint8 pictures: uint8 [n, height, width]."""
        palette = np.round(255 * ops.convert_to_numpy(self.palette)).astype(np.uint8)
        return as_numbers(images[:, :: self.block, :: self.block], palette)

    def negative_log(self, x, y, decoded, training: bool = True):
        """Nats of each picture, summed over its blocks: [n].

        y: the colour of every block, integers [n, height, width].
        decoded: logits [n, height, width, n_colours].
        """
        return ops.sum(nats_of_choices(decoded, y), axis=(1, 2))

    def pictures(self, decoded):
        """The most likely colour of every block, as pictures in [0, 1]."""
        colours = ops.take(self.palette.value, ops.argmax(decoded, axis=-1), axis=0)
        return ops.repeat(ops.repeat(colours, self.block, axis=1), self.block, axis=2)


def nats_of_choices(logits, chosen):
    """-log softmax(logits)[chosen]: [...].

    It is Keras's sparse categorical cross-entropy with its gradient, softmax minus
    one-hot, written out: with hundreds of colours at every pixel that takes less time.

    logits: [..., n_choices]. chosen: integers [...].
    """
    chosen = ops.cast(chosen, "int32")

    @ops.custom_gradient
    def choose(logits):
        shares = ops.softmax(logits)
        logit = ops.take_along_axis(logits, chosen[..., None], axis=-1)[..., 0]
        # The largest share never underflows, as that of the chosen may.
        log_sum = ops.max(logits, axis=-1) - ops.log(ops.max(shares, axis=-1))

        def gradient(*arguments, upstream=None):
            slope = arguments[0] if upstream is None else upstream
            one_hot = ops.one_hot(chosen, logits.shape[-1], dtype=logits.dtype)
            return (shares - one_hot) * slope[..., None]

        return log_sum - logit, gradient

    return choose(logits)
