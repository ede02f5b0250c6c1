"""Text to text: configurations, and learning on this backend."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from latent_arithmetic.config import FULL, QUICK, SMOKE
from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.layers import Stack
from latent_arithmetic.seq2seq.queries import (
    ALPHABET,
    decode,
    encode_answers,
    encode_queries,
    one_hot,
    parse_queries,
)
from latent_arithmetic.seq2seq.text_to_text import (
    TextToText,
    TextToTextConfig,
    build_text_model,
    exact_match,
    predict,
)
from latent_arithmetic.training import jit_compile

pytestmark = pytest.mark.usefixtures("compiled")

SMALL_TEXT = TextToTextConfig(encoder_layers=1, decoder_layers=1)
QUERIES = SMALL_TEXT.make_split().train[:32]
CODES, ANSWERS = encode_queries(QUERIES), encode_answers(QUERIES)
# Adam fits the 32 queries within 39 to 48 steps (TensorFlow and JAX, two seeds each).
STEPS = 150


def compiled(config, seed=0, **options):
    keras.utils.set_random_seed(seed)
    model = TextToText(build_text_model(config))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(
        keras.optimizers.Adam(1e-2), loss, **options, jit_compile=jit_compile()
    )
    return model


def test_three_digit_queries_are_answered():
    config = replace(SMALL_TEXT, max_digits=3)
    codes = config.encode(parse_queries(["123-4", "999+999"], config.format))
    logits = build_text_model(config).predict_on_batch(one_hot(codes))
    assert logits.shape == (2, 4, len(ALPHABET))
    assert not np.allclose(logits[0], logits[1])


def test_settings_reach_the_layers():
    config = TextToTextConfig(encoder_layers=3, decoder_layers=2, residual=True)
    assert config.encoder == Stack(3, residual=True, layer_normalization=True)
    assert config.decoder == Stack(2, residual=True)


def test_a_shuffled_query_has_its_characters_in_one_other_order():
    config = TextToTextConfig(query_order="shuffled")
    order = decode(config.encode(parse_queries(["12+34"])))[0]
    assert sorted(order) == sorted("12+34") and order != "12+34"
    other = decode(config.encode(parse_queries(["56-78"])))[0]
    same = dict(zip("12+34", "56-78", strict=True))
    assert other == "".join(same[character] for character in order)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"answer_order": "tens-first"}, "answer_order 'tens-first'.*left-to-right"),
        ({"decoder_layers": 0}, "decoder_layers is 0"),
        ({"weight_decay": -1.0}, "weight_decay"),
    ],
)
def test_an_unusable_configuration_is_refused(values, message):
    with pytest.raises(UserError, match=message):
        TextToTextConfig(**values)


def test_exact_match_counts_whole_answers():
    logits = keras.ops.convert_to_tensor(one_hot(np.array([[1, 2, 3], [1, 2, 3]])))
    matches = exact_match(np.array([[1, 2, 3], [1, 2, 4]]), logits)
    assert np.asarray(matches).tolist() == [1, 0]


def test_predict_handles_any_number():
    model = TextToText(build_text_model(SMALL_TEXT))
    assert predict(model, CODES[:1]).shape == (1, 3, 13)
    outputs = predict(model, np.tile(CODES, (20, 1)))
    assert outputs.shape == (640, 3, 13)
    assert np.allclose(outputs[:32], outputs[-32:], atol=1e-5)


def test_a_small_training_set_is_fitted():
    """Within three times the steps that the slowest backend needed."""
    model = compiled(SMALL_TEXT, metrics=[exact_match])
    losses = []
    for _ in range(STEPS):
        loss, fitted = map(float, model.train_on_batch(CODES, ANSWERS))
        losses.append(loss)
        if fitted == 1:
            break
    assert fitted == 1
    assert losses[-1] < 0.2 * losses[0]


def test_the_same_seed_gives_the_same_weights():
    config = SMALL_TEXT
    weights = []
    for _ in range(2):
        model = compiled(config, seed=1)
        for _ in range(3):
            model.train_on_batch(CODES, ANSWERS)
        weights.append(model.get_weights())
    pairs = zip(*weights, strict=True)
    assert all((first == second).all() for first, second in pairs)


@pytest.mark.parametrize("profile", [SMOKE, QUICK])
def test_what_is_not_set_is_the_profiles(profile):
    config = TextToTextConfig(decoder_layers=4).resolve(profile)
    assert (config.encoder_layers, config.decoder_layers) == (profile.text_layers, 4)
    assert config.weight_decay == profile.text_weight_decay
    assert config.resolve(FULL) == config
