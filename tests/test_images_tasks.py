"""The picture wing's front door: train, load, use; and points of a latent space."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.data.datasets import load_pictures, to_unit
from latent_arithmetic.images.directions import FEWEST
from latent_arithmetic.images.files import (
    contact_sheet,
    reconstruct_to_file,
    save_pictures,
)
from latent_arithmetic.images.latent import interpolate, random_latents
from latent_arithmetic.images.models.contest import OUTCOMES
from latent_arithmetic.images.models.vae_gan import VAEGAN
from latent_arithmetic.images.quality.evaluation import (
    measure_quality,
    measure_reconstruction,
)
from latent_arithmetic.images.quality.features import feature_map
from latent_arithmetic.images.quality.metrics import (
    collapse_warning,
    diversity,
    peak_signal_to_noise,
)
from latent_arithmetic.images.study_runs import measure_changes
from latent_arithmetic.images.tasks import TASKS, load_trained, train_task
from latent_arithmetic.images.trained import Trained, encode_latents
from latent_arithmetic.profiles import get_profile

SMOKE = dataclasses.replace(get_profile("smoke"), pictures=160)
SIZE = 32


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return {
        task: train_task(task, folder / task, profile=SMOKE, size=SIZE)
        for task in TASKS
    }


@pytest.mark.parametrize("task", TASKS)
def test_a_loaded_run_makes_the_same_pictures(runs, task):
    trained = runs[task]
    samples = trained.generate(3, seed=4)
    assert samples.shape == (3, SIZE, SIZE, 3) and samples.dtype == np.uint8
    loaded = load_trained(trained.run.folder)
    np.testing.assert_array_equal(samples, loaded.generate(3, seed=4))
    assert np.any(samples != loaded.generate(3, seed=5))
    between = loaded.interpolate(5, seed=4, method="spherical")
    np.testing.assert_array_equal(between[[0, -1]], loaded.generate(2, seed=4))


def test_reconstruction_and_its_refusal(runs):
    pictures = load_pictures(size=SIZE, limit=160)
    assert runs["cae"].reconstruct(pictures.test).shape == pictures.test.shape
    numbers = measure_reconstruction(runs["vae"], pictures)
    assert numbers["test_psnr"].n == len(pictures.test)
    assert 0 <= numbers["active_latents"] <= numbers["latent_dim"]
    assert 0 < numbers["bits_per_dimension"].value < 8
    with pytest.raises(UserError, match="no encoder"):
        runs["gan"].reconstruct(pictures.test)
    with pytest.raises(UserError, match="32, 32, 3"):
        runs["vae"].reconstruct(np.zeros((1, 16, 16, 3), "uint8"))


def test_a_vae_draws_with_the_palette_a_gan_does_not(runs, tmp_path):
    pictures = load_pictures(size=SIZE, limit=160)
    judge = feature_map(pictures, tmp_path, SMOKE)
    shares = {}
    for task in TASKS:
        samples = runs[task].generate(len(pictures.test), seed=1)
        numbers = measure_quality(samples, pictures, judge)
        assert numbers["n"] == numbers["frechet"].n == len(pictures.test)
        assert numbers["frechet"].value > numbers["frechet_floor"]
        assert numbers["exact_copies"].value == 0
        shares[task] = numbers["on_palette"]
    assert shares["vae"] == 1 and shares["gan"] < 1 and shares["cae"] < 1


def test_latents_are_drawn_from_the_mixture(runs):
    vae = runs["vae"]
    how = {"prior": "mixture", "attributes": np.zeros((2000, 92), bool)}
    points = vae.points(2000, seed=3, **how)
    latents = encode_latents(vae.model, load_pictures(size=SIZE, limit=160).train)
    np.testing.assert_allclose(points.mean(axis=0), latents.mean(axis=0), atol=0.3)
    np.testing.assert_array_equal(points, vae.points(2000, seed=3, **how))
    near = vae.points(2000, seed=3, scale=0.0, **how)
    assert near.std(axis=0).max() < points.std(axis=0).max()
    with pytest.raises(UserError, match="normal, mixture"):
        vae.generate(3, prior="uniform")
    with pytest.raises(UserError, match="no encoder"):
        runs["gan"].generate(3, prior="mixture")


@pytest.mark.parametrize(("task", "more"), [("gan", 92), ("vae", 0)])
def test_models_are_told_attributes_if_there_are_any(runs, task, more, tmp_path):
    told = runs[task]
    assert len(told.remembered["names"]) == told.told == 92
    assert told.points(4, seed=1).shape == (4, told.model.latent_dim + more)
    wanted = np.zeros((4, 92), bool)
    without = told.points(4, seed=1, attributes=wanted)
    wanted[:, 3] = True
    points = told.points(4, seed=1, attributes=wanted)
    direction = np.broadcast_to(told.told_directions()[3], points.shape)
    np.testing.assert_allclose(points - without, direction, atol=1e-5)
    assert told.decode(points).shape == (4, SIZE, SIZE, 3)
    assert told.interpolate(5).shape == (5, SIZE, SIZE, 3)
    plain = tmp_path / "plain.npy"
    np.save(plain, load_pictures(size=SIZE, limit=160).train)
    untold = train_task(task, tmp_path / "x", profile=SMOKE, data=plain, size=SIZE)
    assert untold.told == 0 and untold.generate(2).shape == (2, SIZE, SIZE, 3)
    with pytest.raises(UserError, match="told of none"):
        untold.attributes_named(["male"], 2)
    with pytest.raises(UserError, match="told of none"):
        untold.points(4, attributes=wanted)
    if task == "vae":
        with pytest.raises(UserError, match="told of none"):
            untold.see(load_pictures(size=SIZE, limit=160).test)


def test_a_vae_sees_the_attributes_that_its_codes_have(runs):
    vae, images = runs["vae"], load_pictures(size=SIZE, limit=160).test
    seen = vae.see(images)
    assert seen.shape == (len(images), 92) and seen.dtype == bool and seen.any()
    codes = vae.encode(images)
    np.testing.assert_allclose(codes, vae.encode(images, seen), atol=1e-5)
    assert not np.allclose(codes, vae.encode(images, ~seen), atol=1e-5)
    with pytest.raises(UserError, match="no encoder"):
        runs["gan"].see(images)


@pytest.mark.parametrize("task", ["vae", "gan"])
def test_rare_attributes_leave_no_arithmetic_to_measure(runs, task):
    few = load_pictures(size=SIZE, limit=160)
    assert few.train_labels.sum(axis=0).max() < FEWEST
    assert measure_changes(runs[task], few, judge=None) == {}


def test_novel_pictures_are_no_training_pictures(runs, monkeypatch):
    """A model that draws training pictures at first draws others in their place."""
    vae = runs["vae"]
    taught = load_pictures(size=SIZE, limit=160).train[:3]
    new = 255 - taught
    assert vae.repeats(taught).all() and not vae.repeats(new).any()
    draws = iter([np.stack([taught[0], new[0], taught[1]]), taught[1:], new[1:]])
    monkeypatch.setattr(Trained, "decode", lambda self, points: next(draws).copy())
    np.testing.assert_array_equal(vae.generate(3), new[[1, 0, 2]])


def test_a_finished_run_is_loaded_and_another_refused(runs):
    folder = runs["vae"].run.folder
    before = (folder / "run.json").read_text()
    train_task("vae", folder, profile=SMOKE, size=SIZE)
    assert (folder / "run.json").read_text() == before
    with pytest.raises(UserError, match="another run"):
        train_task("vae", folder, profile=SMOKE, size=SIZE, seed=3)
    with pytest.raises(UserError, match="expected one of cae, vae, gan"):
        train_task("diffusion", folder, profile=SMOKE)
    for trained in runs.values():
        assert list(trained.snapshots()) == [
            trained.settings["epochs"]
            * (len(load_pictures(size=SIZE, limit=160).train) // 32)
        ]
    with pytest.raises(UserError, match="recipe for vae"):
        train_task("vae", folder, profile=SMOKE, size=SIZE, recipe="theirs")


def test_a_vae_of_photographs_has_a_discriminator_and_is_saved_with_it(tmp_path):
    photographs = tmp_path / "photographs.npy"
    values = np.random.default_rng(0).integers(0, 256, (160, SIZE, SIZE, 3))
    np.save(photographs, values.astype("uint8"))
    trained = train_task(
        "vae", tmp_path / "vae", profile=SMOKE, data=photographs, size=SIZE
    )
    assert isinstance(trained.model, VAEGAN)
    assert trained.settings["choices"]["sharpness"] > 0
    assert {"reconstruction", "kl", *OUTCOMES} <= set(trained.run.history.losses)
    loaded = load_trained(tmp_path / "vae")
    pictures = load_pictures(photographs, SIZE).test
    again = loaded.reconstruct(pictures)
    np.testing.assert_array_equal(again, trained.reconstruct(pictures))
    np.testing.assert_array_equal(
        loaded.model.discriminator(to_unit(pictures)),
        trained.model.discriminator(to_unit(pictures)),
    )


def test_same_seed_same_run(runs, tmp_path):
    again = train_task("gan", tmp_path / "gan", profile=SMOKE, size=SIZE)
    difference = again.generate(4).astype(int) - runs["gan"].generate(4)
    assert np.abs(difference).max() <= 1


def test_own_pictures_and_files(runs, tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (7, 40, 40, 3)).astype("uint8")
    folder = tmp_path / "own"
    folder.mkdir()
    for index, picture in enumerate(noise):
        Image.fromarray(picture).save(folder / f"{index}.png")
    folder_of_vae = runs["vae"].run.folder
    reconstruct_to_file(folder_of_vae, folder, None, tmp_path / "again.npz")
    assert np.load(tmp_path / "again.npz")["images"].shape == (7, SIZE, SIZE, 3)
    reconstruct_to_file(folder_of_vae, folder, 3, tmp_path / "again.png")
    assert Image.open(tmp_path / "again.png").width > 3 * SIZE
    with pytest.raises(UserError, match="no encoder"):
        reconstruct_to_file(runs["gan"].run.folder, folder, 3, tmp_path / "x.png")
    with pytest.raises(UserError, match=".png or .npz"):
        save_pictures(noise, tmp_path / "x.bmp")
    assert contact_sheet(noise, 4).shape[2] == 3


@pytest.mark.parametrize("method", ["linear", "spherical"])
def test_interpolation_starts_and_ends_where_asked(method):
    start, end = random_latents(2, 50, seed=1)
    way = interpolate(start, end, 9, method)
    assert way.shape == (9, 50)
    np.testing.assert_allclose(way[[0, -1]], [start, end], atol=1e-5)


def test_spherical_keeps_the_length_linear_loses_it():
    start, end = random_latents(2, 400, seed=2)
    start, end = start / np.linalg.norm(start), end / np.linalg.norm(end)
    arc = np.linalg.norm(interpolate(start, end, 7, "spherical"), axis=1)
    line = np.linalg.norm(interpolate(start, end, 7, "linear"), axis=1)
    np.testing.assert_allclose(arc, 1, atol=1e-5)
    assert line[3] < 0.8
    np.testing.assert_allclose(
        interpolate(start, 2 * start, 3, "spherical")[1], 1.5 * start, atol=1e-5
    )
    with pytest.raises(UserError, match="spherical"):
        interpolate(start, end, 7, "cubic")
    with pytest.raises(UserError, match="at least 2"):
        interpolate(start, end, 1)


def test_latents_are_truncated_and_scaled():
    latents = random_latents(200, 30, seed=0, truncation=2.0)
    assert np.abs(latents).max() <= 2 and latents.std() > 0.8
    small = random_latents(200, 30, seed=0, scale=1 / 6)
    assert small.std() == pytest.approx(1 / 6, rel=0.05)


def test_collapse_is_noticed():
    real = np.random.default_rng(0).integers(0, 256, (60, 8, 8, 3)).astype("uint8")
    same = np.repeat(real[:1], 60, axis=0)
    assert diversity(same) == 0 and collapse_warning(real, real) is None
    assert "hardly vary" in collapse_warning(same, real)


def test_peak_signal_to_noise_by_hand():
    black = np.zeros((1, 2, 2, 3), "uint8")
    grey = np.full((1, 2, 2, 3), 51, "uint8")  # 0.2: 10 log10(1 / 0.04)
    assert peak_signal_to_noise(black, grey)[0] == pytest.approx(13.9794, abs=1e-3)
    assert peak_signal_to_noise(grey, grey)[0] > 50
