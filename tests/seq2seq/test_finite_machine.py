"""The machine in a column-wise RNN, and written arithmetic of any length."""

from dataclasses import replace
from itertools import product

import keras
import numpy as np
import pytest

from latent_arithmetic.seq2seq import length_generalization
from latent_arithmetic.seq2seq.finite_machine import (
    DIGITS,
    SIGNS,
    STARTS,
    FiniteMachine,
    check_machine,
    extract_machine,
    written_states,
)
from latent_arithmetic.seq2seq.length_generalization import (
    BLANK_COLUMNS,
    build_column_rnn,
    sample_queries,
    write_answers,
    write_columns,
)

PAIRS = {pair: place for place, pair in enumerate(product(DIGITS, DIGITS))}
QUERIES = [(0, 1, 0), (5, -1, 5), (0, -1, 7), (100, -1, 99), (7, 1, 993), (10, -1, 203)]
QUERIES += [query for digits in (1, 2, 3, 40) for query in sample_queries(digits, 50)]


def columns_of(query):
    return len(str(max(query[0], query[2]))) + BLANK_COLUMNS


def test_writing_has_one_answer_for_every_query_and_it_is_the_true_one():
    states, rows = written_states()
    for query in QUERIES:
        sign = SIGNS[0] if query[1] > 0 else SIGNS[1]
        live = {(i, ()) for i in range(STARTS) if states[i].sign == sign}
        for left, right, _ in write_columns([query], columns_of(query))[0].tolist():
            live = {
                (following, (*written, character))
                for state, written in live
                for character, following in rows[state][PAIRS[left, right]]
            }
        answers = {written for state, written in live if states[state].is_complete}
        assert answers == {tuple(write_answers([query], columns_of(query))[0])}, query


def test_what_is_no_query_cannot_be_written():
    states, rows = written_states()

    def ways(columns):
        live = set(range(STARTS))
        for pair in columns + [(12, 12)] * BLANK_COLUMNS:
            live = {n for state in live for _, n in rows[state][PAIRS[pair]]}
        return [state for state in live if states[state].is_complete]

    assert ways([(1, 2)]) and ways([(1, 2), (3, 12)])
    assert not ways([(12, 2)])  # a number is missing
    assert not ways([(1, 2), (0, 3)])  # it begins with a needless 0
    assert not ways([(1, 2), (12, 3), (4, 5)])  # a gap


@pytest.fixture(scope="module")
def sharp():
    """An untrained RNN whose states are all but certain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(length_generalization, "STATE_LOGIT_SCALE", 1e6)
        keras.utils.set_random_seed(2)
        rnn = build_column_rnn("finite-state", layer_count=2)
        columns = write_columns(QUERIES, 44)
        inputs = np.eye(13, dtype="float32")[columns]
        return extract_machine(rnn), np.array(rnn(inputs)).argmax(axis=-1)


def test_the_machine_answers_as_the_network_does(sharp):
    machine, answers = sharp
    assert [len(table) for table in machine.up] == [4, 4]
    assert machine.up[1].shape == machine.down[1].shape == (4, 242 * 16)
    assert (machine.answer(QUERIES) == answers).mean() > 0.999


def test_wrong_columns_are_found(sharp):
    """An untrained machine is wrong, and so is the answer that its failure tells of."""
    found = check_machine(sharp[0])
    assert not found.is_proved and found.failures
    assert all(given != right for *_, given, right in found.failures)
    about = found.summary()
    assert about["wrong_transitions"] == len(found.failures) <= about["transitions"]
    assert "in place of" in about["first_failure"]


def test_a_machine_that_carries_by_hand_is_right_on_sums_of_any_length():
    """One layer whose upward state is the carry; downward it is always the same."""
    digits = np.array([(0 if a == 12 else a, 0 if b == 12 else b) for a, b in PAIRS])
    totals = digits.sum(axis=1).repeat(2) + np.arange(2)[:, None]  # [carry, symbol]
    ended = np.array([pair == (12, 12) for pair in PAIRS]).repeat(2)
    characters = np.where(ended & (totals == 0), 12, totals % 10).T.repeat(2)
    up = (totals > 9).astype("uint8")
    machine = FiniteMachine((up,), (np.zeros_like(up),), characters.astype("uint8"))
    sums = [query for query in QUERIES if query[1] > 0]
    answers = machine.answer(sums)
    assert (answers == write_answers(sums, answers.shape[1])).all()
    failures = check_machine(machine).failures
    assert failures and all(writing.sign == SIGNS[1] for writing, *_ in failures)


def test_a_machine_that_is_right_wherever_it_is_asked_is_proved(monkeypatch):
    """Writing is bent to what a machine of one state answers: then nothing is wrong."""
    still = np.zeros((1, 242), "uint8")
    machine = FiniteMachine((still,), (still,), np.arange(242) % 11)
    writing = written_states()

    def bent():
        states, rows = writing
        signs = [SIGNS.index(state.sign) for state in states]
        return states, [
            [
                [((2 * pair + sign) % 11, following) for _, following in options]
                for pair, options in enumerate(row)
            ]
            for sign, row in zip(signs, rows, strict=True)
        ]

    name = "latent_arithmetic.seq2seq.finite_machine.written_states"
    monkeypatch.setattr(name, bent)
    found = check_machine(machine)
    assert found.is_proved and found.summary()["wrong_transitions"] == 0
    output = machine.output.copy()
    output[2 * PAIRS[3, 4]] = 12  # 3+4
    wrong = check_machine(replace(machine, output=output)).failures
    assert wrong and {(left, right) for _, left, right, *_ in wrong} == {(3, 4)}
