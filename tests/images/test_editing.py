"""Attribute editing: vectors, sensible edits, editors and ground truth, by hand."""

import dataclasses

import numpy as np
import pytest

from latent_arithmetic.images.dataset import PUNK_BORDER, load_images
from latent_arithmetic.images.editing import (
    Edit,
    Editor,
    IterativeEditor,
    attribute_vectors,
    find_ground_truth,
    make_editors,
    possible_edits,
    type_attributes,
    undetectable_pairs,
)
from latent_arithmetic.io import UserError


def test_least_squares_separates_what_goes_together_and_class_means_do_not():
    """Beards add 1 to the first latent, men 10 to the second; only men have beards."""
    generator = np.random.default_rng(0)
    man = generator.random(4000) < 0.5
    beard = man & (generator.random(4000) < 0.5)
    labels = np.stack([beard, man], axis=1)
    codes = labels @ np.array([[1.0, 0.0], [0.0, 10.0]])
    codes = codes + generator.normal(0, 0.1, codes.shape)
    found = attribute_vectors(codes, labels, "least_squares")
    np.testing.assert_allclose(found, [[1, 0], [0, 10]], atol=0.05)
    means = attribute_vectors(codes, labels, "class_means")
    by_hand = codes[beard].mean(axis=0) - codes[~beard].mean(axis=0)
    np.testing.assert_allclose(means[0], by_hand, atol=1e-4)
    assert means[0, 1] > 5  # a beard makes a man
    with pytest.raises(UserError, match="least_squares, class_means"):
        attribute_vectors(codes, labels, "medians")


def test_an_edit_adds_and_removes():
    vectors = np.array([[1.0, 0], [0, 1], [5, 5]])
    edit = Edit(image=0, added=2, removed=(0, 1))
    np.testing.assert_array_equal(edit.direction(vectors), [4, 4])
    before = np.array([True, True, False])
    np.testing.assert_array_equal(edit.target(before), [False, False, True])
    assert before[0]


def test_only_edits_that_the_data_knows_are_drawn():
    """Hats exclude each other; a beard goes with either; a crown is too rare."""
    generator = np.random.default_rng(0)
    hat = generator.integers(3, size=3000)
    labels = np.zeros((3000, 4), bool)
    labels[:, 0], labels[:, 1] = hat == 0, hat == 1
    labels[:, 2] = generator.random(3000) < 0.5
    labels[:20, 3] = True
    edits = possible_edits(labels, labels[:500], 300)
    assert len(edits) == 300
    assert {edit.added for edit in edits} == {0, 1, 2}
    for edit in edits:
        before = labels[edit.image]
        assert not before[edit.added]
        other_hats = [hat for hat in (0, 1) if before[hat] and edit.added < 2]
        assert list(edit.removed) == other_hats
    assert edits == possible_edits(labels, labels[:500], 300)


def test_no_edit_leaves_an_image_without_a_type():
    """Only men have beards, women earrings, and both hats: a beard is for men."""
    generator = np.random.default_rng(1)
    man, parts = generator.random(2000) < 0.6, generator.random((2000, 3)) < 0.4
    parts[:, 0] &= man
    parts[:, 1] &= ~man
    labels = np.concatenate([man[:, None], ~man[:, None], parts], axis=1)
    found = type_attributes(labels)
    np.testing.assert_array_equal(found, [True, True, False, False, False])
    assert not type_attributes(parts).any()
    edits = possible_edits(labels, labels[:500], 300)
    assert {edit.added for edit in edits} == {0, 1, 2, 3, 4}
    for edit in edits:
        if edit.added >= 2:
            assert not edit.removed
        if edit.added in (2, 3):
            assert labels[edit.image, edit.added - 2]


class FakeModel:
    """Images show their code; the last attribute is missed beside the second."""

    def decode(self, codes):
        return np.clip(codes, 0, 1).round().astype("uint8")[:, None, None]

    def predict_attributes(self, images):
        predicted = images[:, 0, 0] > 0
        predicted[:, 3] &= ~predicted[:, 1]
        return predicted


