"""Handwriting: the worlds are apart, and fresh drawings show what they should."""

import keras
import numpy as np
import pytest

from latent_arithmetic.arithmetic import glyphs
from latent_arithmetic.arithmetic.glyphs import (
    WORLDS,
    FreshGlyphs,
    draw_sign,
    glyph_bank,
    random_affine,
)
from latent_arithmetic.arithmetic.questions import ALPHABET, BLANK, encode
from latent_arithmetic.errors import UserError


@pytest.mark.parametrize("world", WORLDS)
def test_a_bank_holds_every_character(world):
    bank = glyph_bank(world)
    assert bank.images.dtype == np.uint8 and bank.images.shape[1:] == (28, 28)
    assert len(bank.counts) == len(ALPHABET) and bank.counts.min() >= 1
    assert bank.counts.sum() == len(bank.images)
    assert not bank.draw(np.array([BLANK])).any()


def test_no_picture_is_shared_by_two_worlds():
    """Digits are different pictures; drawn signs come from separate pools."""
    seen = {}
    for world in WORLDS:
        bank = glyph_bank(world)
        digits = bank.images[: bank.starts[10]]
        seen[world] = {digit.tobytes() for digit in digits}
    assert not seen["train"] & seen["test"]
    assert not seen["train"] & seen["validation"]
    assert not seen["validation"] & seen["test"]
    signs = [glyph_bank(world).images[-1001:-1] for world in WORLDS]
    assert not (signs[0] == signs[2]).all(axis=(1, 2)).all()


def test_an_unknown_world_is_refused():
    with pytest.raises(UserError, match="unknown world"):
        glyph_bank("moon")


def test_signs_look_like_signs():
    generator = np.random.default_rng(0)
    plus, minus = draw_sign("+", generator), draw_sign("-", generator)
    assert plus.shape == (28, 28) and plus.max() == 255
    assert plus.any(axis=1).sum() > 10 > minus.any(axis=1).sum()
    assert minus.any(axis=0).sum() > 10


def test_drawing_depends_on_the_seed_alone():
    codes = encode(["81+24", "  1-9"])
    bank = glyph_bank("test")
    first, again, other = bank.draw(codes, 1), bank.draw(codes, 1), bank.draw(codes, 2)
    assert first.shape == (2, 5, 28, 28) and first.dtype == np.uint8
    assert (first == again).all() and (first != other).any()


def test_fresh_glyphs_show_the_characters_asked_for():
    bank = glyph_bank("train")
    layer = FreshGlyphs(bank, warp=False)
    codes = np.tile(np.arange(len(ALPHABET), dtype="uint8"), (6, 1))
    drawn = keras.ops.convert_to_numpy(layer(codes))
    assert drawn.shape == (6, 13, 28, 28, 1)
    assert drawn.min() == 0 and drawn.max() == 1
    for code in range(len(ALPHABET)):
        start = bank.starts[code]
        own = bank.images[start : start + bank.counts[code]]
        for picture in np.round(drawn[:, code, ..., 0] * 255).astype("uint8"):
            assert (own == picture).all(axis=(1, 2)).any()


def test_fresh_glyphs_are_fresh_and_repeatable():
    codes = encode(["81+24"])
    layer, twin = (FreshGlyphs(glyph_bank("train"), seed=5) for _ in range(2))
    first, second = np.asarray(layer(codes)), np.asarray(layer(codes))
    assert (first != second).any()
    assert (first == np.asarray(twin(codes))).all()
    assert not layer.weights[1:]  # nothing but the state of the seed is stored


def test_warping_moves_and_keeps_the_shape(monkeypatch):
    picture = np.zeros((64, 28, 28, 1), "float32")
    picture[:, 10, 12] = 1.0
    seed = keras.random.SeedGenerator(0)
    monkeypatch.setattr(glyphs, "WARP", (2.0, 2.0, 0.0, 0.0, 0.0, 0.0))
    moved = np.asarray(random_affine(picture, seed))
    assert np.allclose(moved.sum(axis=(1, 2, 3)), 1, atol=1e-4)
    _, rows, columns, _ = np.nonzero(moved > 1e-4)
    assert set(rows) <= set(range(8, 13)) and set(columns) <= set(range(10, 15))
    assert len(set(rows)) == len(set(columns)) == 5
    monkeypatch.setattr(glyphs, "WARP", (0.0,) * 6)
    assert np.allclose(np.asarray(random_affine(picture, seed)), picture, atol=1e-6)


def test_warping_turns_about_the_centre(monkeypatch):
    picture = np.zeros((40, 28, 28, 1), "float32")
    picture[:, 13:15, 4:24] = 1.0
    monkeypatch.setattr(glyphs, "WARP", (0.0, 0.0, 1.5, 0.0, 0.0, 0.0))
    turned = np.asarray(random_affine(picture, keras.random.SeedGenerator(0)))
    assert np.allclose(turned.sum(axis=(1, 2, 3)), 40, rtol=0.05)
    rows = np.arange(28)[None, :, None] * turned[..., 0]
    assert np.allclose(rows.sum(axis=(1, 2)) / 40, 13.5, rtol=0.03)
    assert (turned[:, 4:10].sum(axis=(1, 2, 3)) > 1).any()
