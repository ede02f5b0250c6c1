"""The designs of the three picture models: which arguments the two bricks get.

Every network comes from ``build_conv_net`` or ``build_deconv_net``. What differs
between an autoencoder, a VAE and a GAN stands here, side by side.
"""

from dataclasses import asdict, dataclass

import keras

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.autoencoder import Autoencoder
from latent_arithmetic.images.gan import GAN, GANSettings
from latent_arithmetic.images.networks import build_conv_net, build_deconv_net
from latent_arithmetic.images.vae import VAE
from latent_arithmetic.training import cosine_schedule

CAE_LATENTS, VAE_LATENTS, GAN_LATENTS = 64, 64, 64
VAE_SIGMA = 0.3  # finer restores better, coarser samples better
AUTOENCODER_WIDTH = 192  # channels of the smallest feature map
GAN_WIDTH = 192
FEWEST_CHANNELS = 24
LARGEST_LAST_SIDE = 7  # pixels of the smallest feature map
ADAM_BETAS = {"autoencoder": (0.9, 0.99), "gan": (0.0, 0.99)}
GAN_SETTINGS = GANSettings(gamma=6.0, penalty_every=4, half_life=200)


@dataclass(frozen=True)
class Canvas:
    """What the networks have to know of the pictures.

    size: side in pixels. doubled: every pixel comes as a block of 2 x 2 (pixel art):
    then the layer next to the picture works block by block, with a kernel of 2 (or a
    repeated pixel), which costs a quarter and cannot blur.
    """

    size: int = 64
    doubled: bool = True

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.size, self.size, 3)

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

    def channels(self, widest: int) -> tuple[int, ...]:
        """Twice as many channels at every halving, up to ``widest``."""
        halvings = range(self.n_layers - 1, -1, -1)
        return tuple(max(FEWEST_CHANNELS, widest // 2**n) for n in halvings)

    def down(self, widest: int, **arguments) -> dict:
        """Arguments of ``build_conv_net`` that fit these pictures."""
        first = 2 if self.doubled else 3
        return {
            "input_shape": self.shape,
            "channels": self.channels(widest),
            "kernel_size": (first,) + (3,) * (self.n_layers - 1),
            "activation": "leaky_relu",
            **arguments,
        }

    def up(self, widest: int, **arguments) -> dict:
        """Arguments of ``build_deconv_net`` that fit these pictures."""
        last_kernel, last_way = (1, "nearest") if self.doubled else (4, "transposed")
        inner = self.n_layers - 1
        return {
            "output_shape": self.shape,
            "channels": self.channels(widest)[::-1],
            "kernel_size": (4,) * inner + (last_kernel,),
            "upsampling": ("transposed",) * inner + (last_way,),
            "activation": "leaky_relu",
            **arguments,
        }


def design_cae(
    canvas: Canvas, latent_dim: int = CAE_LATENTS, seed: int = 0
) -> Autoencoder:
    """A picture, a code of ``latent_dim`` numbers, the picture again."""
    encoder = build_conv_net(
        output_units=latent_dim,
        **canvas.down(AUTOENCODER_WIDTH, normalisation="batch", name="encoder"),
    )
    decoder = build_deconv_net(
        latent_dim,
        **canvas.up(AUTOENCODER_WIDTH, normalisation="batch", name="decoder"),
    )
    return Autoencoder(encoder, decoder)


def design_vae(canvas: Canvas, latent_dim: int = VAE_LATENTS, seed: int = 0) -> VAE:
    """The CAE's networks; the encoder gives twice as much, a mean and a spread."""
    encoder = build_conv_net(
        output_units=2 * latent_dim,
        **canvas.down(AUTOENCODER_WIDTH, normalisation="batch", name="encoder"),
    )
    decoder = build_deconv_net(
        latent_dim,
        **canvas.up(AUTOENCODER_WIDTH, normalisation="batch", name="decoder"),
    )
    return VAE(encoder, decoder, sigma=VAE_SIGMA, seed=seed)


def design_gan(canvas: Canvas, latent_dim: int = GAN_LATENTS, seed: int = 0) -> GAN:
    """A decoder that invents, and an encoder with one output that judges.

    The discriminator has no batch normalisation: it must judge every picture by
    itself, and its penalties are slopes at single pictures.
    """
    generator = build_deconv_net(
        latent_dim,
        **canvas.up(
            GAN_WIDTH, normalisation="batch", output_activation="tanh", name="generator"
        ),
    )
    discriminator = build_conv_net(
        output_units=1, **canvas.down(GAN_WIDTH, name="discriminator")
    )
    return GAN(generator, discriminator, GAN_SETTINGS, seed=seed)


def design_choices(task: str) -> dict:
    """What a run has to remember of its design, besides the canvas."""
    if task == "gan":
        choices = {"width": GAN_WIDTH, "latent_dim": GAN_LATENTS}
        return {**choices, **asdict(GAN_SETTINGS)}
    if task == "vae":
        choices = {"width": AUTOENCODER_WIDTH, "latent_dim": VAE_LATENTS}
        return {**choices, "sigma": VAE_SIGMA}
    return {"width": AUTOENCODER_WIDTH, "latent_dim": CAE_LATENTS}


DESIGNS = {"cae": design_cae, "vae": design_vae, "gan": design_gan}


def compile_model(model: keras.Model, learning_rate: float, steps: int) -> keras.Model:
    """Give the model its optimiser: Adam, warm-up and a cosine down to zero."""
    kind = "gan" if isinstance(model, GAN) else "autoencoder"
    beta_1, beta_2 = ADAM_BETAS[kind]
    schedule = cosine_schedule(learning_rate, steps)
    # Adam without compilation: XLA is slower than oneDNN's convolutions on a CPU.
    model.compile(
        keras.optimizers.Adam(schedule, beta_1=beta_1, beta_2=beta_2),
        jit_compile=False if keras.backend.backend() == "tensorflow" else "auto",
    )
    return model
