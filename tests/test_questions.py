"""Questions: written, read, coded and split without a loss or a leak."""

import re

import numpy as np
import pytest

from latent_arithmetic.arithmetic.questions import (
    ALPHABET,
    QuestionFormat,
    all_questions,
    decode,
    encode,
    encode_answers,
    encode_questions,
    find_fault,
    format_answers,
    format_questions,
    justify,
    one_hot,
    parse_question,
    parse_questions,
    question_shapes,
    read_questions,
    true_answers,
)
from latent_arithmetic.arithmetic.splits import (
    file_split,
    mirror_clean_split,
    random_split,
)
from latent_arithmetic.errors import UserError

BAD_QUESTIONS = {
    "8a+2": "character 2: 'a'",
    "123+4": "character 1: the number has more than 2 digits",
    "1+234": "character 3: the number has more than 2 digits",
    "": "the question is empty",
    "   ": "the question is empty",
    "1 + 2": "character 2: a blank",
    "--": "character 1: a number is missing",
    "-1+2": "character 1: a number is missing",
    "1+": "character 3: a number is missing",
    "1++2": "character 3: a number is missing",
    "12": "character 3: a sign",
    "1+2+3": "character 4: the question should have ended",
    "07+1": "character 1: the number begins with a needless 0",
    "٣+4": "character 1: '٣'",
    "1−2": "character 2: '−'",
    "1+2\t": "character 4: '\\\\t'",
}


def as_set(questions):
    return set(map(tuple, questions.tolist()))


def test_all_questions_are_there_once():
    questions = all_questions()
    assert questions.shape == (20_000, 3)
    assert len(as_set(questions)) == 20_000
    answers = true_answers(questions)
    assert (answers.min(), answers.max()) == (-99, 198)


def test_texts_by_hand():
    questions = np.array([[81, 1, 24], [1, -1, 9], [0, 1, 0]])
    assert format_questions(questions) == ["81+24", "  1-9", "  0+0"]
    assert format_questions(questions, side="left") == ["81+24", "1-9  ", "0+0  "]
    assert format_answers(true_answers(questions)) == ["105", " -8", "  0"]


def test_codes_by_hand():
    assert encode([" 9-", "+01"]).tolist() == [[12, 9, 11], [10, 0, 1]]
    hot = one_hot(encode_questions(np.array([[1, -1, 9]])))
    assert hot.shape == (1, 5, len(ALPHABET))
    assert hot[0].argmax(axis=-1).tolist() == [12, 12, 1, 11, 9]
    assert hot.sum() == 5


@pytest.mark.parametrize("side", ["right", "left"])
def test_every_question_survives_writing_and_coding(side):
    questions = all_questions()
    texts = format_questions(questions, side=side)
    assert decode(encode(texts)) == texts
    assert (parse_questions(texts) == questions).all()
    answers = format_answers(true_answers(questions))
    assert decode(encode_answers(questions)) == answers
    assert answers == [justify(str(v), 3) for v in true_answers(questions)]


@pytest.mark.parametrize("text", BAD_QUESTIONS)
def test_a_bad_question_is_refused_and_the_place_is_named(text):
    with pytest.raises(UserError) as caught:
        parse_question(text)
    message = str(caught.value)
    assert BAD_QUESTIONS[text].replace("\\\\", "\\") in message
    assert "from 0 to 99" in message and "\n" not in message


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_shapes_fit_questions_and_nothing_else(digits):
    form = QuestionFormat(digits)
    shapes = question_shapes(form)
    codes = encode_questions(all_questions(form)[::7], form)
    fits = shapes[:, np.arange(form.question_length), codes].all(axis=-1)
    assert (fits.sum(axis=0) == 1).all()
    assert shapes.sum(axis=-1).prod(axis=-1).sum() == len(all_questions(form))


def test_three_digit_questions():
    form = QuestionFormat(3)
    assert (form.question_length, form.answer_length) == (7, 4)
    assert parse_question("123+4", form) == (123, 1, 4)
    assert format_questions(np.array([[123, 1, 4]]), form) == ["  123+4"]


@pytest.mark.parametrize("split", [random_split, mirror_clean_split])
@pytest.mark.parametrize("fraction", [0.9, 0.5, 0.1])
def test_splits_cover_everything_and_share_nothing(split, fraction):
    questions = all_questions()
    parts = split(questions, fraction, seed=3)
    sets = [as_set(part) for part in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, sets)) == len(set.union(*sets)) == len(questions)
    assert len(parts.train) == pytest.approx(fraction * len(questions), rel=0.05)
    assert 0 < len(parts.validation) <= 500 < len(parts.test)
    again = split(questions, fraction, seed=3)
    assert (again.train == parts.train).all() and (again.test == parts.test).all()


def test_smaller_train_parts_are_contained_in_larger_ones():
    small = random_split(all_questions(), 0.1).train
    large = random_split(all_questions(), 0.5).train
    assert as_set(small) < as_set(large)


def test_mirrors_stay_on_one_side():
    parts = mirror_clean_split(all_questions(), 0.5)
    train = as_set(parts.train)
    for left, sign, right in np.concatenate([parts.validation, parts.test]).tolist():
        assert not train & {(right, 1, left), (right, -1, left), (left, -sign, right)}


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 90])
def test_an_impossible_fraction_is_refused(fraction):
    with pytest.raises(UserError, match="train fraction"):
        random_split(all_questions(), fraction)


def test_exactly_the_questions_of_a_file_are_trained_on(tmp_path):
    file = tmp_path / "questions.txt"
    file.write_text("81+24\n  1-9\n0-0\r\n81+24\n", encoding="utf-8-sig")
    rows = read_questions(file)
    assert rows.tolist() == [[81, 1, 24], [1, -1, 9], [0, -1, 0], [81, 1, 24]]
    parts = file_split(all_questions(), rows)
    assert (parts.train == rows).all()
    assert not len(parts.validation)
    assert len(parts.test) == 20_000 - 3
    assert not as_set(parts.test) & as_set(rows)


def test_a_bad_file_is_refused(tmp_path):
    file = tmp_path / "questions.txt"
    file.write_text("1+1\n8a+2\n")
    with pytest.raises(UserError, match="line 2.*character 2"):
        read_questions(file)
    file.write_text("1+1\n\n2+2\n")
    with pytest.raises(UserError, match="line 2.*empty"):
        read_questions(file)
    file.write_text("")
    with pytest.raises(UserError, match="no question"):
        read_questions(file)
    file.write_bytes(b"\xff\xfe1+1")
    with pytest.raises(UserError, match="UTF-8"):
        read_questions(file)
    with pytest.raises(UserError, match="cannot read"):
        read_questions(tmp_path / "missing.txt")
    with pytest.raises(UserError, match="cannot read"):
        read_questions(tmp_path)


def test_ten_thousand_bad_questions_give_ten_thousand_places():
    """Whatever is wrong, the error quotes the question and names a place in it."""
    generator = np.random.default_rng(0)
    letters = list(ALPHABET + "aéß٣*/=.,\t")
    form, faults = QuestionFormat(2), 0
    while faults < 10_000:
        text = "".join(generator.choice(letters, generator.integers(0, 9)))
        if re.fullmatch(" *(0|[1-9][0-9]?)[+-](0|[1-9][0-9]?) *", text):
            continue
        faults += 1
        place, reason = find_fault(text, form)
        assert 0 <= place <= len(text) and reason
        with pytest.raises(UserError) as error:
            parse_question(text, form)
        assert f"{text!r}, character {place + 1}: {reason}" in str(error.value)
