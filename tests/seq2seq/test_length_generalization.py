"""Length generalization: long numbers in columns, and cells of few states."""

import keras
import numpy as np
import pytest

from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq import length_generalization
from latent_arithmetic.seq2seq.length_generalization import (
    CELLS,
    FiniteStateCell,
    LengthGeneralizationConfig,
    StateNoise,
    exact_matches,
    patterns_seen,
    sample_queries,
    train_column_rnn,
    write_answers,
    write_columns,
)
from latent_arithmetic.seq2seq.queries import decode


def test_columns_and_answers_by_hand():
    queries = [(81, 1, 4), (7, -1, 30)]
    columns = write_columns(queries, 3)
    assert columns.shape == (2, 3, 3)
    assert decode(columns[0]) == ["14+", "8 +", "  +"]
    assert decode(columns[1]) == ["70-", " 3-", "  -"]
    # Units first: 85 is written 58, -23 is 32-.
    assert decode(write_answers(queries, 3)) == ["58 ", "32-"]


def test_long_numbers_are_exact_integers():
    (query,) = sample_queries(100, 1)
    assert all(len(str(number)) == 100 for number in query[::2])
    left, sign, right = query
    written = decode(write_answers([query], 101))[0][::-1].strip()
    assert int(written) == left + sign * right
    assert sample_queries(100, 1) == [query] != sample_queries(100, 1, seed=1)


def test_a_state_is_one_of_few():
    layer = keras.layers.RNN(FiniteStateCell(4), return_sequences=True)
    inputs = np.random.default_rng(0).standard_normal((5, 7, 3)).astype("float32")
    states = np.asarray(layer(StateNoise(False)(inputs)))
    assert states.shape == (5, 7, 4)
    assert np.allclose(states.sum(axis=-1), 1, atol=1e-5) and (states >= 0).all()


def test_noise_is_added_in_training_only():
    inputs = np.ones((5, 7, 3), "float32")
    still = np.asarray(StateNoise(False)(inputs))
    up, down = (np.asarray(StateNoise(b)(inputs, training=True)) for b in (False, True))
    assert still.shape == up.shape == (5, 7, 3 + 4)
    assert (still[..., 3:] == 0).all() and (up[..., :3] == 1).all()
    # Both start at the column that their cell reads first.
    assert up[..., 3:].all() and (up[..., 3:] == down[:, ::-1, 3:]).all()


def test_what_patterns_two_digits_show():
    seen = [(12, 1, 34), (99, 1, 99), (5, -1, 99), (123, 1, 456), (432, -1, 271)]
    assert patterns_seen(seen).all()
    # A column that lends and borrows at once, a 0 to which 1 is carried.
    unseen = [(521, -1, 234), (234, -1, 521), (108, 1, 109), (10**99, -1, 1)]
    assert not patterns_seen(unseen).any()


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_training_and_answering(cell, tmp_path):
    config = LengthGeneralizationConfig(
        seed=1, cell=cell, layers=1, epochs=2, batch_size=2_048, max_digits=2
    )
    model, history = train_column_rnn(tmp_path, config)
    assert model(write_columns([(12, 1, 34)], 90)).shape == (1, 90, 13)
    matches = exact_matches(model, sample_queries(5, 8))
    assert matches.shape == (8,) and matches.dtype == bool
    assert history.epochs == 2 and history.losses["loss"][1] < history.losses["loss"][0]


def test_what_is_correct_counts_as_correct(monkeypatch):
    queries = [(99, 1, 1), (5, -1, 99)]
    columns = LengthGeneralizationConfig(max_digits=2).columns
    answers = write_answers(queries, columns)

    def predict(model, written):
        assert written.shape == (2, columns, 3)  # as in training
        return np.eye(13)[answers]

    monkeypatch.setattr(length_generalization, "predict", predict)
    assert exact_matches(None, queries).all()
    answers[0, 0] = 5
    assert exact_matches(None, queries).tolist() == [False, True]


@pytest.mark.parametrize(("digits", "count"), [(2, 18_000), (3, 20_000)])
def test_how_many_queries_are_trained_on(digits, count):
    split = LengthGeneralizationConfig(max_digits=digits).make_split()
    assert len(split.train) == count
    assert split.train[:, [0, 2]].max() == 10**digits - 1


@pytest.mark.parametrize("values", [{"cell": "abacus"}, {"layers": 0}, {"seed": -1}])
def test_an_unusable_configuration_is_refused(values):
    with pytest.raises(UserError, match=next(iter(values))):
        LengthGeneralizationConfig(**values)
