"""Configurations of the image models, what is built from them, and named presets.

A configuration holds all hyperparameters of a model; every field is also a flag of
the command line. The assignment's baseline and the default configuration come from
the same functions and differ in their values only.
"""

from dataclasses import dataclass, field, replace

import keras

from latent_arithmetic.config import (
    Profile,
    Schedule,
    ScheduleConfig,
    resolve_schedule,
    setting,
)
from latent_arithmetic.images.autoencoder import Autoencoder
from latent_arithmetic.images.dataset import (
    TEST_FRACTION,
    VALIDATION_FRACTION,
    ImageSpec,
)
from latent_arithmetic.images.gan import GAN, AdversarialConfig
from latent_arithmetic.images.likelihoods import (
    BASELINE_SIGMA,
    GaussianLikelihood,
    PaletteLikelihood,
)
from latent_arithmetic.images.networks import (
    NetworkConfig,
    build_conv_net,
    build_deconv_net,
    conv_arguments,
    deconv_arguments,
    uses_doubling,
)
from latent_arithmetic.images.vae import VAE, VAEGAN
from latent_arithmetic.io import UserError, expect_one_of
from latent_arithmetic.training import cosine_schedule, jit_compile


@dataclass(frozen=True)
class ImageModelConfig(NetworkConfig, ScheduleConfig):
    """What all image models have in common: their networks and how they are trained."""

    latent_dim: int = setting(64, "length of a latent vector", low=1)
    max_epochs: int | None = setting(
        None,
        "upper bound on the profile's epochs; without it, a small data set gets more "
        "of them, for as many steps",
        low=1,
    )
    learning_rate_decay: bool = setting(
        True, "linear warm-up, then cosine decay of the learning rate to 0"
    )
    beta_1: float | None = setting(
        None,
        "beta_1 of Adam (default: 0.9, or 0 with a discriminator, as in R3GAN)",
        low=0,
        high=1,
        high_open=True,
    )
    beta_2: float = setting(
        0.99, "beta_2 of Adam, for squared gradients", low=0, high=1, high_open=True
    )


@dataclass(frozen=True)
class CAEConfig(ImageModelConfig):
    """All hyperparameters of a convolutional autoencoder."""


@dataclass(frozen=True)
class VAEConfig(AdversarialConfig, ImageModelConfig):
    """All hyperparameters of a VAE, and of a VAE-GAN if `adversarial_weight` > 0."""

    beta: float = setting(0.2, "KL weight; 1 on photographs", low=0)
    kl_warm_up: int = setting(
        300, "steps in which the KL weight grows linearly from 0 to beta", low=0
    )
    free_bits: float = setting(
        0.0, "nats per latent variable below which the KL has no effect", low=0
    )
    palette_likelihood: bool = setting(
        True, "categorical likelihood over the palette of pixel art, else Gaussian"
    )
    sigma: float | None = setting(
        None,
        "standard deviation of the Gaussian likelihood (default: optimal, sigma-VAE)",
        low=0,
        low_open=True,
    )
    conditional: bool = setting(True, "conditional on the attributes of labeled images")
    attribute_weight: float = setting(
        10.0, "weight of the cross-entropy of the predicted attributes", low=0
    )
    adversarial_weight: float = setting(
        0.0, "weight of the adversarial loss, in nats; 600 on photographs", low=0
    )


@dataclass(frozen=True)
class GANConfig(AdversarialConfig, ImageModelConfig):
    """All hyperparameters of a GAN."""

    conditional: bool = setting(True, "conditional on the attributes of labeled images")
    ema_half_life: int = setting(
        200,
        "half-life, in steps, of the exponential moving average (EMA) of the "
        "generator's weights; 0: no EMA",
        low=0,
    )
    augmentation_shift: float = setting(
        0.0,
        "largest shift of DiffAugment translation, as a fraction of the side",
        low=0,
        high=0.5,
    )


def build_cae(config: CAEConfig, spec: ImageSpec, seed: int = 0) -> Autoencoder:
    """An untrained autoencoder; its weights depend on Keras's global seed alone."""
    encoder = _build_encoder(config, spec, config.latent_dim)
    return Autoencoder(encoder, _build_decoder(config, spec, config.latent_dim))


