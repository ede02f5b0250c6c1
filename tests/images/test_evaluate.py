"""Evaluation: what is measured of which model, and success and exact match by hand."""

import dataclasses

import numpy as np
import pytest

from latent_arithmetic.images import editing
from latent_arithmetic.images.classifier import feature_extractor
from latent_arithmetic.images.editing import Edit, Editor, GroundTruthEdits
from latent_arithmetic.images.evaluate import (
    edit_success,
    evaluate,
    evaluate_classifier,
    evaluate_editing,
    evaluate_reconstruction,
    evaluate_samples,
    exact_match,
)
from latent_arithmetic.records import Estimate

EDIT_METRICS = ["attribute_present", "others_unchanged", "success_rate"]
EDIT_METRICS += ["reconstruction_unchanged", "success_rate_detectable"]


@pytest.fixture(scope="module")
def extractor(few_punks, smoke, tmp_path_factory):
    return feature_extractor(few_punks, tmp_path_factory.mktemp("classifier"), smoke)


@pytest.fixture(scope="module")
def measured(trained_models, few_punks, extractor):
    """What is measured of each model; 30 images of an attribute suffice to add it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(editing, "FEWEST", 30)
        return {
            task: evaluate(trained, few_punks, extractor, max_edits=50)
            for task, trained in trained_models.items()
        }


def test_everything_that_applies_is_measured(measured, few_punks):
    for estimates in measured.values():
        assert all(isinstance(each, Estimate) for each in estimates.values())
        assert all(np.isfinite(each.value) for each in estimates.values())
        assert estimates["n"].value == len(few_punks.test)
        assert estimates["frechet_distance"].n == len(few_punks.test)
        assert {"frechet_distance_reference", "near_duplicate_rate"} <= {*estimates}
        assert "attribute_pair_frequency_error" in estimates
        assert estimates["exact_duplicate_rate"].value == 0
        assert "duplicate_rate_before_rejection" in estimates
        assert 0 <= estimates["classifier_exact_match"].value <= 1
    cae, vae, gan = (measured[task] for task in ("cae", "vae", "gan"))
    for estimates in (cae, vae):
        assert {"psnr", "ssim", "mse", "psnr_of_mean_image"} <= {*estimates}
        assert "normal_prior_frechet_distance" in estimates
        assert "edit_least_squares_success_rate" in estimates
    assert "bits_per_dimension" in vae and "bits_per_dimension" not in cae
    assert not {"psnr", "normal_prior_frechet_distance"} & {*gan}
    edits = {name for name in gan if name.startswith("edit_")}
    assert "edit_attribute_embedding_success_rate" in edits
    assert edits <= {f"edit_attribute_embedding_{name}" for name in EDIT_METRICS}
    for editor in ("class_means", "iterative", "given_attributes"):
        assert f"edit_{editor}_success_rate" in vae


def test_only_a_palette_likelihood_keeps_to_the_palette(measured):
    fractions = {task: found["palette_fraction"] for task, found in measured.items()}
    assert fractions["vae"].value == 1
    assert fractions["gan"].value < 1 and fractions["cae"].value < 1
    assert measured["gan"]["palette_fraction_reference"].value > 0.9


def test_reconstructions_are_measured_image_by_image(trained_models, few_punks):
    found = evaluate_reconstruction(trained_models["vae"], few_punks)
    assert found["psnr"].n == len(few_punks.test) and found["psnr"].unit == "dB"
    assert 0 <= found["active_units"].value <= found["latent_dim"].value
    assert 0 < found["bits_per_dimension"].value < 8


def test_few_test_images_are_measured_as_far_as_they_go(
    trained_models, few_punks, extractor
):
    fewer = dataclasses.replace(
        few_punks, test=few_punks.test[:5], test_labels=few_punks.test_labels[:5]
    )
    found = evaluate_samples(trained_models["gan"], fewer, extractor)
    assert list(found) == ["duplicate_rate_before_rejection"]
    assert evaluate_reconstruction(trained_models["cae"], fewer)["psnr"].n == 5


@pytest.mark.parametrize("task", ["vae", "gan"])
def test_rare_attributes_leave_no_edit_to_measure(trained_models, few_punks, task):
    assert few_punks.train_labels.sum(axis=0).max() < 80
    assert evaluate_editing(trained_models[task], few_punks, None, 10) == {}


class FakeModel:
    """Codes are attributes, and images show their code."""

    def decode(self, codes):
        return np.clip(codes, 0, 1).round().astype("uint8")[:, None, None]

    def predict_attributes(self, images):
        return images[:, 0, 0] > 0


def test_edit_success_by_hand():
    model = FakeModel()
    images = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]], "uint8")[:, None, None]
    edits = [Edit(0, 1, ()), Edit(1, 2, (0,)), Edit(2, 0, ())]
    codes, present = images[:, 0, 0].astype(float), model.predict_attributes(images)
    undetectable = np.zeros((3, 3), bool)

    def values(vectors):
        found = edit_success(
            model, model, Editor(codes, vectors), edits, present, present, undetectable
        )
        assert list(found) == EDIT_METRICS
        return found

    assert all(each.value == 1 for each in values(np.eye(3)).values())
    # The second attribute now brings the third along: the first edit breaks it.
    undetectable[0, 1] = True  # where both are, only the second is detected
    found = values(np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]]))
    assert found["attribute_present"].value == pytest.approx(2 / 3)
    assert found["others_unchanged"].value == pytest.approx(2 / 3)
    assert found["success_rate"].value == pytest.approx(1 / 3)
    assert found["reconstruction_unchanged"].value == 1
    detectable = found["success_rate_detectable"]
    assert detectable.n == 2 and detectable.value == 0.5


def test_only_the_very_image_is_an_exact_match():
    """Of ten edits one result differs in one color of one pixel, and it is unseen."""
    targets = np.arange(10, dtype=np.uint8)[:, None, None, None]
    unseen = np.arange(10) >= 6
    ground_truth = GroundTruthEdits(
        [Edit(i, 0, ()) for i in range(10)], targets, unseen
    )

    class Decoder:
        def decode(self, latents):
            images = latents.astype(np.uint8)[:, None, None]
            images[8] ^= 1
            return images

    editor = Editor(np.arange(10.0)[:, None], np.zeros((1, 1)))
    found = exact_match(Decoder(), editor, ground_truth)
    assert found["exact_match_rate"].value == pytest.approx(0.9)
    assert found["exact_match_rate_unseen"].value == pytest.approx(3 / 4)
    assert found["exact_match_rate_unseen"].n == 4
    nothing = GroundTruthEdits([], targets[:0], unseen[:0])
    assert exact_match(None, None, nothing) == {}


def test_classifier_precision_and_recall_by_hand(few_punks):
    """A classifier that predicts a right and a wrong attribute for every image."""
    labels = np.zeros((4, 3), bool)
    labels[:, 0], labels[:2, 1] = True, True
    dataset = dataclasses.replace(
        few_punks, test=few_punks.test[:4], test_labels=labels
    )

    class Classifier:
        def predict_attributes(self, images):
            return np.tile([True, False, True], (len(images), 1))

    found = evaluate_classifier(Classifier(), dataset)
    assert found["classifier_exact_match"].value == 0
    assert found["classifier_precision"].value == 0.5
    assert found["classifier_recall"].value == pytest.approx(4 / 6)


def test_no_image_is_measured_by_ssim_that_is_too_small(trained_models, few_punks):
    class Identity:
        model = trained_models["cae"].model

        def reconstruct(self, images):
            return images

    cut = {part: getattr(few_punks, part)[:, :8, :8] for part in ("train", "test")}
    found = evaluate_reconstruction(Identity(), dataclasses.replace(few_punks, **cut))
    assert "ssim" not in found and found["mse"].value == 0
