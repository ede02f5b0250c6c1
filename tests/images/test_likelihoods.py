"""Likelihoods: nats by hand, the optimal sigma, and the gradient of a palette's."""

import keras
import numpy as np
import pytest
from keras import ops

from latent_arithmetic.images.likelihoods import (
    GaussianLikelihood,
    PaletteLikelihood,
    categorical_cross_entropy,
)
from latent_arithmetic.io import UserError
from latent_arithmetic.training import jit_compile
from tests.images.small_models import random_images

pytestmark = pytest.mark.usefixtures("compiled")


def test_the_optimal_sigma_is_optimal_finite_and_remembered():
    x, other = random_images(2), random_images(2)[::-1].copy()

    def nats(likelihood, decoded, training=True):
        terms = likelihood.negative_log_likelihood(x, None, decoded, training)
        return float(ops.mean(terms))

    optimal = GaussianLikelihood()
    least = nats(optimal, other)
    assert all(least <= nats(GaussianLikelihood(s), other) for s in (0.1, 0.3, 1.0))
    assert np.isfinite(nats(GaussianLikelihood(), x))
    # The running average has moved from 1 by a hundredth of the way.
    average = 0.99 + 0.01 * float(np.square(x - other).mean())
    assert float(optimal.variance) == pytest.approx(average, rel=1e-5)
    remembered = nats(GaussianLikelihood(average**0.5), other)
    assert nats(optimal, other, training=False) == pytest.approx(remembered, rel=1e-5)


def test_gaussian_likelihood_by_hand():
    x, decoded = np.zeros((1, 1, 2, 1), "float32"), np.ones((1, 1, 2, 1), "float32")
    likelihood = GaussianLikelihood(sigma=0.5)
    nats = float(likelihood.negative_log_likelihood(x, None, decoded)[0])
    # Two values, each 0.5 ln(2 pi / 4) + 0.5 (1 / 0.5)^2.
    assert nats == pytest.approx(np.log(np.pi / 2) + 4, rel=1e-6)
    with pytest.raises(UserError, match="above 0"):
        GaussianLikelihood(sigma=0.0)


def test_palette_likelihood_by_hand():
    palette = np.array([[0, 0, 0], [255, 0, 0], [255, 255, 255]], "uint8")
    likelihood = PaletteLikelihood(3, block_size=2)
    likelihood.set_palette(palette)
    logits = np.log(np.array([[[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]]], "float32"))
    indices = np.array([[[0, 2]]])  # one image of one row and two blocks
    nats = float(likelihood.negative_log_likelihood(None, indices, logits)[0])
    assert nats == pytest.approx(-np.log(0.5) - np.log(0.1), rel=1e-5)
    images = ops.convert_to_numpy(likelihood.most_likely_images(logits))
    assert images.shape == (1, 2, 4, 3)
    np.testing.assert_array_equal(images[0, :, :2], 0.0)
    np.testing.assert_array_equal(images[0, :, 2:], np.full((2, 2, 3), [1.0, 0, 0]))
    found = likelihood.indices((255 * images).astype("uint8"))
    np.testing.assert_array_equal(found, [[[0, 1]]])


class Logits(keras.Model):
    """A model whose weights are logits; its loss is their weighted cross-entropy."""

    def __init__(self, logits):
        super().__init__()
        self.logits = self.add_weight(shape=logits.shape, name="logits")
        self.logits.assign(logits)
        self.built = True

    def call(self, x):
        return x

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        losses = categorical_cross_entropy(self.logits.value, y)
        return ops.sum(sample_weight * losses)


def test_categorical_cross_entropy_and_its_gradient_by_hand():
    """Softmax minus one-hot, also where the probability of the target underflows."""
    logits = np.random.default_rng(0).normal(0, 3, (4, 3, 5)).astype("float32")
    targets = np.arange(12).reshape(4, 3) % 5
    logits[0, 0] = [-200, 0, 1, 2, 3]
    nats = np.logaddexp.reduce(logits, -1, keepdims=True) - logits
    expected = np.take_along_axis(nats, targets[..., None], -1)[..., 0]
    found = ops.convert_to_numpy(categorical_cross_entropy(logits, targets))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found[0, 0] > 200

    model = Logits(logits)
    model.compile(keras.optimizers.SGD(1.0), jit_compile=jit_compile())
    weights = np.random.default_rng(1).uniform(0.5, 2, (4, 3)).astype("float32")
    model.train_on_batch(np.zeros((4, 1)), targets, sample_weight=weights)
    gradient = weights[..., None] * (np.exp(-nats) - np.eye(5)[targets])
    step = logits - ops.convert_to_numpy(model.logits)
    np.testing.assert_allclose(step, gradient, atol=1e-4)
