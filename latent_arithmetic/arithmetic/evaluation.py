"""What counts: exact answers, with intervals, kinds of mistakes and null models."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from latent_arithmetic.arithmetic.questions import (
    ALPHABET,
    TWO_DIGITS,
    QuestionFormat,
    decode,
    encode_answers,
    format_answers,
    justify,
    true_answers,
)
from latent_arithmetic.results import (
    Number,
    mean_of_examples,
    share_of,
)

KINDS = (
    "unreadable",
    "sign",
    "carry or borrow",
    "off by 1",
    "off by 10",
    "off by 100",
    "length",
    "other",
)


def read_answer(text: str) -> int | None:
    """The number an answer's text stands for; None if it is not written as one."""
    digits = text.strip(" ")
    if not digits.removeprefix("-").isdecimal() or not digits.isascii():
        return None
    value = int(digits)
    return value if justify(str(value), len(text)) == text else None


def carries(questions: np.ndarray, place: int) -> np.ndarray:
    """Whether questions [n, 3] need a carry or a borrow into a place: bool [n].

    place: 10 for the tens, 100 for the hundreds.
    """
    left, sign, right = questions.T
    low, high = np.minimum(left, right), np.maximum(left, right)
    borrow = high % place < low % place
    return np.where(sign > 0, left % place + right % place >= place, borrow)


def needs_carry(questions: np.ndarray, form: QuestionFormat = TWO_DIGITS) -> np.ndarray:
    """Whether a digit of questions [n, 3] needs a carry or a borrow: bool [n]."""
    places = [10**power for power in range(1, form.max_digits)]
    return np.any([carries(questions, place) for place in places], axis=0)


@dataclass(frozen=True)
class Evaluation:
    """What a model wrote under questions, beside what it should have written.

    questions: int [n, 3]. written: n texts, as long as the longest answer of `form`.
    """

    questions: np.ndarray
    written: list[str]
    form: QuestionFormat = TWO_DIGITS

    @property
    def true(self) -> np.ndarray:
        """The right answers: int [n]."""
        return true_answers(self.questions)

    @property
    def expected(self) -> list[str]:
        """The right answers as texts."""
        return format_answers(self.true, self.form)

    @property
    def exact(self) -> np.ndarray:
        """Whether every character is right: bool [n]."""
        return np.array(self.written) == np.array(self.expected)

    @property
    def values(self) -> np.ndarray:
        """The numbers that were written: float [n], NaN where unreadable."""
        values = [read_answer(text) for text in self.written]
        return np.array([np.nan if v is None else v for v in values])

    @property
    def errors(self) -> np.ndarray:
        """Written minus true: float [n], NaN where unreadable."""
        return self.values - self.true

    def kinds(self) -> np.ndarray:
        """The kind of each wrong answer (one of KINDS), '' for a right one: [n].

        The first kind that fits counts. 'sign': right but for the minus. 'carry or
        borrow': what comes out if it is forgotten. 'length': too few or too many
        characters.
        """
        values, true, error = self.values, self.true, np.abs(self.errors)
        missing = np.where(self.questions[:, 1] > 0, -1, 1)
        more = np.abs(values) - np.abs(true)
        forgotten = [
            carries(self.questions, place) & (more == missing * place)
            for place in (10**power for power in range(1, self.form.max_digits))
        ]
        lengths = [len(w.strip()) != len(e.strip()) for w, e in self._pairs()]
        fits = [
            np.isnan(values),
            values == -true,
            np.any(forgotten, axis=0) & (values * true >= 0),
            error == 1,
            error == 10,
            error == 100,
            np.array(lengths),
        ]
        return np.where(self.exact, "", np.select(fits, KINDS[:-1], KINDS[-1]))

    def count_kinds(self) -> dict[str, int]:
        """How often each of KINDS occurs."""
        counts = Counter(self.kinds().tolist())
        return {kind: counts[kind] for kind in KINDS}

    def numbers(self) -> dict[str, Number]:
        """Exact and per-character accuracy, and the mean absolute error.

        Unreadable answers have no error; `unreadable` is their share.
        """
        right = [w == e for pair in self._pairs() for w, e in zip(*pair, strict=True)]
        unreadable = np.isnan(self.values)
        numbers = {
            "exact": share_of(self.exact),
            "per-character": share_of(np.array(right)),
            "unreadable": share_of(unreadable),
        }
        if not unreadable.all():
            errors = np.abs(self.errors[~unreadable])
            numbers["mean-absolute-error"] = mean_of_examples(errors)
        return numbers

    def plane(self, block: int = 10) -> dict[str, np.ndarray]:
        """The share of exact answers by sign and by blocks of left and right number.

        Returns: for '+' and '-' a square float array (rows: left), [10, 10] for two
            digits, NaN where not asked.
        """
        shares = {}
        for name, sign in (("+", 1), ("-", -1)):
            chosen = self.questions[:, 1] == sign
            left, _, right = (self.questions[chosen] // block).T
            size = self.form.highest // block + 1
            asked, good = np.zeros((2, size, size))
            np.add.at(asked, (left, right), 1)
            np.add.at(good, (left, right), self.exact[chosen])
            with np.errstate(invalid="ignore"):
                shares[name] = good / asked
        return shares

    def _pairs(self):
        return zip(self.written, self.expected, strict=True)


def most_frequent_answer(
    train: np.ndarray, asked: np.ndarray, form: QuestionFormat = TWO_DIGITS
) -> list[str]:
    """A null model: the answer seen most often, whatever is asked."""
    values, counts = np.unique(true_answers(train), return_counts=True)
    return format_answers(np.repeat(values[counts.argmax()], len(asked)), form)


def neighbour_vote(
    train: np.ndarray, asked: np.ndarray, form: QuestionFormat = TWO_DIGITS
) -> list[str]:
    """A null model that knows no arithmetic: similar questions vote.

    The trained questions that differ from the one asked in a single digit vote on
    each character of the answer. Where there are none, the most frequent
    characters at each place are taken.
    """
    span = form.highest + 1
    known = np.zeros((2, span, span), bool)
    known[(train[:, 1] > 0).astype(int), train[:, 0], train[:, 2]] = True
    votes = np.zeros((len(asked), form.answer_length, len(ALPHABET)), "int32")
    rows = np.arange(len(asked))
    for column in (0, 2):
        for place in (10**power for power in range(form.max_digits)):
            digit = asked[:, column] // place % 10
            for other in range(10):
                neighbours = asked.copy()
                neighbours[:, column] += (other - digit) * place
                left, sign, right = neighbours.T
                votes_now = known[(sign > 0).astype(int), left, right]
                votes_now &= other != digit
                codes = encode_answers(neighbours, form)
                for position in range(codes.shape[1]):
                    votes[rows, position, codes[:, position]] += votes_now
    kinds = np.eye(len(ALPHABET), dtype="int32")
    fallback = kinds[encode_answers(train, form)].sum(axis=0)
    nobody = votes.sum(axis=(1, 2)) == 0
    votes[nobody] = fallback
    return decode(votes.argmax(axis=-1))


def question_groups(questions: np.ndarray) -> dict[str, np.ndarray]:
    """Which questions [n, 3] are of which difficulty: name to bool [n]."""
    plus, carry = questions[:, 1] > 0, needs_carry(questions)
    negative = true_answers(questions) < 0
    return {
        "+ without carry": plus & ~carry,
        "+ with carry": plus & carry,
        "- without borrow": ~plus & ~carry & ~negative,
        "- with borrow": ~plus & carry & ~negative,
        "- below zero": ~plus & negative,
    }
