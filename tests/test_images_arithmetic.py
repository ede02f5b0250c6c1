"""Arithmetic with codes: directions by hand, which changes make sense, the judge."""

import dataclasses

import numpy as np
import pytest

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.corrections import CorrectedArithmetic
from latent_arithmetic.images.counterparts import (
    find_counterparts,
    measure_counterparts,
)
from latent_arithmetic.images.data.datasets import PUNK_BORDER, load_pictures
from latent_arithmetic.images.directions import (
    Arithmetic,
    Change,
    attribute_directions,
    hidden_pairs,
    kinds,
    measure_arithmetic,
    possible_changes,
)
from latent_arithmetic.images.quality.features import feature_map
from latent_arithmetic.profiles import get_profile

SMOKE = dataclasses.replace(get_profile("smoke"), pictures=120)


def test_regression_separates_what_goes_together_and_means_do_not():
    """Beards add 1 to the first latent, men 10 to the second; only men have beards."""
    generator = np.random.default_rng(0)
    man = generator.random(4000) < 0.5
    beard = man & (generator.random(4000) < 0.5)
    labels = np.stack([beard, man], axis=1)
    codes = labels @ np.array([[1.0, 0.0], [0.0, 10.0]])
    codes = codes + generator.normal(0, 0.1, codes.shape)
    found = attribute_directions(codes, labels, "regression")
    np.testing.assert_allclose(found, [[1, 0], [0, 10]], atol=0.05)
    means = attribute_directions(codes, labels, "means")
    by_hand = codes[beard].mean(axis=0) - codes[~beard].mean(axis=0)
    np.testing.assert_allclose(means[0], by_hand, atol=1e-4)
    assert means[0, 1] > 5  # a beard makes a man
    with pytest.raises(UserError, match="regression, means"):
        attribute_directions(codes, labels, "medians")


def test_a_change_adds_and_takes_away():
    directions = np.array([[1.0, 0], [0, 1], [5, 5]])
    change = Change(picture=0, added=2, removed=(0, 1))
    np.testing.assert_array_equal(change.arithmetic(directions), [4, 4])
    before = np.array([True, True, False])
    np.testing.assert_array_equal(change.wanted(before), [False, False, True])
    assert before[0]


def test_only_changes_that_the_data_knows_are_asked_for():
    """Hats exclude each other; a beard goes with either; a crown is too rare."""
    generator = np.random.default_rng(0)
    hat = generator.integers(3, size=3000)
    labels = np.zeros((3000, 4), bool)
    labels[:, 0], labels[:, 1] = hat == 0, hat == 1
    labels[:, 2] = generator.random(3000) < 0.5
    labels[:20, 3] = True
    changes = possible_changes(labels, labels[:500], 300)
    assert len(changes) == 300
    assert {change.added for change in changes} == {0, 1, 2}
    for change in changes:
        worn = labels[change.picture]
        assert not worn[change.added]
        other_hats = [a for a in (0, 1) if worn[a] and change.added < 2]
        assert list(change.removed) == other_hats
    assert changes == possible_changes(labels, labels[:500], 300)


def test_no_change_takes_a_picture_s_kind_away():
    """Only men have beards, women earrings, and both hats: a beard is for men."""
    generator = np.random.default_rng(1)
    man, worn = generator.random(2000) < 0.6, generator.random((2000, 3)) < 0.4
    worn[:, 0] &= man
    worn[:, 1] &= ~man
    labels = np.concatenate([man[:, None], ~man[:, None], worn], axis=1)
    np.testing.assert_array_equal(kinds(labels), [True, True, False, False, False])
    assert not kinds(worn).any()
    changes = possible_changes(labels, labels[:500], 300)
    assert {change.added for change in changes} == {0, 1, 2, 3, 4}
    for change in changes:
        if change.added >= 2:
            assert not change.removed
        if change.added in (2, 3):
            assert labels[change.picture, change.added - 2]


