"""How painted handwriting is measured, worked out by hand."""

import numpy as np
import pytest

from latent_arithmetic.arithmetic.glyphs import glyph_bank
from latent_arithmetic.arithmetic.handwriting import (
    characters,
    compare_handwriting,
    nearest_distance,
    sharpness,
    variance,
    variety,
)
from latent_arithmetic.arithmetic.questions import encode


def test_variety_and_sharpness_by_hand():
    same = np.full((5, 28, 28), 200, "uint8")
    assert variety(same) == 0 and sharpness(same) == 0
    half = np.concatenate([np.zeros_like(same), np.full_like(same, 255)])
    assert variety(half) == pytest.approx(0.5, abs=0.05)
    assert variance(half) == pytest.approx(0.25)
    stripes = np.zeros((1, 28, 28), "uint8")
    stripes[:, ::2] = 255
    assert sharpness(stripes) == pytest.approx(0.5)


def test_pictures_are_grouped_by_character():
    pictures = np.arange(6, dtype="uint8").reshape(2, 3, 1, 1)
    groups = characters([" 12", "-11"], pictures)
    assert set(groups) == {" ", "1", "2", "-"}
    assert groups["1"].ravel().tolist() == [1, 4, 5]


def test_nearest_distance_by_hand():
    known = np.stack([np.zeros((28, 28)), np.full((28, 28), 255)]).astype("uint8")
    shown = np.stack([np.full((28, 28), 51), np.full((28, 28), 255)]).astype("uint8")
    assert nearest_distance(shown, known) == pytest.approx(0.1, abs=1e-4)


def test_real_handwriting_is_like_real_handwriting():
    train, test = glyph_bank("train"), glyph_bank("test")
    texts = ["105", " 48", "267", " 39"] * 60
    real, other = (test.draw(encode(texts), seed) for seed in (0, 1))
    shares = compare_handwriting(texts, other, real, train)
    assert all(0.85 < share < 1.15 for share in shares.values())
    same = np.repeat(real[:4], 60, axis=0)
    one_hand = compare_handwriting(sorted(texts), same, real, train)
    assert one_hand["variety"] < 0.5
    copies = compare_handwriting(texts, train.draw(encode(texts)), real, train)
    assert copies["nearest"] < 0.8
