"""A generative adversarial network: one ``keras.Model`` with one ``compute_loss``.

The loss is the sum of both players' losses, see ``Contest``.
"""

from dataclasses import dataclass

import keras
from keras import ops, random

from latent_arithmetic.images.models.contest import (
    OUTCOMES,
    Contest,
    ContestSettings,
)


@dataclass(frozen=True)
class GANSettings(ContestSettings):
    """How the two players are trained; the networks themselves are arguments.

    largest_shift: DiffAugment (Zhao et al. 2020) by translation: largest shift as a
        part of the side; 0 switches it off.
    block: side, in pixels, of the squares that share a colour; they are shifted whole.
    half_life: steps in which the averaged generator forgets half; 0 to not average.
    attributes: how many yes/no attributes both players are told of a picture; 0 for
        none.
    """

    largest_shift: float = 0.0
    block: int = 1
    half_life: int = 500
    attributes: int = 0


class GAN(keras.Model):
    """Two players: a generator that invents pictures, a discriminator that judges.

    generator: [n, latent_dim + attributes] -> pictures in [-1, 1].
    discriminator: of a ``Contest``.

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
        self.generator = generator
        self.discriminator = discriminator
        self.averaged_generator = keras.models.clone_model(generator)
        self.averaged_generator.set_weights(generator.get_weights())
        self.averaged_generator.trainable = False
        self.settings = settings
        self.latent_dim = generator.input_shape[-1] - settings.attributes
        self.seed_generator = random.SeedGenerator(seed)
        self.contest = Contest(discriminator, settings, self.seed_generator)
        self.steps_done = self.add_weight(
            shape=(), initializer="zeros", trainable=False, name="steps_done"
        )
        self.trackers = {name: keras.metrics.Mean(name=name) for name in OUTCOMES}
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

        losses = self.contest.losses(real, fake, told, training)
        if training:
            self._average_generator()
        for name, value in losses.items():
            self.trackers[name].update_state(value)
        return sum(losses.values())

    def place(self, latents, attributes):
        """The points of latents, [n, latent_dim], with attributes: both, side by
        side."""
        attributes = ops.cast(attributes, "float32")
        return ops.concatenate([latents, attributes], axis=-1)

    def decode(self, z):
        """The averaged generator's pictures of points [n, latent_dim + attributes],
        in [0, 1]."""
        return (self.averaged_generator(z) + 1) / 2

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
