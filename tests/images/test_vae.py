"""VAE and VAE-GAN: losses by hand, attribute embeddings, separate gradients."""

import keras
import numpy as np
import pytest
from keras import ops

from latent_arithmetic.images.gan import AdversarialConfig
from latent_arithmetic.images.likelihoods import BASELINE_SIGMA, GaussianLikelihood
from latent_arithmetic.images.vae import VAE, VAEGAN, kl_divergence
from latent_arithmetic.io import UserError
from latent_arithmetic.training import jit_compile
from tests.images.small_models import (
    LATENT_DIM,
    SIDE,
    copy_weights,
    random_images,
    small_conv_net,
    small_deconv_net,
    train_losses,
)

pytestmark = pytest.mark.usefixtures("compiled")

N_VALUES = SIDE * SIDE * 3
KL = np.array([1, 4, 9]) / 2 / 4  # of each latent variable, see `loss_of`
NO_ERROR = N_VALUES / 2 * np.log(2 * np.pi)  # nats of a perfect image, for sigma 1


def small_vae(sigma=1.0, n_attributes=0, **arguments):
    encoder = small_conv_net(2 * LATENT_DIM + n_attributes)
    likelihood = GaussianLikelihood(sigma)
    arguments["n_attributes"] = n_attributes
    return VAE(encoder, small_deconv_net(), likelihood, **arguments)


def small_vae_gan(adversarial_weight=2.0, gamma=0.5):
    config = AdversarialConfig(gamma=gamma, penalty_every=1)
    networks = (small_conv_net(2 * LATENT_DIM), small_deconv_net())
    return VAEGAN(
        *networks,
        GaussianLikelihood(1.0),
        small_conv_net(1),
        config,
        adversarial_weight=adversarial_weight,
    )


def loss_of(vae, x, reconstruction, y=None):
    """The loss for four images of which KL and attribute logits are known."""
    mean = np.array([[1, 0, 0], [0, 2, 0], [0, 0, 0], [0, 0, 3]], "float32")
    vae.decoder = lambda z, training: reconstruction
    encoded = (
        ops.convert_to_tensor(mean),
        ops.zeros((4, LATENT_DIM)),
        ops.zeros((4, vae.n_attributes)),
    )
    return float(vae.compute_loss(x=x, y=y, y_pred=encoded))


def test_kl_divergence_by_hand():
    mean = np.array([[1.0, 2.0], [0.0, 0.0]], "float32")
    log_variance = np.log(np.array([[1.0, 4.0], [1.0, 1.0]], "float32"))
    # 0.5 (1 + 1 - 1 - 0), 0.5 (4 + 4 - 1 - ln 4), and 0.
    by_hand = [[0.5, 0.5 * (7 - np.log(4))], [0.0, 0.0]]
    found = ops.convert_to_numpy(kl_divergence(mean, log_variance))
    np.testing.assert_allclose(found, by_hand, rtol=1e-6, atol=1e-6)


def test_the_loss_by_hand():
    x, reconstruction = random_images(4), random_images(4)[::-1].copy()
    squares = ((x - reconstruction) ** 2).sum(axis=(1, 2, 3))
    loss = loss_of(small_vae(BASELINE_SIGMA), x, reconstruction)
    constant = N_VALUES / 2 * np.log(np.pi)
    assert loss == pytest.approx(squares.mean() + KL.sum() + constant, rel=1e-5)

    variance = squares.mean() / N_VALUES
    gaussian = N_VALUES / 2 * (np.log(2 * np.pi * variance) + 1)
    loss = loss_of(small_vae(sigma=None), x, reconstruction)
    assert loss == pytest.approx(gaussian + KL.sum(), rel=1e-5)


def test_warm_up_free_bits_and_beta_by_hand():
    x = random_images(4)
    vae = small_vae(kl_warm_up=4, free_bits=0.25, beta=0.5)
    weighted = 0.5 * (0.25 + KL[1] + KL[2])
    for warm in (0.25, 0.5, 0.75, 1.0, 1.0):
        loss = loss_of(vae, x, x)
        assert loss == pytest.approx(NO_ERROR + warm * weighted, rel=1e-6)


def test_the_negative_elbo_is_the_loss_without_warm_up():
    x = random_images(200)
    vae = small_vae(0.5, kl_warm_up=1000)
    bound = float(ops.mean(vae.negative_elbo(x)))
    plain = VAE(vae.encoder, vae.decoder, GaussianLikelihood(0.5))
    loss = float(plain.compute_loss(x=x, y_pred=vae(x)))
    assert bound == pytest.approx(loss, rel=0.01)  # two samples of the latents


def test_latents_are_sampled_in_training_only():
    vae, x = small_vae(seed=1), random_images(4)
    encoded = vae(x)
    codes = ops.convert_to_numpy(vae.encode(x))
    np.testing.assert_array_equal(ops.convert_to_numpy(encoded[0]), codes)

    def loss(training):
        return float(vae.compute_loss(x=x, y_pred=encoded, training=training))

    assert loss(training=False) == loss(training=False)
    assert loss(training=True) != loss(training=True)


