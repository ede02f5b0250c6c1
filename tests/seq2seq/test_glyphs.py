"""Handwriting: splits share no image, and random glyphs show what they should."""

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest

from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.glyphs import (
    SPLITS,
    RandomGlyphs,
    draw_sign,
    glyph_bank,
    glyph_grid,
    random_affine,
)
from latent_arithmetic.seq2seq.queries import ALPHABET, BLANK, encode


@pytest.mark.parametrize("split", SPLITS)
def test_a_bank_holds_every_character(split):
    bank = glyph_bank(split)
    assert bank.images.dtype == np.uint8 and bank.images.shape[1:] == (28, 28)
    assert len(bank.counts) == len(ALPHABET) and bank.counts.min() >= 1
    assert bank.counts.sum() == len(bank.images)
    assert not bank.sample(np.array([BLANK])).any()


def test_no_image_is_shared_by_two_splits():
    """Digits are different images; drawn signs come from separate pools."""
    seen = {}
    for split in SPLITS:
        bank = glyph_bank(split)
        digits = bank.images[: bank.starts[10]]
        seen[split] = {digit.tobytes() for digit in digits}
    assert not seen["train"] & seen["test"]
    assert not seen["train"] & seen["validation"]
    assert not seen["validation"] & seen["test"]
    signs = [glyph_bank(split).images[-1001:-1] for split in SPLITS]
    assert not (signs[0] == signs[2]).all(axis=(1, 2)).all()


def test_an_unknown_split_is_refused():
    with pytest.raises(UserError, match="unknown split 'moon'.*train, validation"):
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
    first, again, other = (
        bank.sample(codes, 1),
        bank.sample(codes, 1),
        bank.sample(codes, 2),
    )
    assert first.shape == (2, 5, 28, 28) and first.dtype == np.uint8
    assert (first == again).all() and (first != other).any()


def test_random_glyphs_show_the_characters_asked_for():
    bank = glyph_bank("train")
    layer = RandomGlyphs(bank, augment=False)
    codes = np.tile(np.arange(len(ALPHABET), dtype="uint8"), (6, 1))
    drawn = keras.ops.convert_to_numpy(layer(codes))
    assert drawn.shape == (6, 13, 28, 28, 1)
    assert drawn.min() == 0 and drawn.max() == 1
    for code in range(len(ALPHABET)):
        start = bank.starts[code]
        own = bank.images[start : start + bank.counts[code]]
        for image in np.round(drawn[:, code, ..., 0] * 255).astype("uint8"):
            assert (own == image).all(axis=(1, 2)).any()


def test_random_glyphs_differ_by_call_and_repeat_by_seed():
    codes = encode(["81+24"])
    layer, same = (RandomGlyphs(glyph_bank("train"), seed=5) for _ in range(2))
    first, second = np.asarray(layer(codes)), np.asarray(layer(codes))
    assert (first != second).any()
    assert (first == np.asarray(same(codes))).all()
    assert not layer.weights  # images are data, not weights


def test_a_shift_keeps_the_shape():
    images = np.zeros((64, 28, 28, 1), "float32")
    images[:, 10, 12] = 1.0
    seed = keras.random.SeedGenerator(0)
    moved = np.asarray(random_affine(images, seed, (2.0, 2.0, 0.0, 0.0, 0.0, 0.0)))
    assert np.allclose(moved.sum(axis=(1, 2, 3)), 1, atol=1e-4)
    _, rows, columns, _ = np.nonzero(moved > 1e-4)
    assert set(rows) <= set(range(8, 13)) and set(columns) <= set(range(10, 15))
    assert len(set(rows)) == len(set(columns)) == 5
    kept = random_affine(images, seed, (0.0,) * 6)
    assert np.allclose(np.asarray(kept), images, atol=1e-6)


def test_a_rotation_is_about_the_center():
    images = np.zeros((40, 28, 28, 1), "float32")
    images[:, 13:15, 4:24] = 1.0
    seed = keras.random.SeedGenerator(0)
    turned = np.asarray(random_affine(images, seed, (0.0, 0.0, 1.5, 0.0, 0.0, 0.0)))
    assert np.allclose(turned.sum(axis=(1, 2, 3)), 40, rtol=0.05)
    rows = np.arange(28)[None, :, None] * turned[..., 0]
    assert np.allclose(rows.sum(axis=(1, 2)) / 40, 13.5, rtol=0.03)
    assert (turned[:, 4:10].sum(axis=(1, 2, 3)) > 1).any()


def test_a_grid_shows_every_line_once():
    images = glyph_bank("test").sample(encode(["81+24", "  1-9", "  7+5"]))
    figure = glyph_grid(images, 2, titles=["a", "b", "c"])
    (axis,) = figure.axes
    shown = [image.get_array() for image in axis.images]
    assert [text.get_text() for text in axis.texts] == ["a", "b", "c"]
    assert [line.shape for line in shown] == [(28, 140)] * 3
    corners = [tuple(image.get_extent()[::3]) for image in axis.images]
    assert len(set(corners)) == 3 and len({top for _, top in corners}) == 2
    for line, glyphs in zip(shown, images, strict=True):
        assert (line == np.concatenate(list(glyphs), axis=1)).all()
    plt.close(figure)
