"""Long numbers: how they are written in columns, and a calculator of few states."""

import keras
import numpy as np
import pytest

from latent_arithmetic.arithmetic import long_numbers
from latent_arithmetic.arithmetic.long_calculator import CELLS, StateCell
from latent_arithmetic.arithmetic.long_numbers import (
    PLACES,
    are_shown,
    ask_long,
    draw_questions,
    train_long,
    write_answers,
    write_columns,
)
from latent_arithmetic.arithmetic.questions import decode
from latent_arithmetic.profiles import Budget


def test_columns_and_answers_by_hand():
    questions = [(81, 1, 4), (7, -1, 30)]
    columns = write_columns(questions, 3)
    assert columns.shape == (2, 3, 3)
    assert decode(columns[0]) == ["14+", "8 +", "  +"]
    assert decode(columns[1]) == ["70-", " 3-", "  -"]
    # Units first: 85 is written 58, -23 is 32-.
    assert decode(write_answers(questions, 3)) == ["58 ", "32-"]


def test_long_numbers_are_exact_integers():
    (question,) = draw_questions(100, 1)
    assert all(len(str(number)) == 100 for number in question[::2])
    left, sign, right = question
    written = decode(write_answers([question], 101))[0][::-1].strip()
    assert int(written) == left + sign * right
    assert draw_questions(100, 1) == [question] != draw_questions(100, 1, seed=1)


def test_a_state_is_one_of_few():
    layer = keras.layers.RNN(StateCell(4, noise=0.0), return_sequences=True)
    inputs = np.random.default_rng(0).standard_normal((5, 7, 3)).astype("float32")
    states = np.asarray(layer(inputs))
    assert states.shape == (5, 7, 4)
    assert np.allclose(states.sum(axis=-1), 1, atol=1e-5) and (states >= 0).all()


def test_what_two_digits_show():
    shown = [(12, 1, 34), (99, 1, 99), (5, -1, 99), (123, 1, 456), (432, -1, 271)]
    assert are_shown(shown).all()
    # A column that lends and borrows at once, a 0 to which 1 is carried.
    unseen = [(521, -1, 234), (234, -1, 521), (108, 1, 109), (10**99, -1, 1)]
    assert not are_shown(unseen).any()


@pytest.mark.parametrize("cell", CELLS)
def test_training_and_asking(cell, tmp_path):
    budget = Budget(1, 2_048, 1e-2)
    model, seconds = train_long(tmp_path, seed=1, budget=budget, cell=cell)
    assert model(write_columns([(12, 1, 34)], 90)).shape == (1, 90, 13)
    right = ask_long(model, draw_questions(5, 8))
    assert right.shape == (8,) and right.dtype == bool and seconds > 0


def test_what_is_right_counts_as_right(monkeypatch):
    questions = [(99, 1, 1), (5, -1, 99)]
    answers = write_answers(questions, PLACES)

    def predict(model, columns):
        assert columns.shape == (2, PLACES, 3)  # as in training
        return np.eye(13)[answers]

    monkeypatch.setattr(long_numbers, "predict", predict)
    assert ask_long(None, questions).all()
    answers[0, 0] = 5
    assert ask_long(None, questions).tolist() == [False, True]
