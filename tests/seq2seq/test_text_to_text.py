"""Text to text: configurations, architectures, and learning on this backend."""

from dataclasses import asdict

import keras
import numpy as np
import pytest

from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.queries import (
    ALPHABET,
    encode_answers,
    one_hot,
    parse_queries,
)
from latent_arithmetic.seq2seq.text_to_text import (
    ARCHITECTURES,
    STRING_ARCHITECTURES,
    TextToText,
    TextToTextConfig,
    build_text_model,
    encode_for,
    exact_match,
    predict,
)
from latent_arithmetic.training import jit_compile

QUERIES = TextToTextConfig().make_split().train[:32]
CODES, ANSWERS = encode_for("encoder-decoder", QUERIES), encode_answers(QUERIES)
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


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_architecture_answers_three_digit_queries(architecture):
    config = TextToTextConfig(max_digits=3, architecture=architecture, decoder_layers=2)
    queries = parse_queries(["123-4", "999+999"], config.format)
    codes = encode_for(architecture, queries, config.format)
    logits = build_text_model(config).predict_on_batch(one_hot(codes))
    assert logits.shape == (2, 4, len(ALPHABET))
    assert not np.allclose(logits[0], logits[1])


@pytest.mark.parametrize(
    ("architecture", "decoder_layers", "weight_decay", "alignment_logit"),
    [
        ("encoder-decoder", 1, 0.1, 0.0),
        ("attention-alignment-given", 2, 0.6, 4.0),
        ("column-aligned", 2, 0.6, 0.0),
    ],
)
def test_defaults_are_those_of_the_architecture(
    architecture, decoder_layers, weight_decay, alignment_logit
):
    config = TextToTextConfig(architecture=architecture).resolve()
    assert (config.decoder_layers, config.weight_decay) == (
        decoder_layers,
        weight_decay,
    )
    assert config.alignment_logit == alignment_logit
    assert config.resolve() == config == TextToTextConfig(**asdict(config))
    chosen = TextToTextConfig(
        architecture=architecture, decoder_layers=3, weight_decay=0.0
    ).resolve()
    assert (chosen.decoder_layers, chosen.weight_decay) == (3, 0.0)


def test_what_is_not_given_plain_text_is_named():
    assert set(ARCHITECTURES) - set(STRING_ARCHITECTURES) == {"column-aligned"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"architecture": "abacus"}, "architecture 'abacus'.*column-aligned"),
        ({"decoder_layers": 0}, "decoder_layers is 0"),
        ({"alignment_logit": 2.0}, "alignment_logit 2.0 has no effect on encoder-dec"),
        (
            {"architecture": "column-aligned", "encoder_layers": 2},
            "encoder_layers 2 has no effect on column-aligned",
        ),
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
    model = TextToText(build_text_model(TextToTextConfig()))
    assert predict(model, CODES[:1]).shape == (1, 3, 13)
    outputs = predict(model, np.tile(CODES, (20, 1)))
    assert outputs.shape == (640, 3, 13)
    assert np.allclose(outputs[:32], outputs[-32:], atol=1e-5)


def test_a_small_training_set_is_fitted():
    """Within three times the steps that the slowest backend needed."""
    model = compiled(TextToTextConfig(), metrics=[exact_match])
    losses = []
    for _ in range(STEPS):
        loss, fitted = map(float, model.train_on_batch(CODES, ANSWERS))
        losses.append(loss)
        if fitted == 1:
            break
    assert fitted == 1
    assert losses[-1] < 0.2 * losses[0]


def test_the_same_seed_gives_the_same_weights():
    config = TextToTextConfig(architecture="column-aligned", decoder_layers=1)
    weights = []
    for _ in range(2):
        model = compiled(config, seed=1)
        for _ in range(3):
            model.train_on_batch(encode_for("column-aligned", QUERIES), ANSWERS)
        weights.append(model.get_weights())
    pairs = zip(*weights, strict=True)
    assert all((first == second).all() for first, second in pairs)
