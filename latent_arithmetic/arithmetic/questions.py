"""The questions: which there are, how they are written, how they are split.

A set of questions is a small integer array of shape [n, 3] with the columns left
number, sign (+1 or -1) and right number. Texts, one-hot codes and pictures are made
from it at the last moment.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from latent_arithmetic.errors import UserError

ALPHABET = "0123456789+- "
BLANK = ALPHABET.index(" ")
SIGNS = {"+": 1, "-": -1}


@dataclass(frozen=True)
class QuestionFormat:
    """How long questions and answers are.

    max_digits: digits of the longer number a question may hold.
    """

    max_digits: int = 2

    @property
    def highest(self) -> int:
        """The largest number a question may hold."""
        return 10**self.max_digits - 1

    @property
    def question_length(self) -> int:
        """Characters of the longest question: two numbers and a sign."""
        return 2 * self.max_digits + 1

    @property
    def answer_length(self) -> int:
        """Characters of the longest answer: one digit or sign more than a number."""
        return self.max_digits + 1


TWO_DIGITS = QuestionFormat()


def all_questions(form: QuestionFormat = TWO_DIGITS) -> np.ndarray:
    """Every question there is: int32 [2 * (highest + 1)**2, 3]."""
    numbers = np.arange(form.highest + 1)
    signs = np.array(list(SIGNS.values()))
    left, sign, right = np.meshgrid(numbers, signs, numbers, indexing="ij")
    columns = [left.ravel(), sign.ravel(), right.ravel()]
    return np.stack(columns, axis=1).astype("int32")


def true_answers(questions: np.ndarray) -> np.ndarray:
    """The answers of questions [n, 3] as integers [n]."""
    left, sign, right = questions.T
    return left + sign * right


def justify(text: str, length: int, side: str = "right") -> str:
    """`text` with blanks added so that it stands at the `side` of `length` places."""
    return text.rjust(length) if side == "right" else text.ljust(length)


def format_questions(
    questions: np.ndarray, form: QuestionFormat = TWO_DIGITS, side: str = "right"
) -> list[str]:
    """Questions [n, 3] as texts of equal length, such as '81+24' or '  1-9'."""
    texts = (f"{a}{'+' if sign > 0 else '-'}{b}" for a, sign, b in questions.tolist())
    return [justify(text, form.question_length, side) for text in texts]


def format_answers(
    answers: np.ndarray, form: QuestionFormat = TWO_DIGITS, side: str = "right"
) -> list[str]:
    """Integer answers [n] as texts of equal length, such as '105' or ' -8'."""
    return [justify(str(a), form.answer_length, side) for a in answers.tolist()]


def find_fault(text: str, form: QuestionFormat = TWO_DIGITS) -> tuple[int, str] | None:
    """The place (0 for the first character) and reason why `text` is no question."""
    for place, character in enumerate(text):
        if character not in ALPHABET:
            return place, f"{character!r} is not one of '{ALPHABET}'"
    first = len(text) - len(text.lstrip(" "))
    if first == len(text):
        return 0, "the question is empty"
    end = len(text.rstrip(" "))
    if " " in text[first:end]:
        return text.index(" ", first), "a blank may not stand inside a question"
    left, sign, right = re.match(" *([0-9]*)([+-]?)([0-9]*)", text).regs[1:]
    if left[0] == left[1]:
        return left[0], "a number is missing here"
    for start, stop in (left, right):
        if stop - start > form.max_digits:
            return start, f"the number has more than {form.max_digits} digits"
        if stop - start > 1 and text[start] == "0":
            return start, "the number begins with a needless 0"
    if sign[0] == sign[1]:
        return sign[0], "a sign '+' or '-' is missing here"
    if right[0] == right[1]:
        return right[0], "a number is missing here"
    if right[1] < end:
        return right[1], "the question should have ended before this"
    return None


def parse_question(
    text: str, form: QuestionFormat = TWO_DIGITS
) -> tuple[int, int, int]:
    """The left number, sign (+1, -1) and right number of a question's text.

    Blanks before and after the question are padding and allowed.

    Raises:
        UserError: `text` is no question of this size; the place is named.
    """
    fault = find_fault(text, form)
    if fault:
        place, reason = fault
        raise UserError(
            f"question {text!r}, character {place + 1}: {reason}; expected two whole "
            f"numbers from 0 to {form.highest} with + or - between them, like '81+24'"
        )
    left, sign, right = re.fullmatch(" *([0-9]+)([+-])([0-9]+) *", text).groups()
    return int(left), SIGNS[sign], int(right)


def parse_questions(
    texts: Iterable[str], form: QuestionFormat = TWO_DIGITS
) -> np.ndarray:
    """Texts of questions as an int32 array [n, 3]; see `parse_question`."""
    rows = [parse_question(text, form) for text in texts]
    return np.array(rows, "int32").reshape(-1, 3)


def read_questions(path: Path, form: QuestionFormat = TWO_DIGITS) -> np.ndarray:
    """The questions of a text file, one a line, as an int32 array [n, 3].

    Nothing is passed over, so that row k is line k; a question that stands there
    twice counts twice.

    Raises:
        UserError: the file cannot be read, holds no question, or a line of it is no
            question (the line is named).
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(
            f"cannot read questions from {path}: {reason}; expected a text file "
            "with one question a line"
        ) from None
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append(parse_question(line, form))
        except UserError as error:
            raise UserError(f"{path}, line {number}: {error}") from None
    if not rows:
        raise UserError(f"{path} holds no question; expected one a line, like '81+24'")
    return np.array(rows, "int32")


