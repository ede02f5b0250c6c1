"""A variational autoencoder (Kingma and Welling 2014, arXiv:1312.6114)."""

from math import pi
from typing import Literal

import keras
from keras import ops, random

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.autoencoder import squared_error

SMALLEST_SIGMA = 0.1  # of a pixel in [0, 1]; finer is not worth its nats (see below)
LIKELIHOODS = ("optimal_sigma", "course")


def kl_divergence(mean, log_variance):
    """KL(N(mean, variance) || N(0, 1)), summed over the latents: [n]."""
    terms = ops.exp(log_variance) + ops.square(mean) - 1 - log_variance
    return 0.5 * ops.sum(terms, axis=-1)


def optimal_sigma_error(x, reconstruction, smallest_sigma: float = SMALLEST_SIGMA):
    """Negative log-likelihood in nats of a Gaussian decoder: a scalar, a batch mean.

    Its one variance is the best there is for the batch, the mean squared error
    itself, so no weight between reconstruction and KL has to be tuned (Rybkin et al.
    2021, arXiv:2006.13202). Summed over pixels, as an ELBO asks for.

    ``smallest_sigma`` bounds the standard deviation from below. Without a bound a
    decoder that can be exact, as with pixel art, pays hundreds of nats for errors
    nobody sees, and its codes fill the latent space too thinly to sample from.
    """
    n_values = x.shape[1] * x.shape[2] * x.shape[3]
    mean_square = ops.mean(squared_error(x, reconstruction)) / n_values
    # At the optimum the likelihood does not change with the variance, so the
    # variance may be a constant for the gradient.
    variance = ops.stop_gradient(ops.maximum(mean_square, smallest_sigma**2))
    return 0.5 * n_values * (ops.log(2 * pi * variance) + mean_square / variance)


class VAE(keras.Model):
    """Encoder -> a Gaussian over codes -> a sample of it -> decoder.

    encoder: [n, height, width, 3] in [0, 1] -> [n, 2 * latent_dim]: the mean and the
        logarithm of the variance of every latent.
    decoder: [n, latent_dim] -> [n, height, width, 3] in [0, 1].
    likelihood: "optimal_sigma", or "course": the squared error, summed over pixels
        (a Gaussian decoder whose variance is fixed at 1/2).

    The loss is the negative evidence lower bound: the reconstruction error, and the
    KL divergence summed over the latents; both are averaged over the batch.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: Literal["optimal_sigma", "course"] = "optimal_sigma",
        *,
        smallest_sigma: float = SMALLEST_SIGMA,
        seed: int = 0,
        name: str = "vae",
    ):
        super().__init__(name=name)
        if likelihood not in LIKELIHOODS:
            raise UserError(
                f"received likelihood {likelihood!r}; expected one of {LIKELIHOODS}"
            )
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood
        self.smallest_sigma = smallest_sigma
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
        if self.likelihood == "optimal_sigma":
            error = optimal_sigma_error(x, reconstruction, self.smallest_sigma)
        else:
            error = ops.mean(squared_error(x, reconstruction))
        kl = ops.mean(kl_divergence(mean, log_variance))
        self.error_tracker.update_state(error)
        self.kl_tracker.update_state(kl)
        return error + kl

    def encode(self, x):
        """The mean code of every picture: [n, latent_dim]."""
        return ops.split(self.encoder(x), 2, axis=-1)[0]
