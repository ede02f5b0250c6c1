"""Attribute classifier and feature extractor."""

import dataclasses

import numpy as np
import pytest

from latent_arithmetic.images.classifier import feature_extractor
from latent_arithmetic.io import UserError


def test_a_classifier_is_trained_once(few_punks, smoke, tmp_path):
    extractor = feature_extractor(few_punks, tmp_path, smoke)
    assert extractor.name == "attribute classifier"
    features = extractor.features(few_punks.test)
    assert features.shape == (len(few_punks.test), 128)
    scale = np.sqrt(np.square(extractor.features(few_punks.train)).mean())
    assert scale == pytest.approx(1, rel=1e-5)
    predicted = extractor.predict_attributes(few_punks.test)
    assert predicted.dtype == bool
    assert predicted.shape == (len(few_punks.test), len(few_punks.label_names))
    before = (tmp_path / "run.json").read_text()
    again = feature_extractor(few_punks, tmp_path, smoke)
    assert (tmp_path / "run.json").read_text() == before
    assert again.version == extractor.version
    np.testing.assert_array_equal(again.features(few_punks.test), features)


def test_images_without_labels_get_the_same_random_network(few_punks, smoke, tmp_path):
    nothing = {f"{part}_labels": np.zeros((1, 0), bool) for part in ("train", "test")}
    unlabeled = dataclasses.replace(few_punks, label_names=(), **nothing)
    one, other = (feature_extractor(unlabeled, tmp_path, smoke) for _ in range(2))
    assert one.version == other.version and not any(tmp_path.iterdir())
    assert one.features(unlabeled.test).std(axis=0).min() > 0
    with pytest.raises(UserError, match="no attributes"):
        one.predict_attributes(unlabeled.test)
