"""The autoencoder: its loss by hand, and that training lowers it."""

import keras
import numpy as np
import pytest

from latent_arithmetic.images.autoencoder import Autoencoder, squared_error
from latent_arithmetic.training import jit_compile
from tests.images.small_models import (
    LATENT_DIM,
    random_images,
    small_conv_net,
    small_deconv_net,
    train_losses,
)

pytestmark = pytest.mark.usefixtures("compiled")


def test_the_loss_is_summed_over_an_image_and_averaged_over_the_batch():
    x, reconstruction = random_images(4), random_images(4)[::-1].copy()
    by_hand = ((x - reconstruction) ** 2).sum(axis=(1, 2, 3))
    errors = keras.ops.convert_to_numpy(squared_error(x, reconstruction))
    np.testing.assert_allclose(errors, by_hand, rtol=1e-5)
    model = Autoencoder(small_conv_net(LATENT_DIM), small_deconv_net())
    loss = float(model.compute_loss(x=x, y_pred=reconstruction))
    assert loss == pytest.approx(by_hand.mean(), rel=1e-5)


def test_codes_and_reconstructions():
    model = Autoencoder(small_conv_net(LATENT_DIM), small_deconv_net())
    x = random_images(4)
    z = model.encode(x)
    assert tuple(z.shape) == (4, LATENT_DIM) and model.latent_dim == LATENT_DIM
    reconstruction = keras.ops.convert_to_numpy(model.decode(z))
    expected = keras.ops.convert_to_numpy(model(x))
    np.testing.assert_allclose(reconstruction, expected, rtol=1e-6)


def test_training_lowers_the_loss():
    keras.utils.set_random_seed(0)
    encoder = small_conv_net(LATENT_DIM, normalization="batch")
    model = Autoencoder(encoder, small_deconv_net())
    model.compile(keras.optimizers.Adam(3e-3), jit_compile=jit_compile())
    losses = [step["loss"] for step in train_losses(model, random_images())]
    assert np.isfinite(losses).all() and losses[-1] < losses[0]
