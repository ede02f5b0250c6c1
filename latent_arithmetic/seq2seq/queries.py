"""Queries such as '81+24': all of them, as texts, as codes, and split for training.

A set of queries is a small integer array of shape [n, 3] with the columns left number,
sign (+1 or -1) and right number. Texts, one-hot characters and images are made from it
at the last moment.
"""

import codecs
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from latent_arithmetic.config import ScheduleConfig, setting
from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.splits import SPLIT_METHODS, Split, file_split

ALPHABET = "0123456789+- "
BLANK = ALPHABET.index(" ")
SIGNS = {"+": 1, "-": -1}
MAX_DIGITS = 3  # all queries are kept in memory: 2 million of three digits take 24 MB
# What may surround a query: white space and two characters that nobody can see.
PADDING = "\ufeff\u200b" + "".join(filter(str.isspace, map(chr, range(0x3001))))
SHOWN_LENGTH = 40  # characters of a query that an error quotes at most


@dataclass(frozen=True)
class QueryFormat:
    """Lengths of queries and answers.

    Args:
        max_digits: digits of the longest number in a query, 1 to 3.

    Raises:
        UserError: there are too many queries of so many digits.
    """

    max_digits: int = 2

    def __post_init__(self):
        if not 1 <= self.max_digits <= MAX_DIGITS:
            raise UserError(
                f"max_digits is {self.max_digits}: that makes 2 * "
                f"10^{2 * self.max_digits} queries, and all are kept in memory; "
                f"expected 1 to {MAX_DIGITS}"
            )

    @property
    def highest(self) -> int:
        """The largest number in a query."""
        return 10**self.max_digits - 1

    @property
    def query_length(self) -> int:
        """Characters of the longest query: two numbers and a sign."""
        return 2 * self.max_digits + 1

    @property
    def answer_length(self) -> int:
        """Characters of the longest answer: one digit or sign more than a number."""
        return self.max_digits + 1


TWO_DIGITS = QueryFormat()


def all_queries(query_format: QueryFormat = TWO_DIGITS) -> np.ndarray:
    """All queries of a format: int32 [2 * (highest + 1)**2, 3]."""
    numbers = np.arange(query_format.highest + 1)
    signs = np.array(list(SIGNS.values()))
    left, sign, right = np.meshgrid(numbers, signs, numbers, indexing="ij")
    columns = [left.ravel(), sign.ravel(), right.ravel()]
    return np.stack(columns, axis=1).astype("int32")


def true_answers(queries: np.ndarray) -> np.ndarray:
    """The answers of queries [n, 3] as integers [n]."""
    left, sign, right = queries.T
    return left + sign * right


def carries(queries: np.ndarray, place: int) -> np.ndarray:
    """Whether queries [n, 3] need a carry or a borrow into a place: bool [n].

    Args:
        place: 10 for the tens, 100 for the hundreds.
    """
    left, sign, right = queries.T
    low, high = np.minimum(left, right), np.maximum(left, right)
    borrow = high % place < low % place
    return np.where(sign > 0, left % place + right % place >= place, borrow)