def test_attributes_have_embeddings_and_are_predicted():
    """Logits of 0 have a cross-entropy of ln 2 each, times the weight."""
    x, labels = random_images(4), np.eye(4, 2, dtype=bool)
    vae = small_vae(n_attributes=2, attribute_weight=3.0)
    encoder, decoder = vae.encoder, vae.decoder
    loss = loss_of(vae, x, x, {"attributes": labels})
    expected = NO_ERROR + KL.sum() + 3 * 2 * np.log(2)
    assert loss == pytest.approx(expected, rel=1e-5)

    likelihood = GaussianLikelihood(1.0)
    vae = VAE(encoder, decoder, likelihood, n_attributes=2, attribute_weight=3.0)
    embeddings = ops.convert_to_numpy(vae.attribute_embeddings)
    latents = np.ones((4, LATENT_DIM), "float32")
    by_hand = latents + labels.astype("float32") @ embeddings
    found = ops.convert_to_numpy(vae.embed(latents, labels))
    np.testing.assert_allclose(found, by_hand, rtol=1e-6)
    predicted = ops.convert_to_numpy(vae.predict_attributes(x))
    residuals = ops.convert_to_numpy(vae.residual_latents(x))
    by_hand = residuals + predicted.astype("float32") @ embeddings
    codes = ops.convert_to_numpy(vae.encode(x))
    np.testing.assert_allclose(codes, by_hand, rtol=1e-5, atol=1e-6)


def test_in_training_the_decoder_gets_the_true_attributes():
    x, inputs = random_images(4), []
    vae = small_vae(n_attributes=1, seed=2)
    encoded = vae(x)
    vae.decoder = lambda z, training: inputs.append(z) or x
    for present in (False, True):
        y = {"attributes": np.full((4, 1), present)}
        vae.compute_loss(x=x, y=y, y_pred=encoded, training=False)
    without, with_it = map(ops.convert_to_numpy, inputs)
    embeddings = ops.convert_to_numpy(vae.attribute_embeddings)
    expected = np.broadcast_to(embeddings, (4, LATENT_DIM))
    np.testing.assert_allclose(with_it - without, expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "build",
    [
        lambda: VAE(
            small_conv_net(2 * LATENT_DIM, normalization="batch"), small_deconv_net()
        ),
        small_vae_gan,
    ],
)
def test_training_lowers_the_loss(build):
    keras.utils.set_random_seed(0)
    model = build()
    model.compile(keras.optimizers.Adam(3e-3), jit_compile=jit_compile())
    losses = [step["loss"] for step in train_losses(model, random_images())]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]


def test_the_vae_gan_loss_by_hand():
    x, reconstruction = random_images(4), random_images(4)[::-1].copy()
    model = small_vae_gan(adversarial_weight=3.0, gamma=0.0)
    model.decoder = lambda z, training: reconstruction
    zeros = ops.zeros((4, LATENT_DIM))
    encoded = zeros, zeros, zeros[:, :0]
    elbo_loss = float(VAE.compute_loss(model, x=x, y_pred=encoded))
    on_real, on_fake = (
        ops.convert_to_numpy(model.discriminator(2 * images - 1))
        for images in (x, reconstruction)
    )
    generator, real, fake = (
        np.log1p(np.exp(logits)).mean() for logits in (-on_fake, -on_real, on_fake)
    )
    loss = float(model.compute_loss(x=x, y_pred=encoded))
    assert loss == pytest.approx(elbo_loss + 3 * generator + real + fake, rel=1e-6)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_encoder_and_decoder_follow_the_discriminator_by_the_adversarial_weight():
    def weights_after_one_step(adversarial_weight):
        keras.utils.set_random_seed(0)
        model = small_vae_gan(adversarial_weight)
        model.compile(keras.optimizers.SGD(1e-3), jit_compile=jit_compile())
        model.train_on_batch(random_images())
        parts = (model.encoder, model.decoder, model.discriminator)
        return [copy_weights(part.trainable_variables) for part in parts]

    without, strong = weights_after_one_step(0.0), weights_after_one_step(50.0)
    for one, other in zip(without[:2], strong[:2], strict=True):
        differences = [np.abs(a - b).max() for a, b in zip(one, other, strict=True)]
        assert max(differences) > 1e-5
    for one, other in zip(without[2], strong[2], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)

    keras.utils.set_random_seed(0)
    same = small_vae_gan(0.0)  # the same initial weights, then without a discriminator
    plain = VAE(same.encoder, same.decoder, GaussianLikelihood(1.0))
    plain.compile(keras.optimizers.SGD(1e-3), jit_compile=jit_compile())
    plain.train_on_batch(random_images())
    alone = copy_weights(plain.encoder.trainable_variables)
    for one, other in zip(without[0], alone, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_an_encoder_of_the_wrong_length_is_refused():
    with pytest.raises(UserError, match="expected 6"):
        VAE(small_conv_net(LATENT_DIM), small_deconv_net())