class Painter:
    """Codes are pictures' labels; pictures show their code."""

    def decode(self, codes):
        return np.clip(codes, 0, 1).round().astype("uint8")[:, None, None]


class Eye:
    def see(self, images):
        return images[:, 0, 0] > 0


def test_success_is_measured_by_hand():
    images = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1]], "uint8")[:, None, None]
    changes = [Change(0, 1, ()), Change(1, 2, (0,)), Change(2, 0, ())]
    right = np.eye(3)
    codes, present = images[:, 0, 0].astype(float), Eye().see(images)
    asked, hidden = (changes, present), np.zeros((3, 3), bool)
    found = measure_arithmetic(
        Painter(), Eye(), Arithmetic(codes, right), *asked, hidden
    )
    assert [found[name].value for name in ("added", "kept", "success")] == [1, 1, 1]
    # The second attribute now brings the third along: the first change breaks it.
    wrong = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]])
    hidden[0, 1] = True  # where both are, only the second is seen
    found = measure_arithmetic(
        Painter(), Eye(), Arithmetic(codes, wrong), *asked, hidden
    )
    assert found["added"].value == pytest.approx(2 / 3)
    assert found["kept"].value == pytest.approx(2 / 3)
    assert found["success"].value == pytest.approx(1 / 3)
    assert found["unchanged"].value == 1
    assert found["visible-success"].n == 2 and found["visible-success"].value == 0.5


class Onlooker(Painter):
    """Sees what its pictures show, but never the last thing beside the second."""

    def see(self, images):
        seen = images[:, 0, 0] > 0
        seen[:, 3] &= ~seen[:, 1]
        return seen


def test_arithmetic_is_corrected_by_hand():
    """The second attribute comes too faintly and brings the third along: added once
    more, and the third taken away, in two steps. The last is there and not seen."""
    worn = np.array([[True, False, False, True]])
    directions = np.eye(4)
    directions[1, 1:3] = 0.3, 1
    hidden = np.zeros((4, 4), bool)
    hidden[3, 1] = True
    change = [Change(0, 1, ())]
    plain = Arithmetic(worn.astype(float), directions)
    np.testing.assert_allclose(plain.apply(change), [[1, 0.3, 1, 1]])
    own = {"trained": Onlooker(), "worn": worn}
    corrected = CorrectedArithmetic(**vars(plain), **own, hidden=hidden)
    np.testing.assert_allclose(corrected.apply(change), [[1, 0.6, 0, 1]], atol=1e-6)
    eager = CorrectedArithmetic(**vars(plain), **own, hidden=np.zeros((4, 4), bool))
    np.testing.assert_allclose(eager.apply(change), [[1, 0.6, 0, 2]], atol=1e-6)


def test_an_earring_under_a_hood_is_hidden():
    """Seen: of 40 pictures the earring of 10 without a hood, of 10 with one in 4."""
    hood, earring = np.repeat([0, 1, 0, 1], 10), np.repeat([0, 0, 1, 1], 10)
    labels = np.stack([hood, earring], axis=1).astype(bool)
    seen = labels.copy()
    seen[34:, 1] = False
    np.testing.assert_array_equal(hidden_pairs(seen, labels), [[0, 0], [1, 0]])
    seen[34, 1] = True
    assert not hidden_pairs(seen, labels).any()
    assert not hidden_pairs(seen[::4], labels[::4]).any()  # too few to tell


def test_a_judge_is_trained_once_and_sees_what_it_was_taught(tmp_path):
    pictures = load_pictures(size=32, limit=120)
    judge = feature_map(pictures, tmp_path, SMOKE)
    features = judge.features(pictures.test)
    assert features.shape == (len(pictures.test), 128)
    assert np.sqrt(np.square(judge.features(pictures.train)).mean()) == pytest.approx(1)
    seen = judge.see(pictures.test)
    assert seen.shape == (len(pictures.test), len(pictures.label_names))
    again = feature_map(pictures, tmp_path, SMOKE)
    assert again.version == judge.version
    np.testing.assert_array_equal(again.features(pictures.test), features)


