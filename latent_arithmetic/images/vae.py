"""A variational autoencoder (VAE), conditional on attributes if there are any, and a
VAE with an adversarial loss (VAE-GAN)."""

import keras
from keras import ops, random

from latent_arithmetic.images.gan import LOSS_NAMES, AdversarialConfig, AdversarialLoss
from latent_arithmetic.images.likelihoods import GaussianLikelihood, PaletteLikelihood
from latent_arithmetic.io import UserError


def kl_divergence(mean, log_variance):
    """KL(N(mean, variance) || N(0, 1)) of every latent variable, in nats."""
    return 0.5 * (ops.exp(log_variance) + ops.square(mean) - 1 - log_variance)


class VAE(keras.Model):
    """A variational autoencoder, optionally conditional on binary attributes.

    The encoder gives a Gaussian over latent vectors; a sample of it is decoded. The
    loss is the negative evidence lower bound (ELBO), averaged over the batch: the
    reconstruction term, and the KL divergence summed over the latent variables.

    With attributes, every attribute has a learned embedding in the latent space. A
    latent vector is the sum of the embeddings of the attributes an image has and of a
    *residual latent*, which the encoder's Gaussian describes. In training the
    decoder gets the true attributes, and the encoder learns to predict them, for
    images whose attributes are not known (the semi-supervised model M2 with every
    image labeled); the cross-entropy of these predictions is added to the loss.

    Args:
        encoder: From images [n, height, width, 3] in [0, 1] to
            [n, 2 * latent_dim + n_attributes]: mean and log variance of every latent
            variable, and a logit for every attribute.
        decoder: From [n, latent_dim] to what the likelihood takes: images in [0, 1],
            or logits of a palette's colors.
        likelihood: Of images, given the decoder's output.
        beta: Weight of the KL divergence; below 1 the latents encode small or rare
            details that would cost more KL than they save, and fit N(0, I) less well.
        kl_warm_up: Steps in which that weight grows from 0 to `beta`; 0 for none.
        free_bits: Nats per latent variable, averaged over the batch, below which the
            KL divergence has no effect.
        n_attributes: Number of attributes that the model is conditional on.
        attribute_weight: Weight of the attributes' cross-entropy.
        seed: Of the samples and of the embeddings' initial values.

    Reference:
        VAE: Kingma and Welling, 2014 (arXiv:1312.6114). M2 and its weight: Kingma et
        al., 2014 (arXiv:1406.5298). Beta: Higgins et al., beta-VAE, 2017. Warm-up:
        Bowman et al., 2016 (arXiv:1511.06349). Free bits: Kingma et al., 2016
        (arXiv:1606.04934).
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: GaussianLikelihood | PaletteLikelihood | None = None,
        *,
        beta: float = 1.0,
        kl_warm_up: int = 0,
        free_bits: float = 0.0,
        n_attributes: int = 0,
        attribute_weight: float = 1.0,
        seed: int = 0,
        name: str = "vae",
    ):
        super().__init__(name=name)
        self.encoder = encoder
        self.decoder = decoder
        self.likelihood = likelihood or GaussianLikelihood()
        self.beta = beta
        self.kl_warm_up = kl_warm_up
        self.free_bits = free_bits
        self.latent_dim = decoder.input_shape[-1]
        self.n_attributes = n_attributes
        self.attribute_weight = attribute_weight
        expected = 2 * self.latent_dim + n_attributes
        if encoder.output_shape[-1] != expected:
            raise UserError(
                f"the encoder gives {encoder.output_shape[-1]} values; expected "
                f"{expected}, a mean and a log variance for each latent variable, and "
                "a logit for each attribute"
            )
        if n_attributes:
            self.attribute_embeddings = self.add_weight(
                shape=(n_attributes, self.latent_dim),
                initializer=keras.initializers.RandomNormal(stddev=1.0, seed=seed),
                name="attribute_embeddings",
            )
        self.steps_done = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="steps_done"
        )
        self.seed_generator = random.SeedGenerator(seed)
        self.reconstruction_tracker = keras.metrics.Mean(name="reconstruction")
        self.kl_tracker = keras.metrics.Mean(name="kl")
        self.attribute_tracker = keras.metrics.Mean(name="attributes")
        self.built = True  # both networks are

    @property
    def palette_likelihood(self) -> PaletteLikelihood | None:
        """The likelihood if it is one over a palette, else None."""
        likelihood = self.likelihood
        return likelihood if isinstance(likelihood, PaletteLikelihood) else None

    def call(self, x, training=False):
        """Encodes images in [0, 1].

        Returns:
            Mean and log variance of the residual latents, [n, latent_dim] each, and
            logits of the attributes, [n, n_attributes].
        """
        return ops.split(
            self.encoder(x, training=training),
            [self.latent_dim, 2 * self.latent_dim],
            axis=-1,
        )

    def reparameterize(self, mean, log_variance):
        """A sample of N(mean, variance), [n, latent_dim]; gradients pass through."""
        noise = random.normal(ops.shape(mean), seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_variance) * noise

    def embed(self, latents, attributes):
        """Latent vectors [n, latent_dim]: residual latents plus the embeddings of
        attributes [n, n_attributes]."""
        attributes = ops.cast(attributes, "float32")
        return ops.add(latents, ops.matmul(attributes, self.attribute_embeddings))

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """The negative ELBO of a batch in nats per image, with the KL divergence
        weighed by `kl_warm_up`, `free_bits` and `beta`.

        Args:
            x: Images in [0, 1].
            y: A dict with "palette_indices", if the likelihood needs them, and
                "attributes" [n, n_attributes], if there are any.
            y_pred: What `call` returns.
        """
        y = y or {}
        latents = self._sample_latents(y_pred, training)
        decoded = self._decode_with_attributes(latents, y, training)
        return self._negative_elbo_loss(x, y, y_pred, decoded, training)

    def _sample_latents(self, encoded, training):
        """Residual latents: a sample of the encoder's Gaussian in training, else its
        mean."""
        mean, log_variance, _ = encoded
        return self.reparameterize(mean, log_variance) if training else mean

    def _decode_with_attributes(self, latents, y, training):
        z = self.embed(latents, y["attributes"]) if self.n_attributes else latents
        return self.decoder(z, training=training)

    def _reconstruction_term(self, x, y, decoded, training):
        indices = y.get("palette_indices")
        return self.likelihood.negative_log_likelihood(x, indices, decoded, training)

    def _negative_elbo_loss(self, x, y, encoded, decoded, training):
        mean, log_variance, logits = encoded
        reconstruction = ops.mean(self._reconstruction_term(x, y, decoded, training))
        kl = ops.mean(kl_divergence(mean, log_variance), axis=0)
        self.reconstruction_tracker.update_state(reconstruction)
        self.kl_tracker.update_state(ops.sum(kl))
        weighted_kl = self.beta * ops.sum(ops.maximum(kl, self.free_bits))
        if training and self.kl_warm_up:
            self.steps_done.assign_add(1.0)
            warm = ops.minimum(1.0, self.steps_done / self.kl_warm_up)
            weighted_kl = weighted_kl * warm
        if not self.n_attributes:
            return reconstruction + weighted_kl
        attributes = ops.cast(y["attributes"], logits.dtype)
        cross_entropies = ops.softplus(logits) - attributes * logits
        cross_entropy = ops.mean(ops.sum(cross_entropies, axis=-1))
        self.attribute_tracker.update_state(cross_entropy)
        return reconstruction + weighted_kl + self.attribute_weight * cross_entropy

    def negative_elbo(self, x, y=None):
        """An upper bound on -log p(image | attributes) of each image in nats, from one
        sample of its latents; the KL divergence has its full weight.

        Args:
            x: Images in [0, 1].
            y: As in `compute_loss`.

        Returns:
            A tensor [n].
        """
        y, (mean, log_variance, _) = y or {}, self(x)
        latents = self.reparameterize(mean, log_variance)
        decoded = self._decode_with_attributes(latents, y, training=False)
        reconstruction = self._reconstruction_term(x, y, decoded, training=False)
        return reconstruction + ops.sum(kl_divergence(mean, log_variance), axis=-1)

    def residual_latents(self, x):
        """Mean of the residual latents of images in [0, 1]: [n, latent_dim]."""
        return self(x)[0]

    def predict_attributes(self, x):
        """Attributes that the encoder predicts for images: bool [n, n_attributes]."""
        return self(x)[2] > 0

    def encode(self, x):
        """Mean latent vectors of images in [0, 1], [n, latent_dim]: residual latents
        plus the embeddings of the predicted attributes."""
        mean, _, logits = self(x)
        return self.embed(mean, logits > 0) if self.n_attributes else mean

    def decode(self, z):
        """The most likely images, in [0, 1], of latent vectors [n, latent_dim]."""
        return self.likelihood.most_likely_images(self.decoder(z))


class VAEGAN(VAE):
    """A VAE with an adversarial loss on its reconstructions.

    A squared error is smallest for the average of all images that a latent vector may
    stand for, and an average is blurred; a discriminator rejects it. The likelihood of
    the pixels is kept.

    Args:
        encoder: As for `VAE`.
        decoder: As for `VAE`; it must give images in [0, 1].
        likelihood: As for `VAE`.
        discriminator: From images in [-1, 1] to [n, 1 + n_attributes].
        config: The adversarial losses.
        adversarial_weight: Weight, in nats, of the generator's loss.
        **arguments: Of `VAE`.

    Reference:
        Larsen et al., Autoencoding beyond pixels using a learned similarity metric,
        2016 (arXiv:1512.09300).
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        likelihood: GaussianLikelihood,
        discriminator: keras.Model,
        config: AdversarialConfig,
        *,
        adversarial_weight: float,
        **arguments,
    ):
        super().__init__(encoder, decoder, likelihood, **arguments)
        self.discriminator = discriminator
        self.adversarial_loss = AdversarialLoss(
            discriminator, config, self.seed_generator
        )
        self.adversarial_weight = adversarial_weight
        self.trackers = {name: keras.metrics.Mean(name=name) for name in LOSS_NAMES}

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """The loss of a `VAE`, the weighted generator loss of its reconstructions, the
        discriminator's loss and the gradient penalty."""
        y, latents = y or {}, self._sample_latents(y_pred, training)
        conditional = self.n_attributes > 0
        attributes = (
            ops.cast(y["attributes"], x.dtype) if conditional else latents[:, :0]
        )
        decoded = self._decode_with_attributes(latents, y, training)
        elbo_loss = self._negative_elbo_loss(x, y, y_pred, decoded, training)
        losses = self.adversarial_loss(2 * x - 1, 2 * decoded - 1, attributes, training)
        for name, value in losses.items():
            self.trackers[name].update_state(value)
        generator_loss = self.adversarial_weight * losses["generator"]
        return (
            elbo_loss
            + generator_loss
            + losses["discriminator"]
            + losses["gradient_penalty"]
        )