def format_queries(
    queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> list[str]:
    """Queries [n, 3] as right-justified texts of one length: '81+24', '  1-9'."""
    texts = (f"{a}{'+' if sign > 0 else '-'}{b}" for a, sign, b in queries.tolist())
    return [text.rjust(query_format.query_length) for text in texts]


def format_answers(
    answers: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> list[str]:
    """Integer answers [n] as right-justified texts of one length: '105', ' -8'."""
    return [str(a).rjust(query_format.answer_length) for a in answers.tolist()]


def _remedy(character: str) -> str:
    """What is wrong with a character that is not in the alphabet, and what to do."""
    if character in PADDING:
        return f"{character!r} may not stand in a query; write '81+24', one at a time"
    if character in "=?":
        return f"{character!r} is no part of a query; leave it out"
    name = unicodedata.name(character, "unnamed").lower()
    likeness = str(unicodedata.digit(character, ""))
    if unicodedata.category(character) == "Pd" or re.search(r"(^|[^-])minus", name):
        likeness = "- (hyphen-minus)"
    elif name.endswith("plus sign"):
        likeness = "+"
    if likeness:
        return f"{character!r} ({name}) is not understood; use {likeness}"
    return f"{character!r} is not one of '{ALPHABET.strip()}'"


def _find_fault(text: str, query_format: QueryFormat) -> tuple[int, str] | None:
    """The place (0 for the first character) and reason why `text` is no query."""
    body = text.strip(PADDING)
    if not body:
        return 0, "the query is empty"
    first = len(text) - len(text.lstrip(PADDING))
    for place, character in enumerate(body, start=first):
        if character not in ALPHABET.strip():
            return place, _remedy(character)
    left, sign, right = (
        (first + start, first + stop)
        for start, stop in re.match("([0-9]*)([+-]?)([0-9]*)", body).regs[1:]
    )
    if left[0] == left[1]:
        return left[0], "a number is missing here, and numbers have no sign"
    for start, stop in (left, right):
        if stop - start > 1 and text[start] == "0":
            return start, "the number begins with a needless 0; leave it out"
        if stop - start > query_format.max_digits:
            return start, f"the number has more than {query_format.max_digits} digits"
    if sign[0] == sign[1]:
        return sign[0], "a sign '+' or '-' is missing here"
    if right[0] == right[1]:
        return right[0], "a number is missing here, and numbers have no sign"
    if right[1] < first + len(body):
        return right[1], "the query should have ended before this"
    return None


def parse_query(
    text: str, query_format: QueryFormat = TWO_DIGITS
) -> tuple[int, int, int]:
    """The left number, sign (+1, -1) and right number of a query's text.

    White space around the query and a byte order mark are passed over, nothing else.

    Raises:
        UserError: `text` is no query of this format; it names the place, the reason
            and the remedy.
    """
    fault = _find_fault(text, query_format)
    if fault:
        place, reason = fault
        start = max(0, place - SHOWN_LENGTH // 2) if len(text) > SHOWN_LENGTH else 0
        shown = text[start : start + SHOWN_LENGTH]
        raise UserError(
            f"query {'...' * (start > 0)}{shown!r}"
            f"{'...' * (start + SHOWN_LENGTH < len(text))}, character {place + 1}: "
            f"{reason}; expected two whole numbers from 0 to {query_format.highest} "
            "with + or - between them, like '81+24'"
        )
    left, sign, right = re.split("([+-])", text.strip(PADDING))
    return int(left), SIGNS[sign], int(right)


def parse_queries(
    texts: Iterable[str], query_format: QueryFormat = TWO_DIGITS
) -> np.ndarray:
    """Texts of queries as an int32 array [n, 3]; see `parse_query`."""
    rows = [parse_query(text, query_format) for text in texts]
    return np.array(rows, "int32").reshape(-1, 3)


def read_queries(path: Path, query_format: QueryFormat = TWO_DIGITS) -> np.ndarray:
    """The queries of a text file, one a line, as an int32 array [n, 3].

    UTF-8, and UTF-16 with a byte order mark, with the line ends of any system. Empty
    lines at the end are passed over, so that row k is line k; a query that stands
    there twice counts twice.

    Raises:
        UserError: the file cannot be read, holds no query, or a line of it is no
            query (the line is named).
    """
    try:
        data = Path(path).read_bytes()
        wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = data.decode("utf-16" if wide else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UserError(
            f"cannot read queries from {path}: {reason}; expected a text file in UTF-8 "
            "with one query a line"
        ) from None
    rows = []
    for number, line in enumerate(text.rstrip(PADDING).splitlines(), start=1):
        try:
            rows.append(parse_query(line, query_format))
        except UserError as error:
            raise UserError(f"{path}, line {number}: {error}") from None
    if not rows:
        raise UserError(f"{path} holds no query; expected one a line, like '81+24'")
    return np.array(rows, "int32")


def encode(texts: Iterable[str]) -> np.ndarray:
    """Texts of equal length as indices in ALPHABET: uint8 [n, length]."""
    index = {character: place for place, character in enumerate(ALPHABET)}
    return np.array([[index[c] for c in text] for text in texts], "uint8")


def decode(codes: np.ndarray) -> list[str]:
    """The texts of codes [n, length]; the inverse of `encode`."""
    return ["".join(ALPHABET[code] for code in row) for row in codes.tolist()]


def one_hot(codes: np.ndarray) -> np.ndarray:
    """Codes [n, length] as one-hot characters: float32 [n, length, 13]."""
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


def _sign_codes(signs: np.ndarray) -> np.ndarray:
    return np.where(signs < 0, ALPHABET.index("-"), ALPHABET.index("+"))


def encode_queries(
    queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> np.ndarray:
    """Queries [n, 3] as right-justified codes: uint8 [n, query_length].

    The same as encoding their texts, without making the texts.
    """
    left, sign, right = queries.T
    codes = np.full((len(queries), query_format.query_length), BLANK, "uint8")
    ends = np.full(len(queries), query_format.query_length - 1)
    ends = _write_number(codes, right, ends)
    codes[np.arange(len(codes)), ends] = _sign_codes(sign)
    _write_number(codes, left, ends - 1)
    return codes


def encode_answers(
    queries: np.ndarray, query_format: QueryFormat = TWO_DIGITS
) -> np.ndarray:
    """The true answers of queries [n, 3] as codes: uint8 [n, answer_length]."""
    answers = true_answers(queries)
    codes = np.full((len(queries), query_format.answer_length), BLANK, "uint8")
    ends = np.full(len(queries), query_format.answer_length - 1)
    ends = _write_number(codes, np.abs(answers), ends)
    negative = np.flatnonzero(answers < 0)
    codes[negative, ends[negative]] = ALPHABET.index("-")
    return codes


def query_patterns(query_format: QueryFormat = TWO_DIGITS) -> np.ndarray:
    """Which characters may stand where in a right-justified query.

    Returns:
        Bool [max_digits**2, query_length, 13], a pattern for every two lengths of the
        numbers. A text is a query if all its characters fit one of the patterns.
    """
    patterns = []
    for left, right in product(range(1, query_format.max_digits + 1), repeat=2):
        places = [*_digits(left), "".join(SIGNS), *_digits(right)]
        places = [" "] * (query_format.query_length - len(places)) + places
        patterns.append([[known in place for known in ALPHABET] for place in places])
    return np.array(patterns)


def _digits(length: int) -> list[str]:
    """Which digits a number of so many may have, place by place."""
    return ["123456789" if length > 1 else "0123456789"] + ["0123456789"] * (length - 1)


@dataclass(frozen=True)
class QueryConfig(ScheduleConfig):
    """What the configurations of all tasks with queries have in common.

    Raises:
        UserError: a value is not usable, or has no effect beside another.
    """

    seed: int = setting(
        0,
        "seed of the split, the initial weights and the order of training",
        low=0,
        high=2**32 - 1,
    )
    max_digits: int = setting(
        2, f"digits of the longest number in a query, 1 to {MAX_DIGITS}"
    )
    train_fraction: float = setting(
        0.9,
        "fraction of all queries to train on",
        low=0,
        high=1,
        low_open=True,
        high_open=True,
    )
    train_queries: Path | None = setting(
        None, "file with one query a line; trains on exactly these"
    )
    split: str = setting(
        "random",
        "commutative-grouped: a+b, b+a, a-b, b-a all in training or all held out",
        choices=tuple(SPLIT_METHODS),
    )

    def __post_init__(self):
        super().__post_init__()
        QueryFormat(self.max_digits)
        for name in ("train_fraction", "split"):
            value = getattr(self, name)
            if self.train_queries is not None and value != getattr(QueryConfig, name):
                raise UserError(
                    f"received both train_queries and {name} {value}; expected one of "
                    "them: a file of queries is trained on as a whole"
                )

    @property
    def format(self) -> QueryFormat:
        """Lengths of its queries and answers."""
        return QueryFormat(self.max_digits)

    def make_split(self) -> Split:
        """The queries to train on, to choose settings by and to test with.

        Raises:
            UserError: the file of training queries is not usable.
        """
        queries = all_queries(self.format)
        if self.train_queries is not None:
            train = read_queries(self.train_queries, self.format)
            return file_split(queries, train, self.seed)
        method = SPLIT_METHODS[self.split]
        return method(queries, self.train_fraction, self.seed)
