"""Evaluation: accuracies, kinds of mistakes and null models, worked out by hand."""

import numpy as np
import pytest

from latent_arithmetic.arithmetic.evaluation import (
    KINDS,
    Evaluation,
    most_frequent_answer,
    needs_carry,
    neighbour_vote,
    read_answer,
)
from latent_arithmetic.arithmetic.questions import (
    QuestionFormat,
    all_questions,
    parse_questions,
)
from latent_arithmetic.arithmetic.splits import random_split


@pytest.mark.parametrize(
    "text, value",
    [("105", 105), (" -8", -8), ("  0", 0), ("8  ", None), ("-0 ", None)]
    + [(" -0", None), (" 07", None), ("1 5", None), ("   ", None), ("+ 5", None)]
    + [("1?5", None), ("--5", None)],
)
def test_an_answer_is_read_strictly(text, value):
    assert read_answer(text) == value


def test_numbers_by_hand():
    questions = parse_questions(["81+24", "1-9", "5+5", "7-2"])
    numbers = Evaluation(questions, ["105", " -7", " 10", "5  "]).numbers()
    assert numbers["exact"].value == 0.5 and numbers["exact"].n == 4
    assert numbers["per-character"].value == pytest.approx(9 / 12)
    assert numbers["unreadable"].value == 0.25
    assert numbers["mean-absolute-error"].value == pytest.approx(1 / 3)
    assert numbers["mean-absolute-error"].n == 3


def test_nothing_readable_has_no_error():
    evaluation = Evaluation(parse_questions(["1+1"]), ["---"])
    assert "mean-absolute-error" not in evaluation.numbers()


@pytest.mark.parametrize(
    "question, written, kind",
    [
        ("1+1", "  2", ""),
        ("1+1", "++2", "unreadable"),
        ("1-9", "  8", "sign"),
        ("28+35", " 53", "carry or borrow"),
        ("41-18", " 33", "carry or borrow"),
        ("18-41", "-33", "carry or borrow"),
        ("21+12", " 23", "off by 10"),
        ("21+12", " 34", "off by 1"),
        ("81+24", "  5", "off by 100"),
        ("21+12", "  3", "length"),
        ("21+12", " 93", "other"),
    ],
)
def test_kinds_of_mistakes_by_hand(question, written, kind):
    evaluation = Evaluation(parse_questions([question]), [written])
    assert evaluation.kinds().tolist() == [kind]
    counts = evaluation.count_kinds()
    assert list(counts) == list(KINDS) and sum(counts.values()) == bool(kind)


def test_carries_by_hand():
    texts = ["28+35", "21+12", "41-18", "18-41", "48-11", "9+1", "10-10"]
    expected = [True, False, True, True, False, True, False]
    assert needs_carry(parse_questions(texts)).tolist() == expected


def test_carries_of_three_digits_by_hand():
    form = QuestionFormat(3)
    questions = parse_questions(["150+60", "123+456", "300-50", "7+5"], form)
    assert needs_carry(questions, form).tolist() == [True, False, True, True]
    score = Evaluation(questions, [" 110", " 579", " 350", "  12"], form)
    assert score.kinds().tolist() == ["carry or borrow", "", "carry or borrow", ""]
    train = parse_questions(["150+61", "990+60"], form)
    assert neighbour_vote(train, questions[:1], form) == [" 211"]


def test_plane_by_hand():
    questions = parse_questions(["15+25", "16+29", "15-25"])
    plane = Evaluation(questions, [" 40", " 99", "-10"]).plane()
    assert plane["+"][1, 2] == 0.5 and plane["-"][1, 2] == 1
    assert np.isnan(plane["+"]).sum() == 99


def test_null_models():
    train = parse_questions(["1+1", "2+0", "3+5"])
    asked = parse_questions(["9-9", "1+5"])
    assert most_frequent_answer(train, asked) == ["  2", "  2"]
    # 1+5 has the neighbours 1+1 (=2) and 3+5 (=8); 9-9 has none.
    voted = neighbour_vote(train, asked)
    assert voted[0] == "  2" and voted[1] in ("  2", "  8")
    parts = random_split(all_questions(), 0.9)
    share = Evaluation(parts.test, neighbour_vote(parts.train, parts.test))
    assert 0.4 < share.exact.mean() < 0.8