def test_an_edit_is_corrected_by_hand():
    """The second attribute comes too faintly and brings the third along: it is added
    once more and the third subtracted, twice. The last is there, but not detected."""
    predicted = np.array([[True, False, False, True]])
    vectors = np.eye(4)
    vectors[1, 1:3] = 0.3, 1
    undetectable = np.zeros((4, 4), bool)
    undetectable[3, 1] = True
    edits = [Edit(0, 1, ())]
    plain = Editor(predicted.astype(float), vectors)
    np.testing.assert_allclose(plain.apply(edits), [[1, 0.3, 1, 1]])
    model = {"trained": FakeModel(), "predicted": predicted}
    careful = IterativeEditor(**vars(plain), **model, undetectable=undetectable)
    np.testing.assert_allclose(careful.apply(edits), [[1, 0.6, 0, 1]], atol=1e-6)
    eager = IterativeEditor(**vars(plain), **model, undetectable=0 * undetectable)
    np.testing.assert_allclose(eager.apply(edits), [[1, 0.6, 0, 2]], atol=1e-6)


def test_an_earring_under_a_hood_is_undetectable():
    """Of 40 images, the earrings of 10 without a hood and of 4 of 10 with one."""
    hood, earring = np.repeat([0, 1, 0, 1], 10), np.repeat([0, 0, 1, 1], 10)
    labels = np.stack([hood, earring], axis=1).astype(bool)
    predicted = labels.copy()
    predicted[34:, 1] = False
    found = undetectable_pairs(predicted, labels)
    np.testing.assert_array_equal(found, [[0, 0], [1, 0]])
    edit = Edit(0, 1, ())
    assert not edit.is_detectable(np.array([True, False]), found)
    assert edit.is_detectable(np.array([False, False]), found)
    predicted[34, 1] = True
    assert not undetectable_pairs(predicted, labels).any()
    assert not undetectable_pairs(predicted[::4], labels[::4]).any()  # too few to tell


def test_a_model_has_the_editors_that_it_can_have(trained_models, few_punks):
    editors = {
        task: make_editors(trained, few_punks)
        for task, trained in trained_models.items()
    }
    assert list(editors["cae"]) == ["least_squares", "class_means"]
    own = ["attribute_embedding", "iterative", "given_attributes"]
    assert list(editors["vae"]) == ["least_squares", "class_means", *own]
    assert list(editors["gan"]) == ["attribute_embedding"]
    edits = [Edit(0, 1, ()), Edit(1, 0, (2,))]
    for task, trained in trained_models.items():
        for editor in editors[task].values():
            assert len(editor.codes) == len(few_punks.test)
            assert trained.decode(editor.apply(edits)).shape == (2, 32, 32, 3)


@pytest.fixture(scope="module")
def punks():
    return load_images(size=32)


def test_a_ground_truth_image_differs_in_what_is_added(punks):
    found = find_ground_truth(punks)
    assert len(found.edits) == len(found.targets) == len(found.unseen) > 1_000
    images = np.concatenate([punks.train, punks.validation, punks.test])
    attributes = np.concatenate(
        [punks.train_labels, punks.validation_labels, punks.test_labels]
    )
    rows = images[:, images.shape[1] - PUNK_BORDER - 1]
    keys = {(a.tobytes(), b.tobytes()) for a, b in zip(attributes, rows, strict=True)}
    assert len(keys) == len(images)  # attributes and skin determine an image
    labels = {image.tobytes(): a for image, a in zip(images, attributes, strict=True)}
    train = {image.tobytes() for image in punks.train}
    triples = zip(found.edits, found.targets, found.unseen, strict=True)
    for edit, target, unseen in triples:
        before = punks.test_labels[edit.image]
        np.testing.assert_array_equal(edit.target(before), labels[target.tobytes()])
        assert not before[edit.added] and not edit.removed
        assert (target.tobytes() not in train) == unseen


def test_images_that_attributes_and_a_row_do_not_determine_have_no_ground_truth(punks):
    repeated = np.concatenate([punks.train, punks.train[:1]])
    repeated[-1, 0] ^= 1  # another image with the same attributes and lowest row
    labels = np.concatenate([punks.train_labels, punks.train_labels[:1]])
    more = dataclasses.replace(punks, train=repeated, train_labels=labels)
    assert not find_ground_truth(more).edits


def test_images_that_share_no_row_have_no_ground_truth(few_punks):
    generator = np.random.default_rng(0)
    noise = {
        part: generator.integers(
            256, size=getattr(few_punks, part).shape, dtype=np.uint8
        )
        for part in ("train", "validation", "test")
    }
    found = find_ground_truth(dataclasses.replace(few_punks, **noise))
    assert not found.edits and len(found.targets) == 0
