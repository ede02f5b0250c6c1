"""The GAN: losses by hand, separate gradients, averaged weights, augmentation."""

import keras
import numpy as np
import pytest
from keras import ops

from latent_arithmetic.images.gan import GAN, AdversarialConfig, translate
from latent_arithmetic.images.networks import build_deconv_net
from latent_arithmetic.io import UserError
from latent_arithmetic.training import jit_compile
from tests.images.small_models import (
    LATENT_DIM,
    SIDE,
    changed,
    copy_weights,
    random_images,
    small_conv_net,
    small_deconv_net,
    train_losses,
)

pytestmark = pytest.mark.usefixtures("compiled")


def small_gan(gan_loss="non-saturating", gamma=1.0, **arguments):
    generator = small_deconv_net(output_activation="tanh")
    config = AdversarialConfig(gan_loss, gamma, penalty_every=1)
    return GAN(generator, small_conv_net(1), config, **arguments)


@pytest.mark.parametrize("gan_loss", ["non-saturating", "relativistic"])
def test_losses_by_hand(gan_loss):
    real, fake = random_images(4, low=-1.0), random_images(4, low=-1.0)[::-1].copy()
    gan = small_gan(gan_loss, gamma=0.0)
    losses = gan.adversarial_loss(real, fake, real[:, 0, 0, :0], True)
    losses = {name: float(loss) for name, loss in losses.items()}
    on_real, on_fake = (
        ops.convert_to_numpy(gan.discriminator(images)) for images in (real, fake)
    )

    def softplus(logits):
        return np.log1p(np.exp(logits)).mean()

    if gan_loss == "relativistic":
        generator = softplus(on_real - on_fake)
        discriminator = softplus(on_fake - on_real)
    else:
        generator = softplus(-on_fake)
        discriminator = softplus(-on_real) + softplus(on_fake)
    by_hand = {"generator": generator, "discriminator": discriminator}
    assert losses == pytest.approx(by_hand | {"gradient_penalty": 0.0}, rel=1e-5)


def weights_after_one_step(gan_loss, part):
    """Which weights change, and into what, when one loss counts or both do."""
    keras.utils.set_random_seed(0)
    gan = small_gan(gan_loss, gamma=0.5)
    before = copy_weights(gan.trainable_variables)
    loss = gan.adversarial_loss
    if part == "discriminator":
        loss.generator_loss = lambda *_: ops.zeros(())
    if part == "generator":
        original = loss.discriminate
        loss.discriminate = lambda *a: [ops.stop_gradient(x) for x in original(*a)]
    gan.compile(keras.optimizers.SGD(0.1), jit_compile=jit_compile())
    gan.train_on_batch(random_images(low=-1.0))
    after = gan.trainable_variables
    return changed(before, after), copy_weights(after)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("gan_loss", ["relativistic", "non-saturating"])
def test_each_network_gets_the_gradient_of_its_own_loss_only(gan_loss):
    n = len(small_deconv_net().trainable_variables)  # the generator's come first
    both_changed, both = weights_after_one_step(gan_loss, "both")
    d_changed, by_discriminator = weights_after_one_step(gan_loss, "discriminator")
    g_changed, by_generator = weights_after_one_step(gan_loss, "generator")
    assert any(both_changed[:n]) and any(both_changed[n:])
    assert not any(d_changed[:n]) and not any(g_changed[n:])
    # Both losses together do what each does alone.
    alone = by_generator[:n] + by_discriminator[n:]
    for found, expected in zip(both, alone, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)


def test_the_finite_difference_estimates_the_squared_gradient_norm():
    """For D(x) = w x the gradient is w everywhere, so R1 = R2 = ||w||^2."""
    discriminator = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten()])
    discriminator.add(keras.layers.Dense(1, use_bias=False))
    generator = build_deconv_net(2, (4, 4, 3), channels=(3,), output_activation="tanh")
    config = AdversarialConfig(gamma=2.0, penalty_every=1)
    gan = GAN(generator, discriminator, config)
    values = np.random.default_rng(0).uniform(-1, 1, (2000, 4, 4, 3))
    x = ops.convert_to_tensor(values.astype("float32"))
    attributes = x[:, 0, 0, :0]
    penalty = float(gan.adversarial_loss.discriminate(x, -x, attributes, True)[2])
    squared_norm = float(np.square(copy_weights(discriminator.weights)[0]).sum())
    assert penalty == pytest.approx(2.0 * squared_norm, rel=0.1)