def build_vae(config: VAEConfig, spec: ImageSpec, seed: int = 0) -> VAE:
    """An untrained VAE, or VAE-GAN.

    Args:
        seed: Of the embeddings' initial values and of all noise in training; the
            networks depend on Keras's global seed.

    Raises:
        UserError: An adversarial loss is wanted with a palette likelihood.
    """
    n_attributes = spec.n_attributes if config.conditional else 0
    has_palette = config.palette_likelihood and spec.palette_size > 0
    if has_palette and config.adversarial_weight:
        raise UserError(
            f"received adversarial_weight={config.adversarial_weight} with a palette "
            "likelihood, whose images are sharp without; expected 0, or "
            "palette_likelihood=False"
        )
    encoder = _build_encoder(config, spec, 2 * config.latent_dim + n_attributes)
    if has_palette:
        block_size = spec.block_size if uses_doubling(config, spec) else 1
        likelihood = PaletteLikelihood(spec.palette_size, block_size)
    else:
        likelihood = GaussianLikelihood(config.sigma)
    decoder = _build_decoder(config, spec, config.latent_dim, palette=has_palette)
    networks = (encoder, decoder, likelihood)
    arguments = {
        "beta": config.beta,
        "kl_warm_up": config.kl_warm_up,
        "free_bits": config.free_bits,
        "n_attributes": n_attributes,
        "attribute_weight": config.attribute_weight,
        "seed": seed,
    }
    if not config.adversarial_weight:
        return VAE(*networks, **arguments)
    discriminator = _build_discriminator(config, spec, n_attributes)
    arguments["adversarial_weight"] = config.adversarial_weight
    return VAEGAN(*networks, discriminator, config, **arguments)


def build_gan(config: GANConfig, spec: ImageSpec, seed: int = 0) -> GAN:
    """An untrained GAN; `seed` as in `build_vae`."""
    n_attributes = spec.n_attributes if config.conditional else 0
    generator = _build_decoder(
        config,
        spec,
        config.latent_dim + n_attributes,
        output_activation="tanh",
        name="generator",
    )
    return GAN(
        generator,
        _build_discriminator(config, spec, n_attributes),
        config,
        n_attributes=n_attributes,
        ema_half_life=config.ema_half_life,
        augmentation_shift=config.augmentation_shift,
        block_size=spec.block_size,
        seed=seed,
    )


def _build_encoder(
    config: ImageModelConfig, spec: ImageSpec, output_units: int
) -> keras.Model:
    changes = {"normalization": config.normalization, "name": "encoder"}
    return build_conv_net(
        output_units=output_units, **conv_arguments(config, spec, **changes)
    )


def _build_decoder(
    config: ImageModelConfig,
    spec: ImageSpec,
    input_units: int,
    *,
    name: str = "decoder",
    **changes,
) -> keras.Model:
    changes |= {"normalization": config.normalization, "name": name}
    return build_deconv_net(input_units, **deconv_arguments(config, spec, **changes))


def _build_discriminator(
    config: ImageModelConfig, spec: ImageSpec, n_attributes: int
) -> keras.Model:
    """An encoder without batch normalization: its output for an image must not depend
    on other images, and the gradient penalty is about single images."""
    arguments = conv_arguments(config, spec, name="discriminator")
    return build_conv_net(output_units=1 + n_attributes, **arguments)


def training_schedule(
    profile: Profile, task: str, config: ImageModelConfig, n_train: int
) -> Schedule:
    """How a model is trained with `n_train` images: as the configuration says, else as
    the profile does.

    A profile's epochs are meant for as many images as it uses at most; a smaller data
    set gets more epochs, for as many steps, unless `max_epochs` is set.
    """
    usual = profile.schedule(task)
    if config.max_epochs is not None:
        epochs = min(config.max_epochs, usual.epochs)
    else:
        meant = profile.max_images * (1 - VALIDATION_FRACTION - TEST_FRACTION)
        epochs = max(1, round(usual.epochs * meant / n_train))
    return resolve_schedule(config, replace(usual, epochs=epochs))


def compile_model(model: keras.Model, config: ImageModelConfig, steps: int) -> None:
    """Gives a model its optimizer, Adam.

    Args:
        config: With its learning rate set, see `training_schedule`.
        steps: Of the whole training, for the decay of the learning rate.
    """
    learning_rate = config.learning_rate
    if config.learning_rate_decay:
        learning_rate = cosine_schedule(learning_rate, steps)
    beta_1 = config.beta_1
    if beta_1 is None:
        beta_1 = 0.0 if hasattr(model, "adversarial_loss") else 0.9
    optimizer = keras.optimizers.Adam(learning_rate, beta_1, config.beta_2)
    model.compile(optimizer, jit_compile=jit_compile())


