"""Length generalization: long numbers in columns, and cells of few states."""

import keras
import numpy as np
import pytest

from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq import length_generalization
from latent_arithmetic.seq2seq.length_generalization import (
    CELLS,
    MAX_NOISE,
    READ_TWICE,
    STAY_LOGIT,
    TRAIN_EXAMPLES,
    FiniteStateCell,
    LengthGeneralizationConfig,
    RaiseNoise,
    StateNoise,
    build_column_rnn,
    draw_examples,
    exact_matches,
    patterns_seen,
    sample_queries,
    train_column_rnn,
    write_answers,
    write_columns,
)
from latent_arithmetic.seq2seq.queries import decode

pytestmark = pytest.mark.usefixtures("compiled")


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
    states = np.asarray(layer(StateNoise()(inputs)))
    assert states.shape == (5, 7, 4)
    assert np.allclose(states.sum(axis=-1), 1, atol=1e-5) and (states >= 0).all()
    assert (states[:, 0] == [1, 0, 0, 0]).all()  # before anything was read


def test_a_state_is_kept_unless_the_input_changes_it():
    cell = FiniteStateCell(4)
    cell.build((None, 3 + 4 + 1))
    cell.logits.kernel.assign(np.zeros(cell.logits.kernel.shape))  # nothing learnt yet
    state = np.eye(4, dtype="float32")
    before, (after,) = cell(np.zeros((4, 3 + 4 + 1), "float32"), [state])
    stays = np.exp(STAY_LOGIT) / (np.exp(STAY_LOGIT) + 3)
    assert (np.asarray(before) == state).all()
    assert np.allclose(np.diag(np.asarray(after)), stays, atol=1e-5)


def test_a_column_that_is_read_twice_changes_the_state_twice():
    keras.utils.set_random_seed(0)
    cell = FiniteStateCell(4)
    inputs = np.random.default_rng(0).standard_normal((6, 3))
    once, twice = (
        np.concatenate([inputs, np.zeros((6, 4)), np.full((6, 1), flag)], axis=1)
        for flag in (0.0, 1.0)
    )
    state = np.full((6, 4), 0.25)
    _, (after,) = cell(once, [state])
    _, (again,) = cell(once, [after])
    _, (at_once,) = cell(twice, [state])
    assert np.allclose(at_once, again, atol=1e-6) and not np.allclose(again, after)


def test_noise_is_added_in_training_only_and_grows():
    keras.utils.set_random_seed(0)
    inputs = np.ones((50, 7, 3), "float32")
    column_rnn = build_column_rnn("finite-state", layer_count=1)
    layer, other = (e for e in column_rnn.layers if isinstance(e, StateNoise))
    raising = RaiseNoise(column_rnn)
    raising.set_params({"epochs": 4})
    still = np.asarray(layer(inputs, training=False))[..., 3:]
    assert still.shape == (50, 7, 4 + 1) and (still == 0).all()
    for epoch, deviation in ((0, MAX_NOISE / 4), (3, MAX_NOISE)):
        raising.on_epoch_begin(epoch)
        added = np.asarray(layer(inputs, training=True))[..., 3:]
        assert added[..., :4].std() == pytest.approx(deviation, rel=0.1)
        assert np.isin(added[..., 4], (0, 1)).all()
        assert added[..., 4].mean() == pytest.approx(READ_TWICE, abs=0.1)
    others = np.asarray(other(inputs, training=True))[..., 3:]
    assert (others[..., :4] != added[..., :4]).all()  # no two layers draw the same


def test_what_patterns_two_digits_show():
    seen = [(12, 1, 34), (99, 1, 99), (5, -1, 99), (123, 1, 456), (432, -1, 271)]
    assert patterns_seen(seen).all()
    # A column that lends and borrows at once, a 0 to which 1 is carried.
    unseen = [(521, -1, 234), (234, -1, 521), (108, 1, 109), (10**99, -1, 1)]
    assert not patterns_seen(unseen).any()


@pytest.mark.slow
@pytest.mark.parametrize("cell", CELLS)
def test_training_and_answering(cell, tmp_path, monkeypatch):
    monkeypatch.setattr(length_generalization, "TRAIN_EXAMPLES", 4_096)
    config = LengthGeneralizationConfig(
        seed=1, cell=cell, layers=1, epochs=2, batch_size=128, max_digits=2
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


@pytest.mark.parametrize("digits", [2, 3])
def test_examples_are_training_queries_of_all_lengths_and_often_nearly_equal(digits):
    split = LengthGeneralizationConfig(max_digits=digits, seed=3).make_split()
    examples = draw_examples(split.train, seed=3)
    assert examples.shape == (TRAIN_EXAMPLES, 3)
    train, test = ({*map(tuple, e.tolist())} for e in (examples, split.test))
    assert not train & test
    left, _, right = examples.T
    assert left.max() == right.max() == 10**digits - 1
    assert (left < 10).mean() > 0.1 and (abs(left - right) < 10).mean() > 0.3
    assert (draw_examples(split.train, seed=4) != examples).any()


@pytest.mark.parametrize("values", [{"cell": "abacus"}, {"layers": 0}, {"seed": -1}])
def test_an_unusable_configuration_is_refused(values):
    with pytest.raises(UserError, match=next(iter(values))):
        LengthGeneralizationConfig(**values)
