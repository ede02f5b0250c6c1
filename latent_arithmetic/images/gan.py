"""Adversarial training: the losses of a generator and a discriminator, and the GAN.

In the discriminator's loss the generated images are constants, and in the generator's
loss the discriminator's weights are. Every weight therefore gets the gradient of its
own loss only, and plain `fit()` trains both networks in one step, on every backend.
"""

from dataclasses import dataclass

import keras
from keras import ops, random

from latent_arithmetic.config import setting
from latent_arithmetic.io import expect_one_of

GAN_LOSSES = ("non-saturating", "relativistic")
LOSS_NAMES = ("generator", "discriminator", "gradient_penalty")


@dataclass(frozen=True)
class AdversarialConfig:
    """Hyperparameters of the adversarial losses of a GAN or a VAE-GAN.

    Reference:
        Non-saturating loss: Goodfellow et al., 2014 (arXiv:1406.2661). Relativistic
        pairing loss with R1 and R2 penalties: Huang et al., The GAN is dead; long
        live the GAN! (R3GAN), 2024 (arXiv:2501.05441).
    """

    gan_loss: str = setting(
        "non-saturating",
        "binary cross-entropy with the non-saturating generator loss, or R3GAN's "
        "relativistic pairing loss of a generated and a real image",
        choices=GAN_LOSSES,
    )
    gamma: float = setting(
        0.1, "weight gamma of the penalties gamma/2 (R1 + R2); 0: none", low=0
    )
    penalty_every: int = setting(
        4, "estimate the gradient penalties on every n-th image of a batch", low=1
    )
    penalty_step: float = setting(
        0.01,
        "step of the finite difference that estimates the gradient penalties, for "
        "images in [-1, 1]",
        low=0,
        low_open=True,
    )


class AdversarialLoss:
    """Losses of a discriminator and of a generator, or a VAE-GAN's decoder.

    Args:
        discriminator: From images in [-1, 1] to [n, 1 + n_attributes]: a logit, and
            what each attribute adds to it (a projection discriminator).
        config: The losses and their weights.
        seed_generator: Of the noise in the gradient penalty.

    Reference:
        Miyato and Koyama, cGANs with Projection Discriminator, 2018
        (arXiv:1802.05637).
    """

    def __init__(
        self,
        discriminator: keras.Model,
        config: AdversarialConfig,
        seed_generator: random.SeedGenerator,
    ):
        expect_one_of("GAN loss", config.gan_loss, GAN_LOSSES)
        self.discriminator = discriminator
        self.config = config
        self.seed_generator = seed_generator

    def __call__(self, real, fake, attributes, training) -> dict:
        """Generator loss, discriminator loss and gradient penalty, by `LOSS_NAMES`.

        Args:
            real: Images in [-1, 1].
            fake: Generated images in [-1, 1].
            attributes: Of both, [n, n_attributes].
        """
        real_logits, fake_logits, penalty = self.discriminate(
            ops.stop_gradient(real), ops.stop_gradient(fake), attributes, training
        )
        discriminator_loss = self.discriminator_loss(real_logits, fake_logits)
        generator_loss = self.generator_loss(fake, attributes, real_logits, training)
        losses = (generator_loss, discriminator_loss, penalty)
        return dict(zip(LOSS_NAMES, losses, strict=True))

    def discriminate(self, real, fake, attributes, training):
        """Logits of real and of generated images, and the gradient penalty R1 + R2.

        The squared gradient norm is estimated along a random direction e:
        E (D(x + s e) - D(x))^2 / s^2 = ||grad D||^2, with one more
        evaluation of D, and without a second derivative.
        """
        gamma, step = self.config.gamma, self.config.penalty_step
        images, conditions = [real, fake], [attributes, attributes]
        if gamma:
            sampled = slice(None, None, self.config.penalty_every)
            nearby = ops.concatenate([real[sampled], fake[sampled]])
            noise = random.normal(ops.shape(nearby), seed=self.seed_generator)
            images.append(nearby + step * noise)
            conditions += [attributes[sampled], attributes[sampled]]
        outputs = self.discriminator(ops.concatenate(images), training=training)
        logits = _conditional_logits(outputs, ops.concatenate(conditions))
        n = ops.shape(real)[0]
        real_logits, fake_logits = logits[:n], logits[n : 2 * n]
        if not gamma:
            return real_logits, fake_logits, ops.zeros(())
        start = ops.concatenate([real_logits[sampled], fake_logits[sampled]])
        slopes = (logits[2 * n :] - start) / step
        # gamma / 2 (R1 + R2) is gamma times the mean over both kinds of images.
        return real_logits, fake_logits, gamma * ops.mean(ops.square(slopes))

    def discriminator_loss(self, real_logits, fake_logits):
        """Mean over the batch, from logits [n, 1]."""
        if self.config.gan_loss == "relativistic":
            return ops.mean(ops.softplus(fake_logits - real_logits))
        loss_on_real = ops.mean(ops.softplus(-real_logits))
        return loss_on_real + ops.mean(ops.softplus(fake_logits))

    def generator_loss(self, fake, attributes, real_logits, training):
        """Mean over the batch, through a discriminator whose weights are constants."""
        discriminator = self.discriminator
        outputs, _ = discriminator.stateless_call(
            [ops.stop_gradient(weight) for weight in discriminator.trainable_variables],
            discriminator.non_trainable_variables,
            fake,
            training=training,
        )
        logits = _conditional_logits(outputs, attributes)
        if self.config.gan_loss == "relativistic":
            return ops.mean(ops.softplus(ops.stop_gradient(real_logits) - logits))
        return ops.mean(ops.softplus(-logits))


