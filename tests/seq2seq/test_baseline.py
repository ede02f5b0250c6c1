"""The assignment's text-to-text model: what it is, reads and writes."""

import numpy as np
import pytest

from latent_arithmetic.seq2seq import baseline
from latent_arithmetic.seq2seq.baseline import (
    BaselineConfig,
    answer_queries,
    build_baseline,
    encode_text,
    per_character_accuracy,
    train_baseline,
)
from latent_arithmetic.seq2seq.queries import encode, one_hot, parse_queries


def test_it_is_the_assignments_model():
    model = build_baseline()
    assert model.count_params() == 805_133
    assert model.output_shape == (None, 3, 13)


def test_texts_are_padded_on_the_right():
    inputs, targets = encode_text(np.array([[1, -1, 2]]))
    assert inputs.shape == (1, 5, 13) and targets.shape == (1, 3, 13)
    assert inputs.argmax(axis=-1).tolist() == [[1, 11, 2, 12, 12]]
    assert targets.argmax(axis=-1).tolist() == [[11, 1, 12]]


def test_answers_are_counted_as_they_are_written(monkeypatch):
    queries = parse_queries(["81+24", "1-9", "3+4", "5+5"])
    written = one_hot(encode(["105", "-8 ", " 7 ", "19 "]))
    monkeypatch.setattr(baseline, "predict", lambda model, inputs: written)
    answers = answer_queries(None, queries)
    assert answers.exact_match.tolist() == [True, True, False, False]
    assert answers.error_types().tolist()[2:] == ["malformed", "other"]
    per_character = per_character_accuracy(None, queries)
    assert per_character.value == pytest.approx(9 / 12)


@pytest.mark.slow
def test_it_is_trained_and_validated(tmp_path, monkeypatch):
    monkeypatch.setattr(baseline, "UNITS", 8)
    monkeypatch.setattr(baseline, "EPOCH_QUERIES", 64)
    config = BaselineConfig(train_fraction=0.01, epochs=2)
    model, history = train_baseline(tmp_path, config)
    assert history.epochs == 2 and set(history.losses) == {"loss", "accuracy"}
    assert history.validation["epoch"] == [1, 2]
    assert len(answer_queries(model, parse_queries(["1+1"])).predicted) == 1
