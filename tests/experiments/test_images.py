"""Experiments of Task 1: configurations, names, records, one feature extractor."""

import dataclasses

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.config import FULL, QUICK, SMOKE
from latent_arithmetic.experiments import images
from latent_arithmetic.experiments.base import find_recorded
from latent_arithmetic.experiments.catalog import select
from latent_arithmetic.experiments.driver import Driver
from latent_arithmetic.experiments.executors import InProcess
from latent_arithmetic.experiments.images import (
    EditsExperiment,
    ImageExperiment,
    InterpolationExperiment,
    all_experiments,
    check_recorded_extractors,
)
from latent_arithmetic.images.catalog import CARDS, CRYPTOPUNKS_NAME
from latent_arithmetic.io import UserError, plain
from latent_arithmetic.records import (
    find_record,
    read_record,
    read_records,
    records_folder,
)


@pytest.fixture
def small_images(monkeypatch):
    """Experiments on small images."""
    monkeypatch.setattr(images, "SIZE", 16)


def test_names_are_distinct_and_say_what_is_compared():
    experiments = all_experiments()
    names = [each.name for each in experiments]
    assert len(set(names)) == len(names)
    data = {each.data for each in experiments if isinstance(each, ImageExperiment)}
    assert data <= {CRYPTOPUNKS_NAME, *CARDS}
    assert "utkface-vae-interpolation-seed-1" in names
    assert "cryptopunks-vae-edits-seed-1" in names
    assert "cryptopunks-vae-default-40-epochs-seed-1" in names
    assert "cryptopunks-gan-no-ema-8-epochs-seed-1" in names
    assert "anime-faces-gan-kernel-size-5-seed-3" in names
    chosen = select(experiments, ["cryptopunks-vae-default-seed", "utkface-gan-base"])
    assert [each.seed for each in chosen] == [1, 2, 3, 1, 2, 3]
    with pytest.raises(UserError, match="punks-vae.*cryptopunks-vae-default"):
        select(experiments, ["punks-vae"])


def test_a_configuration_holds_every_setting_and_no_profile():
    punks, faces = (
        ImageExperiment("vae", data=data).config for data in ("cryptopunks", "utkface")
    )
    keys = {"task", "preset", "data", "size", "max_images", "epochs", "seed", "model"}
    assert punks.keys() == keys and plain(punks) == punks
    assert punks["model"]["adversarial_weight"] == 0
    assert faces["model"]["adversarial_weight"] > 0
    assert punks["model"]["epochs"] is None
    short = ImageExperiment("vae", epochs=4, variant="4-epochs")
    assert short.config == {**punks, "epochs": 4}


@pytest.mark.parametrize(("profile", "epochs"), [(FULL, 40), (QUICK, 6), (SMOKE, 2)])
def test_own_epochs_are_those_of_the_full_profile(profile, epochs):
    long = ImageExperiment("vae", epochs=40)
    assert long.adapt(profile).vae.epochs == epochs
    assert ImageExperiment("vae", epochs=1).adapt(profile).vae.epochs == 1
    assert ImageExperiment("vae", max_images=100).adapt(profile).max_images == 100


def test_what_is_recorded_belongs_to_the_experiments():
    """No committed record is of another configuration, and each dataset has one
    feature extractor."""
    versions: dict[str, set] = {}
    for each in all_experiments():
        record = find_recorded(each, records_folder())
        if record is not None:
            assert record.name == each.name and record.group == each.group
        if record is not None and isinstance(each, ImageExperiment):
            assert record.estimates["frechet_distance"].n > 0.09 * each.max_images
            version = record.details["feature_extractor"]["version"]
            versions.setdefault(each.data, set()).add(version)
    assert all(len(found) == 1 for found in versions.values())
    tasks = {record.config.get("task") for record in read_records(records_folder())}
    if tasks & {"vae", "gan"}:
        assert versions.keys() == {"cryptopunks", "utkface", "anime-faces"}


@pytest.mark.slow
def test_images_are_recorded_without_a_feature_extractor(small_images, tmp_path):
    model = ImageExperiment("vae", "unconditional")
    between, edits = InterpolationExperiment(model), EditsExperiment(model)
    found = between.measure(tmp_path, SMOKE)
    assert found.images.shape == (20, 16, 16, 3) and len(np.unique(found.images)) > 1
    assert found.estimates["psnr"].n > 0
    assert [path.name for path in tmp_path.iterdir()] == [between.name]
    found = edits.measure(tmp_path, SMOKE)
    before, after, targets = np.split(found.images, 3)
    assert (
        before.shape == (8, 16, 16, 3) and (before != targets).any(axis=(1, 2, 3)).all()
    )
    assert len(found.details["added"]) == 8
    estimate = found.estimates["exact_match_rate"]
    right = (after == targets).all(axis=(1, 2, 3))
    assert estimate.n >= 1 and estimate.value == right.mean()  # of a single edit


@pytest.mark.slow
def test_a_model_is_recorded_once_with_samples(small_images, tmp_path):
    """And those to come are measured by the feature extractor of those recorded."""
    folder, work = tmp_path / "records", tmp_path / "work"
    experiments = [ImageExperiment("cae"), ImageExperiment("gan")]
    assert Driver(InProcess(), folder, work, SMOKE).run(experiments[:1]) == []
    record = find_recorded(experiments[0], folder)
    estimates = record.estimates
    assert estimates["frechet_distance_reference"].value > 0
    assert {"psnr", "normal_prior_frechet_distance"} <= {*estimates}
    assert record.details["feature_extractor"]["name"] == "attribute classifier"
    assert record.details["parameters"] > 0 and record.details["steps"] > 0
    assert Image.open(folder / f"{record.name}.png").size == (16, 20 * 16)
    changed = dataclasses.replace(experiments[0], epochs=2)
    with pytest.raises(UserError, match="another run"):
        find_record(folder / f"{record.name}.json", changed.config)

    check_recorded_extractors(experiments, folder, work, SMOKE)
    path = folder / f"{record.name}.json"
    other = read_record(path)
    other.details["feature_extractor"]["version"] = "0badc0de"
    other.write(path)
    with pytest.raises(UserError, match="0badc0de"):
        check_recorded_extractors(experiments, folder, work, SMOKE)
    check_recorded_extractors(experiments[:1], folder, work, SMOKE)
    check_recorded_extractors(experiments, tmp_path / "own", work, SMOKE)
