"""The contest of two players: one makes pictures, a discriminator tells them from
real ones.

In the discriminator's loss the made pictures are constants, and in the maker's loss
the discriminator's weights are. Every weight therefore gets the gradient of its own
loss only, and plain ``fit()`` trains both players in one step, on every backend.
"""

from dataclasses import dataclass
from typing import Literal

import keras
from keras import ops, random

from latent_arithmetic.errors import UserError

OUTCOMES = ("generator", "discriminator", "penalty")


@dataclass(frozen=True)
class ContestSettings:
    """How the two players are trained.

    loss: "binary" is the course's binary cross-entropy with the non-saturating
        generator (Goodfellow et al. 2014); "relativistic" compares each generated
        picture with a real one (R3GAN, Huang et al. 2024, arXiv:2501.05441).
    gamma: weight of the penalties gamma/2 (R1 + R2) on the discriminator's slope
        at real and at generated pictures; 0 leaves them out.
    penalty_every: the penalties are estimated on every n-th picture of the batch.
    penalty_step: size, in units of the [-1, 1] pictures, of the finite difference.
    """

    loss: Literal["binary", "relativistic"] = "binary"
    gamma: float = 1.0
    penalty_every: int = 1
    penalty_step: float = 0.01


class Contest:
    """The losses of a discriminator and of whoever makes the pictures it judges.

    discriminator: pictures in [-1, 1] -> [n, 1 + attributes]: a logit, and how much
        each attribute adds to it (Miyato and Koyama 2018, arXiv:1802.05637).
    """

    def __init__(
        self,
        discriminator: keras.Model,
        settings: ContestSettings,
        seed_generator: random.SeedGenerator,
    ):
        if settings.loss not in ("relativistic", "binary"):
            raise UserError(
                f"received GAN loss {settings.loss!r}. "
                "expected 'relativistic' or 'binary'."
            )
        self.discriminator = discriminator
        self.settings = settings
        self.seed_generator = seed_generator

    def losses(self, real, fake, told, training) -> dict:
        """The ``OUTCOMES``: what the maker of the pictures pays ("generator"), and
        the discriminator for its verdicts and its slopes.

        real, fake: pictures in [-1, 1]. told: their attributes, [n, attributes].
        """
        real_logits, fake_logits, penalty = self.judge(
            ops.stop_gradient(real), ops.stop_gradient(fake), told, training
        )
        discriminator_loss = self.discriminator_loss(real_logits, fake_logits)
        generator_loss = self.generator_loss(fake, told, real_logits, training)
        losses = (generator_loss, discriminator_loss, penalty)
        return dict(zip(OUTCOMES, losses, strict=True))

    def judge(self, real, fake, told, training):
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

    def discriminator_loss(self, real_logits, fake_logits):
        """The discriminator's loss."""
        if self.settings.loss == "relativistic":
            return ops.mean(ops.softplus(fake_logits - real_logits))
        return ops.mean(ops.softplus(-real_logits)) + ops.mean(
            ops.softplus(fake_logits)
        )

    def generator_loss(self, fake, told, real_logits, training):
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


def _logits(judged, told):
    """How real pictures are, given what was told of them: [n, 1]."""
    return judged[:, :1] + ops.sum(judged[:, 1:] * told, axis=-1, keepdims=True)