def _conditional_logits(outputs, attributes):
    """Logit that images are real, given their attributes: [n, 1]."""
    return outputs[:, :1] + ops.sum(outputs[:, 1:] * attributes, axis=-1, keepdims=True)


class GAN(keras.Model):
    """A generative adversarial network as one model with one loss.

    The loss is the sum of the generator's loss, the discriminator's loss and the
    gradient penalty; see `AdversarialLoss`.

    Args:
        generator: From [n, latent_dim + n_attributes] to images in [-1, 1].
        discriminator: From images in [-1, 1] to [n, 1 + n_attributes].
        config: The adversarial losses.
        n_attributes: Number of binary attributes that both networks are conditional
            on; 0 for none.
        ema_half_life: Steps in which the exponential moving average of the generator
            forgets half; 0 for no average.
        augmentation_shift: Largest shift of DiffAugment's translation, as a fraction
            of the side; 0 for none.
        block_size: Side, in pixels, of the squares that share a color; they are
            shifted whole.
        seed: Of the latent vectors and all other noise.

    Attributes:
        ema_generator: The generator with averaged weights; samples are drawn with it.

    Reference:
        Zhao et al., Differentiable Augmentation for Data-Efficient GAN Training, 2020
        (arXiv:2006.10738).
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        config: AdversarialConfig = AdversarialConfig(),
        *,
        n_attributes: int = 0,
        ema_half_life: int = 200,
        augmentation_shift: float = 0.0,
        block_size: int = 1,
        seed: int = 0,
        name: str = "gan",
    ):
        super().__init__(name=name)
        self.generator = generator
        self.discriminator = discriminator
        self.ema_generator = keras.models.clone_model(generator)
        self.ema_generator.set_weights(generator.get_weights())
        self.ema_generator.trainable = False
        self.n_attributes = n_attributes
        self.latent_dim = generator.input_shape[-1] - n_attributes
        self.ema_half_life = ema_half_life
        self.block_size = block_size
        self.max_shift = round(
            augmentation_shift * generator.output_shape[1] / block_size
        )
        self.seed_generator = random.SeedGenerator(seed)
        self.adversarial_loss = AdversarialLoss(
            discriminator, config, self.seed_generator
        )
        self.steps_done = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="steps_done"
        )
        self.trackers = {name: keras.metrics.Mean(name=name) for name in LOSS_NAMES}
        self.built = True  # both networks are

    def call(self, images, training=False):
        """The discriminator's output; in training the images as they are, since the
        loss shows the discriminator what it needs."""
        if training:
            return images
        return self.discriminator(images)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """The sum of all losses.

        Args:
            x: Real images in [-1, 1].
            y: With attributes, a dict whose "attributes" [n, n_attributes] are those
                of the real images; the generated ones are to have the same.
        """
        noise = random.normal(
            (ops.shape(x)[0], self.latent_dim), seed=self.seed_generator
        )
        conditional = self.n_attributes > 0
        attributes = ops.cast(y["attributes"], x.dtype) if conditional else noise[:, :0]
        fake = self.generator(self.embed(noise, attributes), training=training)
        real = x
        if training and self.max_shift:
            both = ops.concatenate([real, fake])
            both = translate(both, self.max_shift, self.seed_generator, self.block_size)
            real, fake = ops.split(both, 2)

        losses = self.adversarial_loss(real, fake, attributes, training)
        if training:
            self._update_average()
        for name, value in losses.items():
            self.trackers[name].update_state(value)
        return sum(losses.values())

    def embed(self, latents, attributes):
        """The generator's input: latents [n, latent_dim] and attributes
        [n, n_attributes] side by side."""
        latents, attributes = (ops.cast(x, "float32") for x in (latents, attributes))
        return ops.concatenate([latents, attributes], axis=-1)

    def decode(self, z):
        """The EMA generator's images in [0, 1] of inputs made by `embed`."""
        return (self.ema_generator(z) + 1) / 2

    def _update_average(self):
        """Moves the averaged weights; faster at first, to forget the random start."""
        steps, half_life = self.steps_done + 1, self.ema_half_life
        decay = 0.5 ** (1 / half_life) if half_life else 0.0
        decay = ops.minimum(decay, (1 + steps) / (10 + steps))
        pairs = zip(self.ema_generator.weights, self.generator.weights, strict=True)
        for average, current in pairs:
            average.assign(decay * average + (1 - decay) * ops.stop_gradient(current))
        self.steps_done.assign(steps)


def translate(
    images, max_shift: int, seed_generator: random.SeedGenerator, block_size: int = 1
):
    """Shifts every image at random by whole blocks; the border is filled by mirroring.

    A shift is a product with a shifted identity matrix: differentiable, without
    gathering, hence fast on every backend.

    Args:
        images: [n, height, width, colors].
        max_shift: Most blocks up, down, left and right.
        block_size: Side of a block in pixels.
    """

    def shifted_identity(side):
        shifts = random.randint(
            (ops.shape(images)[0], 1), -max_shift, max_shift + 1, seed=seed_generator
        )
        source = ops.arange(side)[None, :] + block_size * shifts
        source = ops.maximum(source, -1 - source)
        return ops.one_hot(ops.minimum(source, 2 * side - 1 - source), side)

    _, height, width, _ = images.shape
    images = ops.einsum("nij,njwc->niwc", shifted_identity(height), images)
    return ops.einsum("nij,nhjc->nhic", shifted_identity(width), images)
