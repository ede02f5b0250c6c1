"""Image-to-text models: shapes, the loss by hand, and what is refused."""

import keras
import numpy as np
import pytest

from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.glyphs import RandomGlyphs, glyph_bank
from latent_arithmetic.seq2seq.image_to_text import (
    END_TO_END,
    ImageToTextConfig,
    ModularImageToText,
    build_image_to_text,
    queries_of_fewer_digits,
)
from latent_arithmetic.seq2seq.queries import (
    ALPHABET,
    all_queries,
    decode,
    encode,
    encode_answers,
    encode_queries,
    one_hot,
)
from latent_arithmetic.seq2seq.splits import random_split
from latent_arithmetic.seq2seq.text_to_text import TextToTextConfig, build_text_model
from latent_arithmetic.training import jit_compile

QUERIES = random_split(all_queries(), 0.9).train[:64]
CODES, ANSWERS = encode_queries(QUERIES), encode_answers(QUERIES)
SMALL_TEXT = TextToTextConfig(encoder_layers=1, decoder_layers=1)


@pytest.fixture
def glyphs():
    return RandomGlyphs(glyph_bank("train"))


@pytest.fixture
def modular(glyphs):
    return ModularImageToText(build_text_model(SMALL_TEXT), glyphs)


def changed_by_a_step(model, x, y):
    """The paths of the trainable weights that one training step changed."""
    model.compile(keras.optimizers.Adam(1e-2), jit_compile=jit_compile())
    before = [np.array(weight) for weight in model.trainable_variables]
    model.fit(x, y, batch_size=len(x), verbose=0)
    pairs = zip(model.trainable_variables, before, strict=True)
    return [weight.path for weight, old in pairs if (np.array(weight) != old).any()]


def test_the_modular_model_reads_codes_and_images(modular):
    images = glyph_bank("test").sample(CODES[:8])
    assert modular(CODES[:8]).shape == (8, 3, 13)
    # Each query is read on its own and in its own order.
    together = np.asarray(modular(images))
    assert np.allclose(np.asarray(modular(images[3:4]))[0], together[3], atol=1e-4)
    assert modular.recognize_queries(images).shape == (8, 5)
    modular.prepare_training()
    changed = changed_by_a_step(modular, CODES, ANSWERS)
    assert len(changed) == len(modular.trainable_variables)
    assert not [path for path in changed if "lstm" in path]
    text = {variable.path for variable in modular.encoder_decoder.variables}
    assert text and not text & set(changed)


def test_only_queries_are_recognized(modular):
    """A number does not begin with 0, however much an image looks like one."""
    scores = np.log(one_hot(encode(["05+13", "  7-0"])) + 1e-9)
    scores[0, 0, ALPHABET.index("6")] = -1.0
    recognized = decode(np.asarray(modular.most_probable_query(scores)))
    assert recognized == ["65+13", "  7-0"]


def test_the_loss_by_hand(modular):
    """A CNN with all weights 0 finds every query equally probable."""
    modular.cnn.set_weights([np.zeros_like(w) for w in modular.cnn.get_weights()])
    queries = np.array([[1, 1, 2], [2, 1, 1], [5, 1, 4], [9, -1, 6], [3, 1, 9]])
    modular.candidates = encode_queries(queries)
    modular.candidate_answers = encode_answers(queries).astype("int32")
    # Three of five queries have the answer 3, one has 9.
    for chosen, expected in ((slice(0, 1), 5 / 3), (slice(2, 3), 5)):
        loss = modular.compute_loss(
            modular.candidates[chosen], encode_answers(queries[chosen])
        )
        assert float(loss) == pytest.approx(np.log(expected), rel=1e-5)
    modular.supervision = "characters"
    loss = modular.compute_loss(modular.candidates, encode_answers(queries))
    assert float(loss) == pytest.approx(np.log(13), rel=1e-5)


