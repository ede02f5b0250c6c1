"""MNIST addition: the protocol, the likelihood by hand, and both adders."""

import numpy as np
import pytest

from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq import mnist_addition
from latent_arithmetic.seq2seq.mnist_addition import (
    ADDERS,
    MnistAdditionConfig,
    add_digits,
    exact_sums,
    log_likelihood_of_sums,
    pair_digits,
    train_mnist_addition,
)


@pytest.fixture
def few_digits(monkeypatch):
    """60 images whose first pixel is their label."""
    labels = np.random.default_rng(0).integers(10, size=60)
    images = np.zeros((60, 28, 28), "uint8")
    images[:, 0, 0], images[:, 0, 1] = labels, np.arange(60)
    monkeypatch.setattr(mnist_addition, "mnist_digits", lambda split: (images, labels))


def as_integers(digits):
    """Digits [n, k], units first, as integers."""
    return (digits.astype(int) * 10 ** np.arange(digits.shape[1])).sum(axis=1)


def test_every_image_is_used_once(few_digits):
    images, labels, sums = pair_digits("test", 4)
    assert images.shape == (7, 4, 2, 28, 28) and sums.shape == (7, 5)
    assert (images[..., 0, 0] == labels).all()
    numbers = images[..., 0, 1].ravel()
    assert len(set(numbers.tolist())) == 56
    left, right = (as_integers(labels[:, :, side]) for side in (0, 1))
    assert (as_integers(sums) == left + right).all()
    other, *_ = pair_digits("test", 4, seed=1)
    assert (other != images).any()
    assert len(pair_digits("all", 1)[0]) == 60  # both parts


def test_sums_of_many_digits():
    nines = np.full((1, 15, 2), 9)
    assert as_integers(add_digits(nines))[0] == 2 * (10**15 - 1)


def test_the_likelihood_is_that_of_all_pairs():
    """Numbers of two digits: the sum over all 10,000 pairs, written out."""
    generator = np.random.default_rng(0)
    found = generator.dirichlet(np.ones(10), size=(2, 2, 2)).astype("float32")
    sums = np.array([[7, 3, 1], [0, 5, 0]])
    likelihood = np.exp(np.array(log_likelihood_of_sums(found, sums)))
    for case, total in enumerate((137, 50)):
        units, tens = found[case]
        expected = sum(
            units[0][a % 10] * tens[0][a // 10] * units[1][b % 10] * tens[1][b // 10]
            for a in range(100)
            for b in [total - a]
            if 0 <= b < 100
        )
        assert likelihood[case] == pytest.approx(expected, rel=1e-4)


def test_a_sure_reader_finds_its_sum_certain_and_others_impossible():
    sure = np.eye(10, dtype="float32")[np.array([[[9, 8], [0, 5]]])]  # 09 + 58 = 67
    for sums, least, most in (([7, 6, 0], -1e-3, 1e-3), ([8, 6, 0], -1e3, -50)):
        likelihood = float(log_likelihood_of_sums(sure, np.array([sums]))[0])
        assert least <= likelihood <= most


@pytest.mark.slow
@pytest.mark.parametrize("adder", ADDERS)
def test_both_adders_are_trained_and_tested(adder, tmp_path, monkeypatch, few_digits):
    monkeypatch.setattr(mnist_addition, "BATCH_IMAGES", 16)
    config = MnistAdditionConfig(adder=adder, digits=2, epochs=2)
    model, history = train_mnist_addition(tmp_path, config)
    assert history.epochs == 2 and np.isfinite(history.losses["loss"]).all()
    assert history.validation["epoch"] == [1, 2]
    assert exact_sums(model, "test", 2).shape == (15,)
    assert model.sums(pair_digits("test", 3)[0]).shape == (10, 4)  # any number


@pytest.mark.parametrize("values", [{"adder": "none"}, {"digits": 16}, {"epochs": 0}])
def test_an_unusable_configuration_is_refused(values):
    with pytest.raises(UserError, match=next(iter(values))):
        MnistAdditionConfig(**values)
