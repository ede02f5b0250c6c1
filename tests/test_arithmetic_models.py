"""The arithmetic models: shapes, training steps and learning on this backend."""

import keras
import numpy as np
import pytest

from latent_arithmetic.arithmetic.designs import build_text_design
from latent_arithmetic.arithmetic.glyphs import FreshGlyphs, glyph_bank
from latent_arithmetic.arithmetic.image_designs import STRAIGHT_DESIGNS
from latent_arithmetic.arithmetic.image_to_text import (
    ImageToText,
    StraightImageToText,
)
from latent_arithmetic.arithmetic.models import TextToText, exact, predict
from latent_arithmetic.arithmetic.networks import STYLE_DIM, build_encoder_decoder
from latent_arithmetic.arithmetic.questions import (
    ALPHABET,
    QuestionFormat,
    all_questions,
    decode,
    encode,
    encode_answers,
    encode_questions,
    one_hot,
)
from latent_arithmetic.arithmetic.reader import (
    JUNK,
    Reader,
    draw_junk,
    reader_examples,
)
from latent_arithmetic.arithmetic.splits import random_split
from latent_arithmetic.arithmetic.text_to_image import TextToImage

QUESTIONS = random_split(all_questions(), 0.9).train[:64]
CODES, ANSWERS = encode_questions(QUESTIONS), encode_answers(QUESTIONS)


@pytest.fixture
def glyphs():
    return FreshGlyphs(glyph_bank("train"))


def changed_by_a_step(model, x, y, loss=None):
    """The paths of the trainable weights that one epoch changed."""
    model.compile(keras.optimizers.Adam(1e-2), loss)
    weights = model.trainable_variables
    before = [np.array(weight) for weight in weights]
    model.fit(x, y, batch_size=len(x), verbose=0)
    return [
        weight.path
        for weight, old in zip(weights, before, strict=True)
        if (np.array(weight) != old).any()
    ]


def text_design():
    return build_text_design("summary")


def answer_loss():
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


@pytest.mark.parametrize("layers", [(1, 1), (2, 1), (1, 2)])
def test_encoder_decoder_shapes(layers):
    model = build_encoder_decoder(QuestionFormat(3), *layers)
    assert model.input_shape == (None, 7, 13)
    assert model.output_shape == (None, 4, 13)
    kinds = [type(layer).__name__ for layer in model.layers]
    assert kinds.count("Bidirectional") == layers[0]
    assert kinds.count("LSTM") == layers[1]


def test_exact_counts_whole_answers():
    logits = one_hot(np.array([[1, 2, 3], [1, 2, 3]]))
    right = exact(np.array([[1, 2, 3], [1, 2, 4]]), keras.ops.convert_to_tensor(logits))
    assert np.asarray(right).tolist() == [1, 0]


def test_predict_handles_any_number():
    model = TextToText(text_design())
    assert predict(model, CODES[:1]).shape == (1, 3, 13)
    rows = np.tile(CODES, (10, 1))
    outputs = predict(model, rows)
    assert outputs.shape == (640, 3, 13)
    assert np.allclose(outputs[:64], outputs[-64:], atol=1e-5)


def test_text_to_text_learns_a_small_case():
    keras.utils.set_random_seed(0)
    model = TextToText(text_design())
    model.compile(keras.optimizers.Adam(1e-2), answer_loss(), metrics=[exact])
    history = model.fit(CODES, ANSWERS, epochs=60, batch_size=64, verbose=0)
    assert history.history["exact"][-1] > 0.9
    assert history.history["loss"][-1] < 0.1 * history.history["loss"][0]


def test_image_to_text_reads_codes_and_pictures(glyphs):
    model = ImageToText(text_design(), glyphs)
    pictures = glyph_bank("test").draw(CODES[:8])
    assert model(CODES[:8]).shape == (8, 3, 13)
    # Each row of pictures is read on its own and in its own order.
    together = np.asarray(model(pictures))
    assert np.allclose(np.asarray(model(pictures[3:4]))[0], together[3], atol=1e-4)
    model.answer_possible()
    changed = changed_by_a_step(model, CODES, ANSWERS)
    assert len(changed) == len(model.trainable_variables)
    assert not [path for path in changed if "lstm" in path]


def test_only_questions_are_read(glyphs):
    """A number does not begin with 0, however much a picture looks like one."""
    model = ImageToText(text_design(), glyphs)
    seen = np.log(one_hot(encode(["05+13", "  7-0"])) + 1e-9)
    seen[0, 0, ALPHABET.index("6")] = -1.0
    read = decode(np.asarray(model.most_probable(seen)))
    assert read == ["65+13", "  7-0"]


def test_image_to_text_loss_by_hand(glyphs):
    """An eye with all weights 0 finds every question equally probable."""
    model = ImageToText(text_design(), glyphs)
    model.eye.set_weights([np.zeros_like(weight) for weight in model.eye.get_weights()])
    questions = np.array([[1, 1, 2], [2, 1, 1], [5, 1, 4], [9, -1, 6], [3, 1, 9]])
    model.possible = encode_questions(questions)
    model.possible_answers = encode_answers(questions).astype("int32")
    # Three of five questions have the answer 3, one has 9.
    loss = model.compute_loss(model.possible[:1], encode_answers(questions[:1]))
    assert float(loss) == pytest.approx(np.log(5 / 3), rel=1e-5)
    loss = model.compute_loss(model.possible[2:3], encode_answers(questions[2:3]))
    assert float(loss) == pytest.approx(np.log(5), rel=1e-5)
    model.supervision = "labels"
    loss = model.compute_loss(model.possible, encode_answers(questions))
    assert float(loss) == pytest.approx(np.log(13), rel=1e-5)


