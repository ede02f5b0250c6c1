"""A generative adversarial network: one ``keras.Model`` with one ``compute_loss``.

The loss is the sum of the discriminator's loss, in which the generated pictures
are constants, and the generator's loss, in which the discriminator's weights are
constants. Every weight therefore gets the gradient of its own loss only, and plain
``fit()`` trains both players in one step, on every backend.
"""

from dataclasses import dataclass
from typing import Literal

import keras
from keras import ops, random

from latent_arithmetic.errors import UserError


@dataclass(frozen=True)
class GANSettings:
    """How the two players are trained; the networks themselves are arguments.

    loss: "binary" is the course's binary cross-entropy with the non-saturating
        generator (Goodfellow et al. 2014); "relativistic" compares each generated
        picture with a real one (R3GAN, Huang et al. 2024, arXiv:2501.05441).
    gamma: weight of the penalties gamma/2 (R1 + R2) on the discriminator's slope
        at real and at generated pictures; 0 leaves them out.
    penalty_every: the penalties are estimated on every n-th picture of the batch.
    penalty_step: size, in units of the [-1, 1] pictures, of the finite difference.
    largest_shift: DiffAugment (Zhao et al. 2020) by translation: largest shift as a
        part of the side; 0 switches it off.
    block: side, in pixels, of the squares that share a colour; they are shifted whole.
    half_life: steps in which the averaged generator forgets half; 0 to not average.
    attributes: how many yes/no attributes both players are told of a picture; the
        discriminator judges them by a product with its features (Miyato and Koyama
        2018, arXiv:1802.05637). 0 for none.
    """

    loss: Literal["binary", "relativistic"] = "binary"
    gamma: float = 1.0
    penalty_every: int = 1
    penalty_step: float = 0.01
    largest_shift: float = 0.0
    block: int = 1
    half_life: int = 500
    attributes: int = 0