def encode(texts: Iterable[str]) -> np.ndarray:
    """Texts of equal length as places in ALPHABET: uint8 [n, length]."""
    index = {character: place for place, character in enumerate(ALPHABET)}
    return np.array([[index[c] for c in text] for text in texts], "uint8")


def decode(codes: np.ndarray) -> list[str]:
    """The texts of codes [n, length]; the inverse of `encode`."""
    return ["".join(ALPHABET[code] for code in row) for row in codes.tolist()]


def one_hot(codes: np.ndarray) -> np.ndarray:
    """Codes [n, length] as float32 [n, length, 13] with a single 1 per character."""
    return np.eye(len(ALPHABET), dtype="float32")[codes]


def _write_number(
    codes: np.ndarray, numbers: np.ndarray, ends: np.ndarray
) -> np.ndarray:
    """Write numbers [n] into `codes` [n, length], units at the places `ends` [n].

    Returns: int [n], the place to the left of each number.
    """
    rows, rest = np.arange(len(codes)), numbers
    while len(rows):
        codes[rows, ends[rows]] = rest % 10
        ends = ends.copy()
        ends[rows] -= 1
        longer = rest >= 10
        rows, rest = rows[longer], rest[longer] // 10
    return ends


def encode_questions(
    questions: np.ndarray, form: QuestionFormat = TWO_DIGITS
) -> np.ndarray:
    """Questions [n, 3] as right-justified codes: uint8 [n, question_length].

    The same as encoding their texts, without making the texts.
    """
    left, sign, right = questions.T
    codes = np.full((len(questions), form.question_length), BLANK, "uint8")
    ends = np.full(len(questions), form.question_length - 1)
    ends = _write_number(codes, right, ends)
    minus = ALPHABET.index("-")
    codes[np.arange(len(codes)), ends] = np.where(sign < 0, minus, minus - 1)
    _write_number(codes, left, ends - 1)
    return codes


def question_shapes(form: QuestionFormat = TWO_DIGITS) -> np.ndarray:
    """What may stand where in a right-justified question.

    Returns: bool [max_digits**2, question_length, 13], a shape for every two lengths of
        the numbers. A text is a question if all its characters fit one of them.
    """
    shapes = []
    for left, right in product(range(1, form.max_digits + 1), repeat=2):
        places = [*_digits(left), "".join(SIGNS), *_digits(right)]
        places = [" "] * (form.question_length - len(places)) + places
        shapes.append([[known in place for known in ALPHABET] for place in places])
    return np.array(shapes)


def _digits(length: int) -> list[str]:
    """Which digits a number of so many may have, place by place."""
    return ["123456789" if length > 1 else "0123456789"] + ["0123456789"] * (length - 1)


def encode_columns(
    questions: np.ndarray, form: QuestionFormat = TWO_DIGITS
) -> np.ndarray:
    """Questions [n, 3] as columns of codes: uint8 [n, answer_length, 3], units first.

    A column is (left digit, right digit, sign); missing digits are 0. This is
    structured input: which digits belong together is given.
    """
    left, sign, right = questions.T[..., None]
    tens = 10 ** np.arange(form.answer_length)
    minus = ALPHABET.index("-")
    signs = np.where(sign < 0, minus, minus - 1).repeat(len(tens), axis=1)
    columns = [left // tens % 10, right // tens % 10, signs]
    return np.stack(columns, axis=-1).astype("uint8")


def encode_answers(
    questions: np.ndarray, form: QuestionFormat = TWO_DIGITS
) -> np.ndarray:
    """The true answers of questions [n, 3] as codes: uint8 [n, answer_length]."""
    answers = true_answers(questions)
    codes = np.full((len(questions), form.answer_length), BLANK, "uint8")
    ends = np.full(len(questions), form.answer_length - 1)
    ends = _write_number(codes, np.abs(answers), ends)
    negative = np.flatnonzero(answers < 0)
    codes[negative, ends[negative]] = ALPHABET.index("-")
    return codes
