"""Latent vectors, priors, interpolation, and what a trained model can be used for."""

import numpy as np
import pytest

from latent_arithmetic.images.sampling import (
    TrainedImageModel,
    active_units,
    encode_residuals,
    fit_mixture,
    interpolate,
    random_latents,
    tsne,
)
from latent_arithmetic.io import UserError


@pytest.mark.parametrize("method", ["linear", "spherical"])
def test_interpolation_starts_and_ends_where_asked(method):
    start, end = random_latents(2, 50, seed=1)
    between = interpolate(start, end, 9, method)
    assert between.shape == (9, 50)
    np.testing.assert_allclose(between[[0, -1]], [start, end], atol=1e-5)


def test_spherical_interpolation_keeps_the_length():
    start, end = random_latents(2, 400, seed=2)
    start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
    arc = np.linalg.norm(interpolate(start, end, 7, "spherical"), axis=1)
    line = np.linalg.norm(interpolate(start, end, 7, "linear"), axis=1)
    np.testing.assert_allclose(arc, 1, atol=1e-5)
    assert line[3] < 0.8
    np.testing.assert_allclose(
        interpolate(start, 2 * start, 3, "spherical")[1], 1.5 * start, atol=1e-5
    )
    from_zero = interpolate(np.zeros(2), np.array([2.0, 0.0]), 3, "spherical")
    np.testing.assert_allclose(from_zero, [[0, 0], [1, 0], [2, 0]])
    with pytest.raises(UserError, match="spherical"):
        interpolate(start, end, 7, "cubic")
    with pytest.raises(UserError, match="at least 2"):
        interpolate(start, end, 1)


def test_latents_are_truncated_and_scaled():
    latents = random_latents(200, 30, seed=0, truncation=2.0)
    assert np.abs(latents).max() <= 2 and latents.std() > 0.8
    small = random_latents(200, 30, seed=0, scale=1 / 6)
    assert small.std() == pytest.approx(1 / 6, rel=0.05)
    for scale in (np.nan, np.inf, -1.0):
        with pytest.raises(UserError, match="scale"):
            random_latents(2, 3, scale=scale)
    for truncation in (np.nan, 0.1):
        with pytest.raises(UserError, match="truncation"):
            random_latents(2, 3, truncation=truncation)


def test_active_units_are_those_that_vary():
    codes = np.zeros((100, 3))
    codes[:, 1] = np.arange(100)
    assert active_units(codes) == 1


def test_a_latent_map_keeps_clusters_apart():
    codes = np.repeat(10 * np.eye(2), 20, axis=0) + random_latents(40, 2, scale=0.1)
    plane = tsne(codes)
    assert plane.shape == (40, 2)
    first, second = plane[:20], plane[20:]
    spread = np.linalg.norm(first - first.mean(axis=0), axis=1).mean()
    assert np.linalg.norm(first.mean(axis=0) - second.mean(axis=0)) > 2 * spread


def test_a_mixture_prior_recovers_clusters_and_what_attributes_add(tmp_path):
    generator = np.random.default_rng(0)
    centers = generator.choice([-5, 5], size=4000)
    labels = generator.random((4000, 1)) < 0.5
    latents = centers[:, None] + labels * [0.0, 20.0] + generator.normal(size=(4000, 2))
    prior = fit_mixture(latents, labels)
    np.testing.assert_allclose(prior.attribute_shifts, [[0, 20]], atol=0.3)
    without, given = (
        prior.sample(np.full((2000, 1), has), seed=1) for has in (False, True)
    )
    np.testing.assert_allclose(
        given - without, 2000 * [prior.attribute_shifts[0]], atol=1e-4
    )
    assert 0.4 < (without[:, 0] > 0).mean() < 0.6
    assert np.abs(np.abs(without[:, 0]).mean() - 5) < 0.2


@pytest.mark.parametrize("task", ["cae", "vae", "gan"])
def test_samples_depend_on_the_seed_alone(trained_models, task):
    trained = trained_models[task]
    samples = trained.generate(3, seed=4)
    assert samples.shape == (3, 32, 32, 3) and samples.dtype == np.uint8
    np.testing.assert_array_equal(samples, trained.generate(3, seed=4))
    assert np.any(samples != trained.generate(3, seed=5))
    between = trained.interpolate(5, seed=4, method="spherical")
    np.testing.assert_array_equal(between[[0, -1]], trained.generate(2, seed=4))
    for count, seed in ((0, 1), (2, -1)):
        with pytest.raises(UserError, match="count"):
            trained.generate(count, seed)