def test_attributes_add_to_the_logits():
    """With D(x) = 0 and an attribute worth w, the logit is w where it is present."""
    discriminator = small_conv_net(3)
    discriminator.set_weights([np.zeros_like(w) for w in discriminator.get_weights()])
    discriminator.layers[-1].bias.assign([0.5, 2.0, -1.0])
    generator = small_deconv_net(LATENT_DIM + 2, output_activation="tanh")
    config = AdversarialConfig(gamma=0.0)
    gan = GAN(generator, discriminator, config, n_attributes=2)
    x = random_images(3, low=-1.0)
    attributes = np.array([[0, 0], [1, 0], [1, 1]], "float32")
    real, fake, _ = gan.adversarial_loss.discriminate(x, -x, attributes, True)
    for logits in (real, fake):
        logits = ops.convert_to_numpy(logits)
        np.testing.assert_allclose(logits, [[0.5], [2.5], [1.5]], rtol=1e-6)
    assert gan.latent_dim == LATENT_DIM
    inputs = ops.convert_to_numpy(gan.embed(np.ones((3, LATENT_DIM)), attributes))
    np.testing.assert_array_equal(inputs[:, LATENT_DIM:], attributes)


@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments", [{"augmentation_shift": 0.2}, {"gamma": 0.0}, {"ema_half_life": 0}]
)
def test_training_stays_finite(arguments):
    keras.utils.set_random_seed(0)
    gan = small_gan(**arguments)
    gan.compile(keras.optimizers.Adam(3e-3), jit_compile=jit_compile())
    names = {"loss", "generator", "discriminator", "gradient_penalty"}
    for step in train_losses(gan, random_images(low=-1.0), steps=4):
        assert set(step) == names and np.isfinite(list(step.values())).all()


def test_without_a_half_life_the_ema_generator_is_the_generator():
    keras.utils.set_random_seed(0)
    gan = small_gan(ema_half_life=0)
    gan.compile(keras.optimizers.SGD(0.5), jit_compile=jit_compile())
    for _ in range(2):
        before = copy_weights(gan.generator.weights)
        gan.train_on_batch(random_images(low=-1.0))
    averages = copy_weights(gan.ema_generator.weights)
    for current, average in zip(before, averages, strict=True):
        np.testing.assert_allclose(current, average, atol=1e-6)


def test_the_ema_generator_by_hand():
    keras.utils.set_random_seed(0)
    gan = small_gan(ema_half_life=1)
    gan.compile(keras.optimizers.SGD(0.5), jit_compile=jit_compile())
    x = random_images(low=-1.0)
    start = copy_weights(gan.generator.weights)
    gan.train_on_batch(x)
    after_one = copy_weights(gan.generator.weights)
    # The average is taken before the optimizer's step: it has not moved yet.
    for old, average in zip(
        start, copy_weights(gan.ema_generator.weights), strict=True
    ):
        np.testing.assert_allclose(old, average, atol=1e-6)
    gan.train_on_batch(x)
    decay = min(0.5, 3 / 12)
    averages = copy_weights(gan.ema_generator.weights)
    for old, new, average in zip(start, after_one, averages, strict=True):
        np.testing.assert_allclose(decay * old + (1 - decay) * new, average, atol=1e-5)
    assert float(gan.steps_done) == 2
    assert not gan.ema_generator.trainable_variables


def test_translation_moves_whole_pixels_and_mirrors_the_border():
    x = random_images(64)
    seed = keras.random.SeedGenerator(0)
    unmoved = ops.convert_to_numpy(translate(x, 0, seed))
    np.testing.assert_allclose(unmoved, x, atol=1e-6)
    moved = ops.convert_to_numpy(translate(x, 2, seed))
    assert moved.shape == x.shape
    padded = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="symmetric")
    offsets = set()
    for image, wide in zip(moved, padded, strict=True):
        matching = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if np.allclose(wide[top : top + SIDE, left : left + SIDE], image, atol=1e-5)
        ]
        assert len(matching) == 1
        offsets.add(matching[0])
    assert len(offsets) > 10


def test_translation_keeps_doubled_pixels_doubled():
    single = random_images(64)[:, ::2, ::2].copy()
    x = single.repeat(2, axis=1).repeat(2, axis=2)

    def moved(images, **arguments):
        seed = keras.random.SeedGenerator(0)
        return ops.convert_to_numpy(translate(images, 2, seed, **arguments))

    doubled = moved(x, block_size=2)
    np.testing.assert_allclose(doubled[:, ::2, ::2], doubled[:, 1::2, 1::2], atol=1e-6)
    np.testing.assert_allclose(doubled[:, ::2, ::2], moved(single), atol=1e-6)


def test_an_unknown_loss_is_refused():
    with pytest.raises(UserError, match="relativistic"):
        small_gan("wasserstein")
