"""A VAE whose decoder also has to deceive a discriminator: VAE/GAN (Larsen et al.
2016, arXiv:1512.09300), with the pixels' likelihood kept.

A squared error is smallest for the average of all pictures that a code may stand
for, and an average is blurred. A discriminator tells it from a picture at once.
"""

import keras
from keras import ops

from latent_arithmetic.images.models.contest import (
    OUTCOMES,
    Contest,
    ContestSettings,
)
from latent_arithmetic.images.models.likelihoods import GaussianLikelihood
from latent_arithmetic.images.models.vae import VAE


class VAEGAN(VAE):
    """A VAE, and a discriminator that tells its reconstructions from pictures.

    encoder, decoder, likelihood, bound: of a ``VAE``, whose decoder gives pictures in
        [0, 1].
    discriminator, settings: of a ``Contest``.
    sharpness: price, in nats, of the generator's loss beside the evidence lower
        bound.
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: GaussianLikelihood,
        discriminator: keras.Model,
        settings: ContestSettings,
        *,
        sharpness: float,
        **bound,
    ):
        super().__init__(encoder, decoder, likelihood, **bound)
        self.discriminator = discriminator
        self.contest = Contest(discriminator, settings, self.seed_generator)
        self.sharpness = sharpness
        self.trackers = {name: keras.metrics.Mean(name=name) for name in OUTCOMES}

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """The loss of a ``VAE``, ``sharpness`` times the generator's loss of its
        reconstructions, and the discriminator's loss and penalty."""
        y, latents = y or {}, self._latents(y_pred, training)
        told = ops.cast(y["attributes"], x.dtype) if self.told else latents[:, :0]
        decoded = self._decoded(latents, y, training)
        bound = self._bound(x, y, y_pred, decoded, training)
        losses = self.contest.losses(2 * x - 1, 2 * decoded - 1, told, training)
        for name, value in losses.items():
            self.trackers[name].update_state(value)
        deceived = self.sharpness * losses["generator"]
        return bound + deceived + losses["discriminator"] + losses["penalty"]
