"""Columns: given, found in a string, joined, and learnt from."""

import numpy as np
import pytest

from latent_arithmetic.arithmetic.columns import (
    DIGIT_DIM,
    AttendColumns,
    JoinDigits,
    character_kinds,
)
from latent_arithmetic.arithmetic.designs import (
    RECIPES,
    build_text_design,
    encode_for,
)
from latent_arithmetic.arithmetic.questions import (
    ALPHABET,
    QuestionFormat,
    all_questions,
    encode,
    encode_answers,
    encode_columns,
    encode_questions,
    format_answers,
    format_questions,
    one_hot,
    parse_questions,
    true_answers,
)
from latent_arithmetic.errors import UserError


@pytest.mark.parametrize("digits", [1, 2])
def test_codes_are_those_of_the_texts(digits):
    form = QuestionFormat(digits)
    table = all_questions(form)
    texts, answers = format_questions(table, form), true_answers(table)
    assert (encode_questions(table, form) == encode(texts)).all()
    written = encode(format_answers(answers, form))
    assert (encode_answers(table, form) == written).all()


def test_columns_hold_both_numbers():
    form = QuestionFormat(3)
    table = all_questions(form)[::997]
    columns = encode_columns(table, form).astype(int)
    assert columns.shape == (len(table), 4, 3)
    tens = 10 ** np.arange(4)
    assert (columns[..., 0] @ tens == table[:, 0]).all()
    assert (columns[..., 1] @ tens == table[:, 2]).all()
    signs = np.where(table[:, 1] > 0, ALPHABET.index("+"), ALPHABET.index("-"))
    assert (columns[..., 2] == signs[:, None]).all()


def test_attention_starts_where_numbers_are_written():
    """Before training, the strongest part of every column is the right character."""
    form = QuestionFormat(2)
    text = one_hot(encode_questions(parse_questions(["81+24", "81+5", "7-30"])))
    kinds = text @ character_kinds()
    columns = np.array(
        AttendColumns(form)([np.zeros((3, 5, 6), "float32"), kinds, text])
    )
    assert columns.shape == (3, 3, 3, len(ALPHABET))
    assert np.allclose(columns.sum(axis=-1), 1, atol=1e-6)
    found = columns.argmax(axis=-1)
    read = [["".join(ALPHABET[code] for code in part) for part in row] for row in found]
    assert read[0] == ["14+", "82+", "+++"]
    assert read[1] == ["15+", "8++", "+++"]
    assert read[2][0] == "70-" and read[2][1][1:] == "3-"


def test_digits_are_joined_by_the_matrix_of_the_sign():
    layer = JoinDigits()
    column = one_hot(np.array([[[7, 2, ALPHABET.index("-")]]]))
    joined = np.array(layer(column))[0, 0]
    digits, signs = np.array(layer.digits), np.array(layer.signs)
    expected = digits[7] + digits[2] @ signs[ALPHABET.index("-")]
    assert np.allclose(joined[:DIGIT_DIM], expected, atol=1e-6)
    assert joined[DIGIT_DIM:].argmax() == ALPHABET.index("-")


def test_kinds_tell_digits_signs_and_blanks_apart():
    assert character_kinds().argmax(axis=1).tolist() == [0] * 10 + [1, 1, 2]


@pytest.mark.parametrize("design", RECIPES)
def test_every_design_answers_three_digit_questions(design):
    form = QuestionFormat(3)
    asked = encode_for(design, parse_questions(["123-4", "999+999"], form), form)
    model = build_text_design(design, form, 1, 2)
    logits = np.array(model(one_hot(asked)))
    assert logits.shape == (2, 4, len(ALPHABET))
    assert not np.allclose(logits[0], logits[1])


def test_an_unknown_design_is_refused():
    with pytest.raises(UserError, match="place-aligned"):
        build_text_design("abacus")