class GAN(keras.Model):
    """Two players: a generator that invents pictures, a discriminator that judges.

    generator: [n, latent_dim + attributes] -> pictures in [-1, 1].
    discriminator: pictures in [-1, 1] -> [n, 1 + attributes]: a logit, and how much
        each attribute adds to it.

    ``averaged_generator`` is the exponential moving average of the generator's
    weights: what to draw samples with.
    """

    def __init__(
        self,
        generator: keras.Model,
        discriminator: keras.Model,
        settings: GANSettings = GANSettings(),
        *,
        seed: int = 0,
        name: str = "gan",
    ):
        super().__init__(name=name)
        if settings.loss not in ("relativistic", "binary"):
            raise UserError(
                f"received GAN loss {settings.loss!r}. "
                "expected 'relativistic' or 'binary'."
            )
        self.generator = generator
        self.discriminator = discriminator
        self.averaged_generator = keras.models.clone_model(generator)
        self.averaged_generator.set_weights(generator.get_weights())
        self.averaged_generator.trainable = False
        self.settings = settings
        self.latent_dim = generator.input_shape[-1] - settings.attributes
        self.seed_generator = random.SeedGenerator(seed)
        self.steps_done = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="steps_done"
        )
        self.trackers = {
            name: keras.metrics.Mean(name=name)
            for name in ("generator", "discriminator", "penalty")
        }
        blocks = generator.output_shape[1] / settings.block
        self.largest_shift = round(settings.largest_shift * blocks)
        self.built = True  # both networks are

    @property
    def told(self) -> int:
        """How many attributes both players are told."""
        return self.settings.attributes

    def call(self, pictures, training=False):
        """The discriminator's output; in training nothing is judged here, since the
        loss has it judge pictures of its own choice."""
        if training:
            return pictures
        return self.discriminator(pictures)

    def compute_loss(
        self, x=None, y=None, y_pred=None, sample_weight=None, training=True
    ):
        """The sum of the two players' losses for real pictures ``x`` in [-1, 1].

        y: their "attributes", [n, attributes], which the generated pictures are to
            have as well; not used without attributes.
        """
        noise = random.normal(
            (ops.shape(x)[0], self.latent_dim), seed=self.seed_generator
        )
        told = ops.cast(y["attributes"], x.dtype) if self.told else noise[:, :0]
        real, fake = x, self.generator(self.place(noise, told), training=training)
        if training and self.largest_shift:
            both = ops.concatenate([real, fake])
            both = translate(
                both, self.largest_shift, self.seed_generator, self.settings.block
            )
            real, fake = ops.split(both, 2)

        real_logits, fake_logits, penalty = self._judge(
            ops.stop_gradient(real), ops.stop_gradient(fake), told, training
        )
        discriminator_loss = self._verdict_loss(real_logits, fake_logits)
        generator_loss = self._generator_loss(fake, told, real_logits, training)
        if training:
            self._average_generator()
        for name, value in (
            ("generator", generator_loss),
            ("discriminator", discriminator_loss),
            ("penalty", penalty),
        ):
            self.trackers[name].update_state(value)
        return discriminator_loss + penalty + generator_loss

    def place(self, latents, attributes):
        """The points of latents, [n, latent_dim], with attributes: both, side by
        side."""
        attributes = ops.cast(attributes, "float32")
        return ops.concatenate([latents, attributes], axis=-1)

    def decode(self, z):
        """The averaged generator's pictures of points [n, latent_dim + attributes],
        in [0, 1]."""
        return (self.averaged_generator(z) + 1) / 2

    def _judge(self, real, fake, told, training):
        """Logits of real and generated pictures, and the penalty R1 + R2.

        The squared slope is estimated along a random direction e:
        E ||D(x + s e) - D(x)||^2 / s^2 = ||grad D||^2, at the price of one more
        evaluation, and without a second derivative.
        """
        gamma, step = self.settings.gamma, self.settings.penalty_step
        pictures, attributes = [real, fake], [told, told]
        if gamma:
            sampled = slice(None, None, self.settings.penalty_every)
            near = ops.concatenate([real[sampled], fake[sampled]])
            noise = random.normal(ops.shape(near), seed=self.seed_generator)
            pictures.append(near + step * noise)
            attributes += [told[sampled], told[sampled]]
        judged = self.discriminator(ops.concatenate(pictures), training=training)
        logits = _logits(judged, ops.concatenate(attributes))
        size = ops.shape(real)[0]
        real_logits, fake_logits = logits[:size], logits[size : 2 * size]
        if not gamma:
            return real_logits, fake_logits, ops.zeros(())
        start = ops.concatenate([real_logits[sampled], fake_logits[sampled]])
        slopes = (logits[2 * size :] - start) / step
        # gamma / 2 (R1 + R2) is gamma times the mean over both kinds.
        return real_logits, fake_logits, gamma * ops.mean(ops.square(slopes))

    def _verdict_loss(self, real_logits, fake_logits):
        """The discriminator's loss."""
        if self.settings.loss == "relativistic":
            return ops.mean(ops.softplus(fake_logits - real_logits))
        return ops.mean(ops.softplus(-real_logits)) + ops.mean(
            ops.softplus(fake_logits)
        )

    def _generator_loss(self, fake, told, real_logits, training):
        """The generator's loss, through a discriminator whose weights are constants."""
        discriminator = self.discriminator
        judged, _ = discriminator.stateless_call(
            [ops.stop_gradient(weight) for weight in discriminator.trainable_variables],
            discriminator.non_trainable_variables,
            fake,
            training=training,
        )
        logits = _logits(judged, told)
        if self.settings.loss == "relativistic":
            return ops.mean(ops.softplus(ops.stop_gradient(real_logits) - logits))
        return ops.mean(ops.softplus(-logits))

    def _average_generator(self):
        """Move the averaged weights; faster at first, to forget the random start."""
        steps, half_life = self.steps_done + 1, self.settings.half_life
        kept = 0.5 ** (1 / half_life) if half_life else 0.0
        decay = ops.minimum(kept, (1 + steps) / (10 + steps))
        pairs = zip(
            self.averaged_generator.weights, self.generator.weights, strict=True
        )
        for averaged, current in pairs:
            averaged.assign(decay * averaged + (1 - decay) * ops.stop_gradient(current))
        self.steps_done.assign(steps)


def _logits(judged, told):
    """How real pictures are, given what was told of them: [n, 1]."""
    return judged[:, :1] + ops.sum(judged[:, 1:] * told, axis=-1, keepdims=True)


def translate(pictures, largest_shift: int, seed_generator, block: int = 1):
    """Shift every picture by its own whole number of blocks of ``block`` pixels, at
    most ``largest_shift`` up, down, left and right; the border is filled by mirroring.

    A shift is a product with a shifted identity matrix: differentiable, without
    gathering, hence fast on every backend.
    """

    def shifted_identity(side):
        shifts = random.randint(
            (ops.shape(pictures)[0], 1),
            -largest_shift,
            largest_shift + 1,
            seed=seed_generator,
        )
        source = ops.arange(side)[None, :] + block * shifts
        source = ops.maximum(source, -1 - source)
        return ops.one_hot(ops.minimum(source, 2 * side - 1 - source), side)

    _, height, width, _ = pictures.shape
    pictures = ops.einsum("nij,njwc->niwc", shifted_identity(height), pictures)
    return ops.einsum("nij,nhjc->nhic", shifted_identity(width), pictures)
