"""A variational autoencoder (Kingma and Welling 2014, arXiv:1312.6114)."""

import keras
from keras import ops, random

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.models.likelihoods import (
    GaussianLikelihood,
    PaletteLikelihood,
)


def kl_divergence(mean, log_variance):
    """KL(N(mean, variance) || N(0, 1)) of every latent: [n, latent_dim], in nats."""
    return 0.5 * (ops.exp(log_variance) + ops.square(mean) - 1 - log_variance)


class VAE(keras.Model):
    """Encoder -> a Gaussian over codes -> a sample of it -> decoder.

    encoder: [n, height, width, 3] in [0, 1] -> [n, 2 * latent_dim]: the mean and the
        logarithm of the variance of every latent.
    decoder: [n, latent_dim] -> what the likelihood compares with pictures: pictures
        in [0, 1], or logits of a palette's colours.
    likelihood: of pictures, given the decoder's output.
    warm_up: steps in which the weight of the KL grows from 0 to 1 (Bowman et al.
        2016, arXiv:1511.06349); 0 for none.
    free_bits: nats that a latent may use, on average over a batch, without a price
        (Kingma et al. 2016, arXiv:1606.04934).
    kl_weight: price of the KL once warm; below 1 the codes keep what is too small or
        too rare to pay for itself, and fit N(0, I) less well (beta-VAE, Higgins et
        al. 2017).

    The loss is the negative evidence lower bound: the reconstruction term, and the
    KL divergence summed over the latents; both are averaged over the batch.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: GaussianLikelihood | PaletteLikelihood | None = None,
        *,
        warm_up: int = 0,
        free_bits: float = 0.0,
        kl_weight: float = 1.0,
        seed: int = 0,
        name: str = "vae",
    ):
        super().__init__(name=name)
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood or GaussianLikelihood()
        self.warm_up = warm_up
        self.free_bits = free_bits
        self.kl_weight = kl_weight
        self.latent_dim = decoder.input_shape[-1]
        if encoder.output_shape[-1] != 2 * self.latent_dim:
            raise UserError(
                f"the encoder gives {encoder.output_shape[-1]} values; expected "
                f"{2 * self.latent_dim}, a mean and a log variance for each latent"
            )
        self.steps_done = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="steps_done"
        )
        self.seed_generator = random.SeedGenerator(seed)
        self.error_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.built = True  # both networks are

    @property
    def palette(self) -> PaletteLikelihood | None:
        """The palette whose colours the decoder chooses from, if there is one."""
        likelihood = self.likelihood
        return likelihood if isinstance(likelihood, PaletteLikelihood) else None

    def call(self, x, training=False):
        """Decoder output, mean and log variance; without training, of the mean code."""
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
        """The negative evidence lower bound of a batch, in nats per picture, with
        the KL as ``warm_up``, ``free_bits`` and ``kl_weight`` weigh it."""
        decoded, mean, log_variance = y_pred
        error = ops.mean(self.likelihood.negative_log(x, y, decoded, training))
        spent = ops.mean(kl_divergence(mean, log_variance), axis=0)
        self.error_tracker.update_state(error)
        self.kl_tracker.update_state(ops.sum(spent))
        charged = self.kl_weight * ops.sum(ops.maximum(spent, self.free_bits))
        if training and self.warm_up:
            self.steps_done.assign_add(1.0)
            charged = charged * ops.minimum(1.0, self.steps_done / self.warm_up)
        return error + charged

    def negative_elbo(self, x, y=None):
        """The bound on -log p(picture) of each picture, from one sample of its code:
        [n], in nats; every latent at its full price."""
        mean, log_variance = ops.split(self.encoder(x), 2, axis=-1)
        decoded = self.decoder(self.reparameterise(mean, log_variance))
        error = self.likelihood.negative_log(x, y, decoded, training=False)
        return error + ops.sum(kl_divergence(mean, log_variance), axis=-1)

    def encode(self, x):
        """The mean code of every picture: [n, latent_dim]."""
        return ops.split(self.encoder(x), 2, axis=-1)[0]

    def decode(self, z):
        """The most likely pictures of codes, in [0, 1]."""
        return self.likelihood.pictures(self.decoder(z))
