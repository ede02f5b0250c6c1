"""The designs of the three picture models: which arguments the two bricks get.

Every network comes from ``build_conv_net`` or ``build_deconv_net``. What differs
between an autoencoder, a VAE and a GAN stands here, side by side.
"""

from dataclasses import dataclass

import keras

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.models.autoencoder import Autoencoder
from latent_arithmetic.images.models.contest import ContestSettings
from latent_arithmetic.images.models.gan import GAN, GANSettings
from latent_arithmetic.images.models.likelihoods import (
    GaussianLikelihood,
    PaletteLikelihood,
)
from latent_arithmetic.images.models.networks import build_conv_net, build_deconv_net
from latent_arithmetic.images.models.vae import VAE
from latent_arithmetic.images.models.vae_gan import VAEGAN

FEWEST_CHANNELS = 24
LARGEST_LAST_SIDE = 7  # pixels of the smallest feature map


@dataclass(frozen=True)
class Canvas:
    """What the networks have to know of the pictures.

    size: side in pixels. doubled: every pixel comes as a block of 2 x 2 (pixel art):
    then the layer next to the picture works block by block, with a kernel of 2 (or a
    repeated pixel), which costs a quarter and cannot blur. colours: how many there
    are, if so few that they are a palette, else 0. attributes: how many yes/no
    attributes of a picture are known.
    """

    size: int = 64
    doubled: bool = True
    colours: int = 0
    attributes: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.size, self.size, 3)

    @property
    def block(self) -> int:
        """Side, in pixels, of the squares that share a colour."""
        return 2 if self.doubled else 1

    @property
    def n_layers(self) -> int:
        """How often the side can be halved, down to 4 or an odd number."""
        side, count = self.size, 0
        while side > 4 and side % 2 == 0:
            side, count = side // 2, count + 1
        if not 3 <= side <= LARGEST_LAST_SIDE or count == 0:
            raise UserError(
                f"received pictures of {self.size} pixels; expected a size that can be "
                "halved down to 3 to 7 pixels, such as 24, 32, 48, 64, 96 or 128"
            )
        return count

    def channels(self, widest: int, finest: int = FEWEST_CHANNELS) -> tuple[int, ...]:
        """Twice as many channels at every halving, up to ``widest``; next to the
        picture at least ``finest``, which pixel art does without."""
        fewest = FEWEST_CHANNELS if self.doubled else finest
        halvings = range(self.n_layers - 1, -1, -1)
        return tuple(max(fewest, widest // 2**n) for n in halvings)

    def down(self, *channels: int, kernel: int = 3, **arguments) -> dict:
        """Arguments of ``build_conv_net`` that fit these pictures; kernel: of all
        layers but the one next to pixel art."""
        first = 2 if self.doubled else kernel
        return {
            "input_shape": self.shape,
            "channels": self.channels(*channels),
            "kernel_size": (first,) + (kernel,) * (self.n_layers - 1),
            "activation": "leaky_relu",
            **arguments,
        }

    def up(self, *channels: int, **arguments) -> dict:
        """Arguments of ``build_deconv_net`` that fit these pictures."""
        last_kernel, last_way = (1, "nearest") if self.doubled else (4, "transposed")
        inner = self.n_layers - 1
        return {
            "output_shape": self.shape,
            "channels": self.channels(*channels)[::-1],
            "kernel_size": (4,) * inner + (last_kernel,),
            "upsampling": ("transposed",) * inner + (last_way,),
            "activation": "leaky_relu",
            **arguments,
        }

    def palette(self) -> PaletteLikelihood:
        """The palette, yet without colours; a doubled pixel has but one."""
        return PaletteLikelihood(self.colours, self.block)

    def up_to_palette(self, *channels: int, **arguments) -> dict:
        """The same for a decoder that gives every colour of the palette its logit;
        doubled pixels are decided once."""
        wanted = self.up(*channels, output_activation=None, **arguments)
        if self.doubled:
            half = self.size // 2
            steps = (2,) * (self.n_layers - 1) + (1,)
            wanted |= {"output_shape": (half, half, self.colours), "strides": steps}
        else:
            wanted |= {"output_shape": (self.size, self.size, self.colours)}
        return wanted


def design_cae(
    canvas: Canvas, *, width: int, latent_dim: int, seed: int = 0
) -> Autoencoder:
    """A picture, a code of ``latent_dim`` numbers, the picture again.

    width: channels of the smallest feature map.
    """
    encoder = build_conv_net(
        output_units=latent_dim,
        **canvas.down(width, normalisation="batch", name="encoder"),
    )
    decoder = build_deconv_net(
        latent_dim, **canvas.up(width, normalisation="batch", name="decoder")
    )
    return Autoencoder(encoder, decoder)


def design_vae(
    canvas: Canvas,
    *,
    width: int,
    latent_dim: int,
    finest: int = FEWEST_CHANNELS,
    sigma: float | None = None,
    palette: bool = True,
    tells_attributes: bool = False,
    sharpness: float = 0.0,
    contest: dict | None = None,
    seed: int = 0,
    **bound,
) -> VAE:
    """The CAE's networks; the encoder gives twice as much, a mean and a spread, and
    says which attributes it sees.

    finest: channels next to a photograph at least.
    palette: decide for one of the palette's colours at every pixel, where there is
        one; else, or without, a Gaussian of spread ``sigma``.
    tells_attributes: whether it is told what attributes pictures have, if any.
    sharpness: of ``VAEGAN``, where no palette makes pictures sharp; 0 for no
        discriminator. contest: its ``ContestSettings``.
    bound: ``warm_up``, ``free_bits``, ``kl_weight`` and ``attribute_weight`` of
        ``VAE``.
    """
    attributes = canvas.attributes if tells_attributes else 0
    bound |= {"attributes": attributes, "seed": seed}
    encoder = build_conv_net(
        output_units=2 * latent_dim + attributes,
        **canvas.down(width, finest, normalisation="batch", name="encoder"),
    )
    chosen = palette and canvas.colours > 0
    likelihood = canvas.palette() if chosen else GaussianLikelihood(sigma)
    form = canvas.up_to_palette if chosen else canvas.up
    decoder = build_deconv_net(
        latent_dim, **form(width, finest, normalisation="batch", name="decoder")
    )
    networks = (encoder, decoder, likelihood)
    if chosen or not sharpness:
        return VAE(*networks, **bound)
    judge = _discriminator(canvas, attributes, width, finest)
    settings = ContestSettings(**contest or {})
    return VAEGAN(*networks, judge, settings, sharpness=sharpness, **bound)


def design_gan(
    canvas: Canvas,
    *,
    width: int,
    latent_dim: int,
    kernel: int = 3,
    tells_attributes: bool = False,
    seed: int = 0,
    **settings,
) -> GAN:
    """A decoder that invents, and an encoder that judges.

    kernel: of the discriminator, in pixels.
    tells_attributes: as with the VAE. settings: of ``GANSettings``.
    """
    attributes = canvas.attributes if tells_attributes else 0
    brick = {"normalisation": "batch", "output_activation": "tanh", "name": "generator"}
    generator = build_deconv_net(latent_dim + attributes, **canvas.up(width, **brick))
    discriminator = _discriminator(canvas, attributes, width, kernel=kernel)
    settings = GANSettings(**settings, block=canvas.block, attributes=attributes)
    return GAN(generator, discriminator, settings, seed=seed)


def _discriminator(
    canvas: Canvas, attributes: int, *channels: int, **form
) -> keras.Model:
    """An encoder that judges; without batch normalisation: it must judge every
    picture by itself, and its penalties are slopes at single pictures."""
    brick = canvas.down(*channels, **form, name="discriminator")
    return build_conv_net(output_units=1 + attributes, **brick)


COURSE_BRICK = {"channels": 128, "n_layers": 4, "kernel_size": 3, "activation": "relu"}


def design_course_vae(canvas: Canvas, *, latent_dim: int, sigma: float, seed: int = 0):
    """The course's VAE: the same number of channels everywhere, squared errors."""
    encoder = build_conv_net(
        canvas.shape, 2 * latent_dim, **COURSE_BRICK, name="encoder"
    )
    decoder = build_deconv_net(latent_dim, canvas.shape, **COURSE_BRICK, name="decoder")
    return VAE(encoder, decoder, GaussianLikelihood(sigma), seed=seed)


def design_course_gan(canvas: Canvas, *, latent_dim: int, seed: int = 0, **settings):
    """The course's GAN: the same bricks, binary cross-entropy, no penalty."""
    generator = build_deconv_net(
        latent_dim,
        canvas.shape,
        **COURSE_BRICK,
        output_activation="tanh",
        name="generator",
    )
    discriminator = build_conv_net(
        canvas.shape, 1, **COURSE_BRICK, name="discriminator"
    )
    return GAN(generator, discriminator, GANSettings(**settings), seed=seed)
