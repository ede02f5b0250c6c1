"""Configurations and presets: what they build, how they are trained, their flags."""

import argparse
from dataclasses import replace

import keras
import numpy as np
import pytest

from latent_arithmetic.config import (
    QUICK,
    SMOKE,
    Schedule,
)
from latent_arithmetic.flags import add_flags, config_from_flags
from latent_arithmetic.images.dataset import ImageSpec
from latent_arithmetic.images.presets import (
    PRESETS,
    CAEConfig,
    GANConfig,
    VAEConfig,
    _gan,
    _vae,
    build_cae,
    build_gan,
    build_vae,
    compile_model,
    find_preset,
    resolve,
    training_schedule,
)
from latent_arithmetic.images.vae import VAEGAN
from latent_arithmetic.io import UserError
from tests.images.small_models import changed, copy_weights

BUILD = {"cae": build_cae, "vae": build_vae, "gan": build_gan}
PHOTOGRAPHS = ImageSpec(32, pixel_doubled=False)
PIXEL_ART = ImageSpec(32, pixel_doubled=True, palette_size=7)
ALL_PRESETS = [(task, name) for task in PRESETS for name in PRESETS[task]]


def build(task, spec, name="default", seed=0, **values):
    config = replace(resolve(find_preset(task, name), spec), **values)
    return BUILD[task](config, spec, seed=seed)


def kernel_sizes(network):
    layers = [layer for layer in network.layers if hasattr(layer, "kernel_size")]
    return [layer.kernel_size[0] for layer in layers]


@pytest.mark.parametrize("size", [24, 64])
def test_networks_fit_the_usual_sizes(size):
    spec = ImageSpec(size, pixel_doubled=False)
    gan, vae = build("gan", spec), build("vae", spec)
    assert gan.generator.output_shape == (None, size, size, 3)
    assert gan.discriminator.output_shape == (None, 1)
    assert vae.encoder.output_shape == (None, 2 * vae.latent_dim)
    for model in (gan, vae):
        names = [type(layer).__name__ for layer in model.discriminator.layers]
        assert "BatchNormalization" not in names


@pytest.mark.parametrize("task", PRESETS)
def test_a_size_that_fits_the_layers_asked_for_is_built(task):
    model = build(task, ImageSpec(100, pixel_doubled=False), n_layers=2, channels=16)
    images = model.decode(np.zeros((1, model.latent_dim), "float32"))
    assert tuple(images.shape) == (1, 100, 100, 3)


@pytest.mark.parametrize("task", PRESETS)
def test_latents_far_from_zero_give_finite_values(task):
    model = build(task, PHOTOGRAPHS, channels=16)
    latents = np.random.default_rng(0).normal(size=(2, model.latent_dim))
    images = model.decode((1e30 * latents).astype("float32"))
    assert np.isfinite(keras.ops.convert_to_numpy(images)).all()


@pytest.mark.parametrize("pixel_doubled", [True, False])
def test_a_palette_gets_its_logits_once_for_each_block(pixel_doubled):
    spec = ImageSpec(32, pixel_doubled, palette_size=7)
    vae = build("vae", spec)
    side = 16 if pixel_doubled else 32
    assert vae.decoder.output_shape == (None, side, side, 7)
    images = vae.decode(np.zeros((2, vae.latent_dim), "float32"))
    assert tuple(images.shape) == (2, 32, 32, 3)
    gaussian = build("vae", spec, "gaussian-likelihood")
    assert gaussian.decoder.output_shape == (None, 32, 32, 3)
    plain = build("vae", spec, use_pixel_doubling=False)
    assert plain.decoder.output_shape == (None, 32, 32, 7)
    images = plain.decode(np.zeros((2, plain.latent_dim), "float32"))
    assert tuple(images.shape) == (2, 32, 32, 3)


def test_photographs_get_an_adversarial_loss_and_pixel_art_a_palette():
    assert isinstance(build("vae", PHOTOGRAPHS), VAEGAN)
    assert not isinstance(build("vae", PIXEL_ART), VAEGAN)
    assert not isinstance(build("vae", PHOTOGRAPHS, "gaussian-likelihood"), VAEGAN)
    with pytest.raises(UserError, match="palette_likelihood=False"):
        build("vae", PIXEL_ART, adversarial_weight=1.0)
    wanted = {"palette_likelihood": False, "adversarial_weight": 1.0}
    assert isinstance(build("vae", PIXEL_ART, **wanted), VAEGAN)


def test_presets_for_photographs_are_resolved_by_the_image_specification():
    preset = find_preset("vae")
    assert resolve(preset, PIXEL_ART) == VAEConfig()
    config = resolve(preset, PHOTOGRAPHS)
    assert (config.beta, config.min_channels) == (1.0, 48)
    doubled = resolve(preset, replace(PHOTOGRAPHS, pixel_doubled=True))
    assert (doubled.beta, doubled.min_channels) == (1.0, 24)
    assert resolve(find_preset("gan"), PHOTOGRAPHS) == GANConfig(kernel_size=4)


def test_the_values_of_a_preset_hold_for_photographs_too():
    assert resolve(_vae(beta=4.0), PHOTOGRAPHS).beta == 4.0
    assert resolve(_vae(beta=4.0), PHOTOGRAPHS).adversarial_weight == 600.0
    assert resolve(_gan(kernel_size=3), PHOTOGRAPHS).kernel_size == 3


@pytest.mark.parametrize("kernel_size", [2, 3, 4, 5])
def test_presets_of_kernel_sizes_change_the_discriminator_of_photographs(kernel_size):
    name = "default" if kernel_size == 4 else f"kernel-size-{kernel_size}"
    gan = build("gan", PHOTOGRAPHS, name)
    assert kernel_sizes(gan.discriminator) == [kernel_size] * 3
    assert kernel_sizes(gan.generator) == [4] * 3
    assert kernel_sizes(build("gan", PIXEL_ART, name).discriminator) == [2, 3, 3]


