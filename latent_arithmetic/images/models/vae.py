"""A variational autoencoder (Kingma and Welling 2014, arXiv:1312.6114).

Told what attributes pictures have, it is the model M2 of Kingma et al. 2014
(arXiv:1406.5298) with every picture labelled: each attribute has a place in the
latent space, and what the encoder's Gaussian describes is the rest of a picture.
"""

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

    encoder: [n, height, width, 3] in [0, 1] -> [n, 2 * latent_dim + attributes]: the
        mean and the logarithm of the variance of every latent, and the logit of every
        attribute.
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
    attributes: how many yes/no attributes of a picture it is told in training. A
        code is then a sample of the Gaussian plus the places of the attributes, and
        the encoder learns to see them, for pictures nobody says anything about.
    attribute_weight: price of a nat of their cross-entropy (alpha of Kingma et al.
        2014).

    The loss is the negative evidence lower bound: the reconstruction term, and the
    KL divergence summed over the latents; with attributes, also the weighted
    cross-entropy of those that are seen. All are averaged over the batch.
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
        attributes: int = 0,
        attribute_weight: float = 1.0,
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
        self.told = attributes
        self.attribute_weight = attribute_weight
        expected = 2 * self.latent_dim + attributes
        if encoder.output_shape[-1] != expected:
            raise UserError(
                f"the encoder gives {encoder.output_shape[-1]} values; expected "
                f"{expected}, a mean and a log variance for each latent, and a logit "
                "for each attribute"
            )
        if attributes:
            self.places = self.add_weight(
                shape=(attributes, self.latent_dim),
                initializer=keras.initializers.RandomNormal(stddev=1.0, seed=seed),
                name="places",
            )
        self.steps_done = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="steps_done"
        )
        self.seed_generator = random.SeedGenerator(seed)
        self.error_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.attribute_tracker = keras.metrics.Mean(name="attributes")
        self.built = True  # both networks are

    @property
    def palette(self) -> PaletteLikelihood | None:
        """The palette whose colours the decoder chooses from, if there is one."""
        likelihood = self.likelihood
        return likelihood if isinstance(likelihood, PaletteLikelihood) else None

    def call(self, x, training=False):
        """What the encoder says: the mean and log variance of every latent, [n,
        latent_dim] each, and the logits of the attributes, [n, attributes]."""
        return ops.split(
            self.encoder(x, training=training),
            [self.latent_dim, 2 * self.latent_dim],
            axis=-1,
        )

    def reparameterise(self, mean, log_variance):
        """A sample of N(mean, variance), [n, latent_dim]; gradients pass through."""
        noise = random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise

    def place(self, latents, attributes):
        """The codes of latents, [n, latent_dim], with attributes, [n, attributes]."""
        return latents + ops.matmul(ops.cast(attributes, "float32"), self.places)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """The negative evidence lower bound of a batch, in nats per picture, with
        the KL as ``warm_up``, ``free_bits`` and ``kl_weight`` weigh it.

        y: what is told of the pictures: "colours", if the likelihood needs them, and
            "attributes", [n, attributes], if there are any.
        """
        y = y or {}
        decoded = self._decoded(self._latents(y_pred, training), y, training)
        return self._bound(x, y, y_pred, decoded, training)

    def _latents(self, seen, training):
        """What stands for a batch, by what the encoder says of it: a sample of its
        Gaussian in training, else the mean."""
        mean, log_variance, _ = seen
        return self.reparameterise(mean, log_variance) if training else mean

    def _bound(self, x, y, seen, decoded, training):
        """The loss; seen: what the encoder says of the batch, decoded: what the
        decoder makes of that."""
        mean, log_variance, logits = seen
        error = ops.mean(self._error(x, y, decoded, training))
        spent = ops.mean(kl_divergence(mean, log_variance), axis=0)
        self.error_tracker.update_state(error)
        self.kl_tracker.update_state(ops.sum(spent))
        charged = self.kl_weight * ops.sum(ops.maximum(spent, self.free_bits))
        if training and self.warm_up:
            self.steps_done.assign_add(1.0)
            charged = charged * ops.minimum(1.0, self.steps_done / self.warm_up)
        if not self.told:
            return error + charged
        told = ops.cast(y["attributes"], logits.dtype)
        misread = ops.mean(ops.sum(ops.softplus(logits) - told * logits, axis=-1))
        self.attribute_tracker.update_state(misread)
        return error + charged + self.attribute_weight * misread

    def _decoded(self, latents, y, training):
        """What the decoder makes of latents and what is told of their pictures."""
        codes = self.place(latents, y["attributes"]) if self.told else latents
        return self.decoder(codes, training=training)

    def _error(self, x, y, decoded, training):
        """The reconstruction term of every picture: [n]."""
        return self.likelihood.negative_log(x, y.get("colours"), decoded, training)

    def negative_elbo(self, x, y=None):
        """The bound on -log p(picture), given its attributes, of each picture, from
        one sample of its code: [n], in nats; every latent at its full price. y as in
        ``compute_loss``."""
        y, (mean, log_variance, _) = y or {}, self(x)
        latents = self.reparameterise(mean, log_variance)
        decoded = self._decoded(latents, y, training=False)
        error = self._error(x, y, decoded, training=False)
        return error + ops.sum(kl_divergence(mean, log_variance), axis=-1)

    def latents(self, x):
        """The mean of every picture's latents: [n, latent_dim]."""
        return self(x)[0]

    def attributes(self, x):
        """The attributes that the encoder sees: bool [n, attributes]."""
        return self(x)[2] > 0

    def encode(self, x):
        """The mean code of every picture: [n, latent_dim], with the attributes that
        the encoder sees."""
        mean, _, logits = self(x)
        return self.place(mean, logits > 0) if self.told else mean

    def decode(self, z):
        """The most likely pictures of codes, in [0, 1]."""
        return self.likelihood.pictures(self.decoder(z))
