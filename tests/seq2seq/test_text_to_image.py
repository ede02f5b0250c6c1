"""Text-to-image models: content, styles, and the loss by hand."""

import keras
import numpy as np
import pytest

from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.glyphs import RandomGlyphs, glyph_bank
from latent_arithmetic.seq2seq.layers import STYLE_DIM
from latent_arithmetic.seq2seq.queries import (
    BLANK,
    all_queries,
    encode_answers,
    encode_queries,
)
from latent_arithmetic.seq2seq.splits import random_split
from latent_arithmetic.seq2seq.text_to_image import (
    EndToEndTextToImage,
    MeanSquaredErrorTextToImage,
    TextToImage,
    TextToImageConfig,
    build_text_to_image,
)
from latent_arithmetic.seq2seq.text_to_text import TextToTextConfig, build_text_model
from latent_arithmetic.training import jit_compile

QUERIES = random_split(all_queries(), 0.9).train[:64]
CODES, ANSWERS = encode_queries(QUERIES), encode_answers(QUERIES)
SMALL_TEXT = TextToTextConfig(encoder_layers=1, decoder_layers=1)


def build(model_class=TextToImage):
    glyphs = RandomGlyphs(glyph_bank("train"))
    return model_class(build_text_model(SMALL_TEXT), glyphs)


def set_to_zero(*networks):
    for network in networks:
        network.set_weights([np.zeros_like(w) for w in network.get_weights()])


def test_glyphs_are_drawn_and_the_text_model_stays():
    model = build()
    content = model(CODES[:8])
    assert content.shape == (8, 3, 13)
    assert np.allclose(np.asarray(content).sum(axis=-1), 1, atol=1e-4)
    styles = np.random.default_rng(0).standard_normal((8, 3, STYLE_DIM), "float32")
    pixels = np.asarray(model.pixels(content, styles))
    assert pixels.shape == (8, 3, 28, 28)
    assert 0 <= pixels.min() and pixels.max() <= 1
    images = model.render(np.asarray(content), styles)
    assert images.dtype == np.uint8
    assert np.abs(images - 255 * pixels).max() <= 0.501
    text = [np.array(weight) for weight in model.encoder_decoder.weights]
    before = [np.array(weight) for weight in model.trainable_variables]
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=jit_compile())
    model.fit(CODES, ANSWERS, batch_size=64, verbose=0)
    for weight, old in zip(model.trainable_variables, before, strict=True):
        assert (np.array(weight) != old).any(), weight.path
    for weight, old in zip(model.encoder_decoder.weights, text, strict=True):
        assert (np.array(weight) == old).all()


def test_styles_are_sampled_from_the_fitted_mixtures():
    model = build()
    model.fit_styles(glyph_bank("validation"), count=100)
    weights, means = np.array(model.mixture_weights), np.array(model.mixture_means)
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-4)
    generator = np.random.default_rng(0)
    codes = np.full((2_000, 2), 7)
    codes[:, 1] = 3
    styles = model.sample_styles(codes, generator)
    assert styles.shape == (2_000, 2, STYLE_DIM)
    for position, code in enumerate((7, 3)):
        mean = weights[code] @ means[code]
        assert np.allclose(styles[:, position].mean(axis=0), mean, atol=0.2)
    # At temperature 0 only the means of the components are left.
    model.sampling_temperature = 0.0
    found = np.unique(model.sample_styles(codes, generator)[:, 0].round(4), axis=0)
    assert len(found) == (weights[7] > 1e-3).sum()


def test_the_loss_by_hand():
    """With all weights 0 every pixel costs log 2 and the styles cost nothing."""
    model = build()
    set_to_zero(model.style_encoder, model.glyph_decoder)
    loss = model.compute_loss(CODES, ANSWERS, model(CODES))
    assert float(loss) == pytest.approx(784 * np.log(2), rel=1e-5)


def test_the_mean_squared_error_by_hand():
    """All weights 0 draw gray; the error is that of blank glyphs against a half."""
    model = build(MeanSquaredErrorTextToImage)
    set_to_zero(model.glyph_decoder)
    model.glyphs = lambda codes: np.zeros((len(codes), 28, 28, 1), "float32")
    loss = model.compute_loss(CODES, ANSWERS, np.asarray(model(CODES)))
    assert float(loss) == pytest.approx(784 / 4, rel=1e-5)
    styles = model.sample_styles(CODES[:, :3], np.random.default_rng(0))
    assert not styles.any()
    model.fit_styles(glyph_bank("validation"), count=1)  # has nothing to fit


def test_a_configuration_is_resolved_and_built():
    config = TextToImageConfig().resolve()
    assert (config.logit_scale, config.sampling_temperature) == (2.0, 0.7)
    assert config.resolve() == config
    squared = TextToImageConfig(decoder="mean-squared-error").resolve()
    assert squared.logit_scale is None
    assert squared.text_decoder_layers == TextToTextConfig().resolve().decoder_layers
    assert isinstance(build_text_to_image(squared), MeanSquaredErrorTextToImage)
    with pytest.raises(UserError, match="no style vector"):
        TextToImageConfig(decoder="mean-squared-error", logit_scale=2.0)
    with pytest.raises(UserError, match="conditional-vae"):
        TextToImageConfig(decoder="styles")


def test_an_end_to_end_model_draws_by_squared_error_alone():
    config = TextToImageConfig(decoder="end-to-end", encoder_layers=1)
    assert config.text_config() is None
    assert config.resolve().decoder_layers == 2
    model = build_text_to_image(config)
    assert isinstance(model, EndToEndTextToImage)
    pixels = np.asarray(model(CODES[:4]))
    assert pixels.shape == (4, 3, 28, 28)
    drawn = model.answer_as_images(CODES[:4])
    assert drawn.dtype == np.uint8 and np.abs(drawn - 255 * pixels).max() <= 0.501
    blank = np.full((2, 3), BLANK)
    loss = model.compute_loss(y=blank, y_pred=np.full((2, 3, 28, 28), 0.5, "float32"))
    assert float(loss) == pytest.approx(28 * 28 / 4)  # a blank glyph is all zeros
    before = [np.array(weight) for weight in model.trainable_variables]
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=jit_compile())
    model.fit(CODES, ANSWERS, batch_size=64, verbose=0)
    for weight, old in zip(model.trainable_variables, before, strict=True):
        assert (np.array(weight) != old).any(), weight.path
    with pytest.raises(UserError, match="encoder_layers 1"):
        TextToImageConfig(encoder_layers=1)
    with pytest.raises(UserError, match="text_encoder_layers 1"):
        TextToImageConfig(decoder="end-to-end", text_encoder_layers=1)