def test_the_baseline_has_the_assignment_s_networks():
    vae = build("vae", ImageSpec(64, True, 7, 2), "baseline")
    assert kernel_sizes(vae.encoder) == kernel_sizes(vae.decoder) == [3] * 4
    filters = [x.filters for x in vae.encoder.layers if hasattr(x, "filters")]
    assert filters == [128] * 4
    assert vae.decoder.output_shape == (None, 64, 64, 3)
    assert vae.n_attributes == 0


@pytest.mark.parametrize("task", PRESETS)
def test_the_same_seed_gives_the_same_weights(task):
    spec = ImageSpec(16, False, n_attributes=2)

    def weights(seed):
        keras.utils.set_random_seed(seed)
        return build(task, spec, seed=seed, channels=24).get_weights()

    first, same, other = weights(1), weights(1), weights(2)
    for one, two in zip(first, same, strict=True):
        np.testing.assert_array_equal(one, two)
    assert any(np.any(a != b) for a, b in zip(first, other, strict=True))


@pytest.mark.slow
@pytest.mark.parametrize(("task", "name"), ALL_PRESETS)
def test_every_preset_builds_and_trains_every_layer(task, name):
    keras.utils.set_random_seed(0)
    spec = ImageSpec(16, pixel_doubled=False, n_attributes=2)
    config = resolve(find_preset(task, name), spec)
    config = replace(config, channels=16, min_channels=8, learning_rate=1e-3)
    model = BUILD[task](config, spec)
    compile_model(model, config, steps=10)
    x = np.random.default_rng(0).uniform(0, 1, (8, 16, 16, 3)).astype("float32")
    labels = np.array([[0, 1]] * 8, "float32")
    conditional = getattr(config, "conditional", False)
    assert model.n_attributes == (2 if conditional else 0)
    kernels = [w for w in model.trainable_variables if len(w.shape) > 1]
    before = copy_weights(kernels)
    y = {"attributes": labels} if conditional else None
    assert np.isfinite(np.array(model.train_on_batch(x, y))).all()
    assert all(changed(before, kernels))
    z = np.zeros((3, model.latent_dim), "float32")
    if conditional:
        z = model.embed(z, labels[:3])
    assert tuple(model.decode(z).shape) == (3, 16, 16, 3)


def test_a_small_data_set_is_passed_over_more_often():
    usual = QUICK.vae
    whole = round(0.8 * QUICK.max_images)
    found = training_schedule(QUICK, "vae", VAEConfig(), whole)
    assert found == usual
    found = training_schedule(QUICK, "vae", VAEConfig(), whole // 2)
    assert found == replace(usual, epochs=2 * usual.epochs)
    config = VAEConfig(epochs=50, batch_size=16, learning_rate=1e-4)
    assert training_schedule(QUICK, "vae", config, 100) == Schedule(50, 16, 1e-4)


def test_the_baseline_trains_no_longer_than_the_profile():
    config = resolve(find_preset("vae", "baseline"), PHOTOGRAPHS)
    for profile in (SMOKE, QUICK):
        found = training_schedule(profile, "vae", config, 100)
        assert found == Schedule(profile.vae.epochs, 8, 1e-3)
    patient = replace(QUICK, vae=replace(QUICK.vae, epochs=99))
    assert training_schedule(patient, "vae", config, 100).epochs == 20


@pytest.mark.parametrize(
    ("task", "spec", "name", "expected"),
    [
        ("cae", PIXEL_ART, "default", (0.9, 0.99)),
        ("vae", PIXEL_ART, "default", (0.9, 0.99)),
        ("vae", PHOTOGRAPHS, "default", (0.0, 0.99)),
        ("vae", PHOTOGRAPHS, "gaussian-likelihood", (0.9, 0.99)),
        ("gan", PIXEL_ART, "default", (0.0, 0.99)),
        ("vae", PIXEL_ART, "baseline", (0.9, 0.999)),
        ("gan", PIXEL_ART, "baseline", (0.5, 0.999)),
    ],
)
def test_optimizers(task, spec, name, expected):
    config = replace(resolve(find_preset(task, name), spec), learning_rate=2e-3)
    model = BUILD[task](replace(config, channels=16), spec)
    compile_model(model, config, steps=100)
    optimizer = model.optimizer
    assert (optimizer.beta_1, optimizer.beta_2) == expected
    rates = []
    for step in (0, 5, 99):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    if name == "baseline":
        assert rates == pytest.approx([2e-3] * 3)
    else:
        assert rates[1] == pytest.approx(2e-3) and max(rates[::2]) < 1e-3


def test_every_field_is_a_flag():
    parser = argparse.ArgumentParser()
    add_flags(parser, VAEConfig)
    arguments = "--kl-warm-up 0 --gan-loss relativistic --no-conditional --sigma 0.5"
    options = parser.parse_args(arguments.split())
    values = {"kl_warm_up": 0, "gan_loss": "relativistic", "conditional": False}
    expected = VAEConfig(sigma=0.5, **values)
    assert config_from_flags(VAEConfig, options) == expected
    with pytest.raises(UserError, match="beta"):
        VAEConfig(beta=-1.0)


def test_unknown_names_and_sizes_are_one_clear_error():
    with pytest.raises(UserError, match="baseline"):
        find_preset("vae", "ours")
    with pytest.raises(UserError, match="cae, vae, gan"):
        find_preset("diffusion")
    with pytest.raises(UserError, match="halved"):
        build_cae(CAEConfig(), ImageSpec(50))