def test_the_likelihood_is_a_sum_over_queries(modular):
    """A CNN that is sure of the glyphs finds the answer certain, or impossible."""
    modular.candidates = encode_queries(QUERIES[:8])
    modular.candidate_answers = encode_answers(QUERIES[:8]).astype("int32")
    sure = np.log(one_hot(modular.candidates[:1]).reshape(-1, 13) + 1e-9)
    for answer, least, most in ((0, -1e-3, 0), (1, -25, -15)):
        likelihood = modular.log_likelihood(sure, ANSWERS[answer : answer + 1])
        assert least <= float(likelihood[0]) <= most


@pytest.mark.slow
@pytest.mark.parametrize("architecture", END_TO_END)
def test_end_to_end_models_read_images(architecture):
    config = ImageToTextConfig(
        architecture=architecture, max_digits=3, encoder_layers=2, decoder_layers=2
    )
    model = build_image_to_text(config)
    codes = encode_queries(QUERIES[:8], config.format)
    images = glyph_bank("test").sample(codes)
    together = np.asarray(model(images))
    assert together.shape == (8, 4, 13)
    assert np.allclose(np.asarray(model(images[3:4]))[0], together[3], atol=1e-4)
    assert model.recognize_queries(images) is None
    answers = encode_answers(QUERIES[:8], config.format)
    changed = changed_by_a_step(model, codes, answers)
    assert len(changed) == len(model.trainable_variables) > 0


@pytest.mark.parametrize("max_digits, count", [(1, 200), (2, 20_000), (3, 20_000)])
def test_the_modular_model_knows_all_queries_of_two_digits_at_most(max_digits, count):
    config = ImageToTextConfig(architecture="modular", max_digits=max_digits)
    candidates = build_image_to_text(config).candidates
    assert candidates.shape == (count, config.format.query_length)
    assert len(np.unique(candidates, axis=0)) == count


def test_the_modular_model_is_trained_on_short_numbers():
    queries = np.array([[99, 1, 10], [100, 1, 7], [3, -1, 512]])
    assert queries_of_fewer_digits(queries).tolist() == [[99, 1, 10]]
    modular = ImageToTextConfig(architecture="modular")
    assert modular.training_queries(queries).tolist() == [[99, 1, 10]]
    assert ImageToTextConfig().training_queries(queries) is queries
    with pytest.raises(UserError, match="two digits"):
        queries_of_fewer_digits(queries[1:])


def test_queries_of_uneven_length_are_repeated():
    queries = np.array([[9, -1, 10], [9, -1, 9], [10, 1, 10], [45, 1, 3]])
    repeated = queries_of_fewer_digits(queries).tolist()
    assert [repeated.count(query) for query in queries.tolist()] == [4, 1, 1, 4]


def test_a_configuration_is_resolved_once():
    config = ImageToTextConfig(
        architecture="modular", text_encoder_layers=2, max_digits=3
    ).resolve()
    text = TextToTextConfig(encoder_layers=2, max_digits=3).resolve()
    assert config.text_config() == text
    assert config.text_weight_decay == text.weight_decay
    assert config.encoder_layers is None and config.resolve() == config
    plain = ImageToTextConfig(decoder_layers=3).resolve()
    assert (plain.encoder_layers, plain.decoder_layers) == (2, 3)
    assert plain.text_config() is None and plain.resolve() == plain


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(architecture="modular", decoder_layers=2), "no effect"),
        (dict(architecture="eye"), "cnn-lstm"),
        (dict(architecture="cnn-lstm", supervision="characters"), "modular"),
        (dict(architecture="cnn-lstm", text_encoder_layers=2), "no text model"),
        (
            dict(architecture="modular", text_decoder_layers=0),
            "text_decoder_layers is 0",
        ),
        (dict(weight_decay=-1.0), "weight_decay"),
    ],
)
def test_settings_without_use_are_refused(settings, message):
    with pytest.raises(UserError, match=message):
        ImageToTextConfig(**settings)