def test_pictures_without_attributes_get_the_same_random_net(tmp_path):
    pictures = load_pictures(size=32, limit=120)
    nothing = {f"{part}_labels": np.zeros((1, 0)) for part in ("train", "test")}
    pictures = dataclasses.replace(pictures, label_names=(), **nothing)
    one, other = (feature_map(pictures, tmp_path, SMOKE) for _ in range(2))
    assert one.version == other.version and not any(tmp_path.iterdir())
    found = one.features(pictures.test)
    assert found.std(axis=0).min() > 0
    with pytest.raises(UserError, match="no attributes"):
        one.see(pictures.test)


@pytest.fixture(scope="module")
def punks():
    return load_pictures(size=32)


def test_a_punk_and_its_counterpart_differ_in_what_is_added(punks):
    found = find_counterparts(punks)
    assert len(found.changes) == len(found.real) == len(found.unseen) > 1_000
    looks = np.concatenate([punks.train, punks.validation, punks.test])
    worn = np.concatenate(
        [punks.train_labels, punks.validation_labels, punks.test_labels]
    )
    necks = looks[:, looks.shape[1] - PUNK_BORDER - 1]
    settled = {(a.tobytes(), b.tobytes()) for a, b in zip(worn, necks, strict=True)}
    assert len(settled) == len(looks)  # attributes and skin leave nothing open
    labels = {look.tobytes(): row for look, row in zip(looks, worn, strict=True)}
    trained_on = {look.tobytes() for look in punks.train}
    for change, real, unseen in zip(
        found.changes, found.real, found.unseen, strict=True
    ):
        before = punks.test_labels[change.picture]
        np.testing.assert_array_equal(change.wanted(before), labels[real.tobytes()])
        assert not before[change.added] and not change.removed
        assert (real.tobytes() not in trained_on) == unseen


def test_only_the_very_picture_counts_as_its_counterpart(punks):
    """Codes are numbers of pictures, to which an attribute adds 10,000 times its own:
    right for all, but for a colour of two whose result was not trained on."""
    found = find_counterparts(punks)
    drawn = found.real.copy()
    drawn[np.flatnonzero(found.unseen)[:2], 0, 0, 0] ^= 1
    by_code = {
        change.picture + 10_000 * change.added: picture
        for change, picture in zip(found.changes, drawn, strict=True)
    }

    class Draws:
        def decode(self, points):
            return np.stack([by_code[int(point)] for point in points[:, 0]])

    codes = np.arange(len(punks.test))[:, None]
    directions = 10_000 * np.arange(len(punks.label_names))[:, None]
    numbers = measure_counterparts(Draws(), found, Arithmetic(codes, directions))
    n, unseen = len(found.changes), found.unseen.sum()
    assert numbers["exact"].value == pytest.approx(1 - 2 / n)
    assert numbers["exact-unseen"].value == pytest.approx(1 - 2 / unseen)
    assert numbers["exact-unseen"].n == unseen


def test_what_attributes_and_a_row_do_not_settle_has_no_counterpart(punks):
    """Once one more picture looks like another there, none is compared any more."""
    doubled = np.concatenate([punks.train, punks.train[:1]])
    doubled[-1, 0] ^= 1  # another picture, but for attributes and neck
    labels = np.concatenate([punks.train_labels, punks.train_labels[:1]])
    more = dataclasses.replace(punks, train=doubled, train_labels=labels)
    assert not find_counterparts(more).changes


def test_what_shares_no_row_has_no_counterpart(punks):
    noise = np.random.default_rng(0)
    noisy = {
        part: noise.integers(256, size=getattr(punks, part)[:50].shape, dtype="uint8")
        for part in ("train", "validation", "test")
    }
    some = {f"{part}_labels": getattr(punks, f"{part}_labels")[:50] for part in noisy}
    found = find_counterparts(dataclasses.replace(punks, **noisy, **some))
    assert not found.changes
    assert measure_counterparts(None, found, None) == {}