@dataclass(frozen=True)
class Preset:
    """A named configuration.

    Args:
        config: For pixel art, whose colors are a palette.
        photographs: Values that differ for images without a palette.
    """

    config: ImageModelConfig
    photographs: dict = field(default_factory=dict)


VAE_PHOTOGRAPHS = {"adversarial_weight": 600.0, "beta": 1.0, "min_channels": 48}
# With kernel sizes of 2 or 3, anime faces are twice as far from real ones.
GAN_PHOTOGRAPHS = {"kernel_size": 4}


def _preset(config_class: type, values: dict, photographs: dict) -> Preset:
    """A preset whose own values hold for photographs, too."""
    return Preset(config_class(**values), photographs | values)


def _vae(**values) -> Preset:
    return _preset(VAEConfig, values, VAE_PHOTOGRAPHS)


def _gaussian_vae(**values) -> Preset:
    """A VAE with a Gaussian likelihood and no adversarial loss."""
    values |= {"palette_likelihood": False, "adversarial_weight": 0.0}
    return _preset(VAEConfig, values, VAE_PHOTOGRAPHS)


def _gan(**values) -> Preset:
    return _preset(GANConfig, values, GAN_PHOTOGRAPHS)


BASELINE = {
    "channels": 128,
    "channel_scheme": "fixed",
    "n_layers": 4,
    "kernel_size": 3,
    "deconv_kernel_size": 3,
    "use_pixel_doubling": False,
    "activation": "relu",
    "normalization": "none",
    "conditional": False,
    "max_epochs": 20,
    "learning_rate_decay": False,
    "beta_2": 0.999,
}
BASELINE_VAE = VAEConfig(
    **BASELINE,
    palette_likelihood=False,
    sigma=BASELINE_SIGMA,
    beta=1.0,
    kl_warm_up=0,
    batch_size=8,
    learning_rate=1e-3,
    beta_1=0.9,
)
BASELINE_GAN = GANConfig(
    **BASELINE,
    latent_dim=256,
    gamma=0.0,
    ema_half_life=500,
    batch_size=64,
    learning_rate=2e-4,
    beta_1=0.5,
)
PRESETS: dict[str, dict[str, Preset]] = {
    "cae": {"default": Preset(CAEConfig())},
    "vae": {
        "default": _vae(),
        "unconditional": _vae(conditional=False),
        "attribute-weight-1": _vae(attribute_weight=1.0),
        "gaussian-likelihood": _gaussian_vae(),
        "fixed-sigma": _gaussian_vae(sigma=0.3),
        "no-kl-warm-up": _vae(kl_warm_up=0),
        "free-bits": _vae(free_bits=0.1),
        "beta-1": _vae(beta=1.0),
        "baseline": Preset(BASELINE_VAE),
    },
    "gan": {
        "default": _gan(),
        "kernel-size-2": Preset(GANConfig(), {"kernel_size": 2}),
        "kernel-size-3": Preset(GANConfig()),
        "kernel-size-5": Preset(GANConfig(), {"kernel_size": 5}),
        "unconditional": _gan(conditional=False),
        "diffaugment-translation": _gan(augmentation_shift=0.125),
        "no-ema": _gan(ema_half_life=0),
        "no-gradient-penalty": _gan(gamma=0.0),
        "gamma-1": _gan(gamma=1.0),
        "relativistic-loss": _gan(gan_loss="relativistic", gamma=1.0),
        "relativistic-loss-no-gradient-penalty": _gan(
            gan_loss="relativistic", gamma=0.0
        ),
        "baseline": Preset(BASELINE_GAN),
    },
}


def find_preset(task: str, name: str = "default") -> Preset:
    """The preset of a task.

    Raises:
        UserError: There is no such task, or no such preset of it.
    """
    expect_one_of("task", task, PRESETS)
    expect_one_of(f"preset of {task}", name, PRESETS[task])
    return PRESETS[task][name]


def resolve(preset: Preset, spec: ImageSpec) -> ImageModelConfig:
    """The configuration of a preset for images with or without a palette."""
    if spec.palette_size:
        return preset.config
    values = dict(preset.photographs)
    if spec.pixel_doubled:  # a layer of blocks needs no more channels
        values.pop("min_channels", None)
    return replace(preset.config, **values)