def test_image_to_text_sums_over_questions(glyphs):
    """An eye that is sure of the pictures finds the answer certain, or impossible."""
    model = ImageToText(text_design(), glyphs)
    model.possible = encode_questions(QUESTIONS[:8])
    model.possible_answers = encode_answers(QUESTIONS[:8]).astype("int32")
    sure = np.log(one_hot(model.possible[:1]).reshape(-1, 13) + 1e-9)
    for asked, least, most in ((0, -1e-3, 0), (1, -25, -15)):
        likelihood = model.log_likelihood(sure, ANSWERS[asked : asked + 1])
        assert least <= float(likelihood[0]) <= most


@pytest.mark.parametrize("reading", STRAIGHT_DESIGNS)
def test_straight_designs_read_pictures(glyphs, reading):
    model = StraightImageToText(glyphs, reading, QuestionFormat(3))
    codes = encode_questions(QUESTIONS[:8], QuestionFormat(3))
    assert model(glyph_bank("test").draw(codes)).shape == (8, 4, 13)
    answers = encode_answers(QUESTIONS[:8], QuestionFormat(3))
    changed = changed_by_a_step(model, codes, answers, answer_loss())
    assert len(changed) == len(model.trainable_variables) > 0


def test_text_to_image_paints_and_leaves_the_arithmetic_alone(glyphs):
    model = TextToImage(text_design(), glyphs)
    content = model(CODES[:8])
    assert content.shape == (8, 3, 13)
    assert np.allclose(np.asarray(content).sum(axis=-1), 1, atol=1e-4)
    styles = np.random.default_rng(0).standard_normal((8, 3, STYLE_DIM), "float32")
    pixels = np.asarray(model.paint(content, styles))
    assert pixels.shape == (8, 3, 28, 28)
    assert 0 <= pixels.min() and pixels.max() <= 1
    text = [np.array(weight) for weight in model.encoder_decoder.weights]
    changed = changed_by_a_step(model, CODES, ANSWERS)
    assert len(changed) == len(model.trainable_variables) > 0
    for weight, old in zip(model.encoder_decoder.weights, text, strict=True):
        assert (np.array(weight) == old).all()


def test_styles_are_drawn_from_the_fitted_mixtures(glyphs):
    model = TextToImage(text_design(), glyphs)
    model.fit_styles(glyph_bank("validation"), count=100)
    shares, centres = np.array(model.style_shares), np.array(model.style_centres)
    assert np.allclose(shares.sum(axis=1), 1, atol=1e-4)
    spreads = np.array(model.style_spreads)
    generator = np.random.default_rng(0)
    codes = np.full((2_000, 2), 7)
    codes[:, 1] = 3
    styles = model.draw_styles(codes, generator)
    assert styles.shape == (2_000, 2, STYLE_DIM)
    for place, code in enumerate((7, 3)):
        mean = shares[code] @ centres[code]
        assert np.allclose(styles[:, place].mean(axis=0), mean, atol=0.2)
    # Without chance in the normal draws only the centres of the hands are left.
    model.style_spreads.assign(np.zeros_like(spreads))
    found = np.unique(model.draw_styles(codes, generator)[:, 0].round(4), axis=0)
    assert len(found) == (shares[7] > 1e-3).sum()


def test_mean_squared_error_by_hand(glyphs):
    """All weights 0 paint grey; the error is that of the pictures against a half."""
    model = TextToImage(text_design(), glyphs, painting="mean-squared-error")
    model.painter.set_weights([np.zeros_like(w) for w in model.painter.get_weights()])
    model.glyphs = lambda codes: np.zeros((len(codes), 28, 28, 1), "float32")
    loss = model.compute_loss(CODES, ANSWERS, np.asarray(model(CODES)))
    assert float(loss) == pytest.approx(784 / 4, rel=1e-5)
    styles = model.draw_styles(CODES[:, :3], np.random.default_rng(0))
    assert not styles.any()


def test_text_to_image_loss_by_hand(glyphs):
    """With all weights 0 every pixel costs log 2 and the styles cost nothing."""
    model = TextToImage(text_design(), glyphs)
    for part in (model.style_encoder, model.painter):
        part.set_weights([np.zeros_like(weight) for weight in part.get_weights()])
    loss = model.compute_loss(CODES, ANSWERS, model(CODES))
    assert float(loss) == pytest.approx(784 * np.log(2), rel=1e-5)


def test_reader_reads_text_and_knows_junk():
    pictures, codes = reader_examples("validation")
    assert pictures.dtype == np.uint8 and len(pictures) == len(codes)
    assert set(codes.tolist()) == set(range(JUNK + 1))
    model = Reader()
    texts = model.read(glyph_bank("test").draw(CODES[:4]))
    assert len(texts) == 4 and all(len(text) == 5 for text in texts)
    changed = changed_by_a_step(model, pictures[-64:], codes[-64:], answer_loss())
    assert len(changed) == len(model.trainable_variables)


def test_junk_is_no_copy_of_a_digit():
    bank = glyph_bank("validation")
    junk = draw_junk(bank, 60)
    assert junk.shape == (60, 28, 28) and junk.dtype == np.uint8
    assert (junk == draw_junk(bank, 60)).all()
    digits = {picture.tobytes() for picture in bank.images}
    assert not digits & {picture.tobytes() for picture in junk}