def test_samples_of_the_mixture_prior_lie_where_latents_do(trained_models, few_punks):
    vae = trained_models["vae"]
    sampling = {"prior": "mixture", "attributes": np.zeros((2000, 92), bool)}
    points = vae.sample_latents(2000, seed=3, **sampling)
    latents = encode_residuals(vae.model, few_punks.train)
    np.testing.assert_allclose(points.mean(axis=0), latents.mean(axis=0), atol=0.3)
    again = vae.sample_latents(2000, seed=3, **sampling)
    np.testing.assert_array_equal(points, again)
    near = vae.sample_latents(2000, seed=3, scale=0.0, **sampling)
    assert near.std(axis=0).max() < points.std(axis=0).max()
    with pytest.raises(UserError, match="normal, mixture"):
        vae.generate(3, prior="uniform")
    with pytest.raises(UserError, match="no encoder"):
        trained_models["gan"].generate(3, prior="mixture")


@pytest.mark.parametrize(("task", "more"), [("gan", 92), ("vae", 0)])
def test_a_conditional_model_takes_attributes(trained_models, task, more):
    trained = trained_models[task]
    assert len(trained.training_set["names"]) == trained.n_attributes == 92
    assert trained.sample_latents(4).shape == (4, trained.model.latent_dim + more)
    wanted = np.zeros((4, 92), bool)
    without = trained.sample_latents(4, seed=1, attributes=wanted)
    wanted[:, 3] = True
    latents = trained.sample_latents(4, seed=1, attributes=wanted)
    added = np.broadcast_to(trained.attribute_embeddings()[3], latents.shape)
    np.testing.assert_allclose(latents - without, added, atol=1e-5)
    names = trained.training_set["names"]
    np.testing.assert_array_equal(trained.attributes_named(names[3:4], 4), wanted)
    with pytest.raises(UserError, match="attribute 'crown2'"):
        trained.attributes_named(["crown2"], 1)


def test_an_unconditional_model_refuses_attributes(trained_models, few_punks):
    cae = trained_models["cae"]
    assert cae.n_attributes == 0 and cae.generate(2).shape == (2, 32, 32, 3)
    with pytest.raises(UserError, match="not conditional"):
        cae.attributes_named(["male"], 2)
    with pytest.raises(UserError, match="not conditional"):
        cae.sample_latents(4, attributes=np.zeros((4, 92), bool))
    with pytest.raises(UserError, match="not conditional"):
        cae.predict_attributes(few_punks.test)


def test_codes_have_the_attributes_that_the_encoder_predicts(trained_models, few_punks):
    vae, images = trained_models["vae"], few_punks.test
    predicted = vae.predict_attributes(images)
    assert predicted.shape == (len(images), 92) and predicted.dtype == bool
    codes = vae.encode(images)
    np.testing.assert_allclose(codes, vae.encode(images, predicted), atol=1e-5)
    assert not np.allclose(codes, vae.encode(images, ~predicted), atol=1e-5)
    with pytest.raises(UserError, match="no encoder"):
        trained_models["gan"].predict_attributes(images)
    with pytest.raises(UserError, match="no encoder"):
        trained_models["gan"].reconstruct(images)
    with pytest.raises(UserError, match="32, 32, 3"):
        vae.reconstruct(np.zeros((1, 16, 16, 3), "uint8"))


def test_training_duplicates_are_rejected(trained_models, few_punks, monkeypatch):
    """A model whose first samples are training images draws others in their place."""
    vae, train = trained_models["vae"], few_punks.train[:3]
    new = 255 - train
    assert vae.is_training_duplicate(train).all()
    assert not vae.is_training_duplicate(new).any()
    draws = iter([np.stack([train[0], new[0], train[1]]), train[1:], new[1:]])
    monkeypatch.setattr(
        TrainedImageModel, "decode", lambda self, latents: next(draws).copy()
    )
    np.testing.assert_array_equal(vae.generate(3), new[[1, 0, 2]])


def test_snapshots_are_samples_after_some_steps(trained_models, few_punks):
    for trained in trained_models.values():
        steps = trained.config["model"]["epochs"] * (len(few_punks.train) // 32)
        ((step, images),) = trained.snapshots().items()
        assert step == steps and images.shape == (12, 32, 32, 3)
