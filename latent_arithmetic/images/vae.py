"""A variational autoencoder (Kingma and Welling 2014, arXiv:1312.6114)."""

from math import pi

import keras
from keras import ops, random

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.autoencoder import squared_error

COURSE_SIGMA = 0.5**0.5  # makes the reconstruction term the plain squared error
SMALLEST_SIGMA = 0.5 / 255  # of a pixel in [0, 1]: half a step of the 8 bits


def kl_divergence(mean, log_variance):
    """KL(N(mean, variance) || N(0, 1)), summed over the latents: [n]."""
    terms = ops.exp(log_variance) + ops.square(mean) - 1 - log_variance
    return 0.5 * ops.sum(terms, axis=-1)


def gaussian_error(x, reconstruction, sigma: float | None = None):
    """Negative log-likelihood in nats of pictures under N(reconstruction, sigma^2):
    a sum over pixels, as an ELBO asks for, and a mean over the batch.

    sigma: standard deviation of a pixel in [0, 1]. A smaller one weighs errors more
        against the KL. None takes the best for the batch, the root of the mean
        squared error (Rybkin et al. 2021, arXiv:2006.13202).
    """
    n_values = x.shape[1] * x.shape[2] * x.shape[3]
    mean_square = ops.mean(squared_error(x, reconstruction)) / n_values
    if sigma is None:
        # At the optimum the likelihood does not change with the variance, so the
        # variance may be a constant for the gradient.
        variance = ops.maximum(ops.stop_gradient(mean_square), SMALLEST_SIGMA**2)
    else:
        variance = ops.convert_to_tensor(sigma**2, dtype=x.dtype)
    return 0.5 * n_values * (ops.log(2 * pi * variance) + mean_square / variance)


class VAE(keras.Model):
    """Encoder -> a Gaussian over codes -> a sample of it -> decoder.

    encoder: [n, height, width, 3] in [0, 1] -> [n, 2 * latent_dim]: the mean and the
        logarithm of the variance of every latent.
    decoder: [n, latent_dim] -> [n, height, width, 3] in [0, 1].
    sigma: standard deviation of the decoder's Gaussian (see ``gaussian_error``):
        a number, ``COURSE_SIGMA`` for the course's loss, or None for the best.

    The loss is the negative evidence lower bound: the reconstruction error, and the
    KL divergence summed over the latents; both are averaged over the batch.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        sigma: float | None = None,
        *,
        seed: int = 0,
        name: str = "vae",
    ):
        super().__init__(name=name)
        if sigma is not None and not sigma > 0:
            raise UserError(
                f"received sigma {sigma}; expected a number above 0, or None"
            )
        self.encoder = encoder
        self.decoder = decoder
        self.sigma = sigma
        self.latent_dim = decoder.input_shape[-1]
        if encoder.output_shape[-1] != 2 * self.latent_dim:
            raise UserError(
                f"the encoder gives {encoder.output_shape[-1]} values; expected "
                f"{2 * self.latent_dim}, a mean and a log variance for each latent"
            )
        self.seed_generator = random.SeedGenerator(seed)
        self.error_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.built = True  # both networks are

    def call(self, x, training=False):
        """Reconstruction, mean and log variance; without training, of the mean code."""
        mean, log_variance = ops.split(self.encoder(x, training=training), 2, axis=-1)
        z = self.reparameterise(mean, log_variance) if training else mean
        return self.decoder(z, training=training), mean, log_variance

    def reparameterise(self, mean, log_variance):
        """A sample of N(mean, variance), [n, latent_dim]; gradients pass through."""
        noise = random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """The negative evidence lower bound of a batch, in nats per picture."""
        reconstruction, mean, log_variance = y_pred
        error = gaussian_error(x, reconstruction, self.sigma)
        kl = ops.mean(kl_divergence(mean, log_variance))
        self.error_tracker.update_state(error)
        self.kl_tracker.update_state(kl)
        return error + kl

    def encode(self, x):
        """The mean code of every picture: [n, latent_dim]."""
        return ops.split(self.encoder(x), 2, axis=-1)[0]
