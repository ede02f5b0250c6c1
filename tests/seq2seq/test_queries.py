"""Queries: parsed, formatted, encoded and split without a loss or a leak."""

import codecs
import re

import numpy as np
import pytest

from latent_arithmetic.io import UserError
from latent_arithmetic.seq2seq.queries import (
    ALPHABET,
    QueryConfig,
    QueryFormat,
    all_queries,
    carries,
    decode,
    encode,
    encode_answers,
    encode_queries,
    format_answers,
    format_queries,
    one_hot,
    parse_queries,
    parse_query,
    query_patterns,
    read_queries,
    true_answers,
)
from latent_arithmetic.seq2seq.splits import (
    commutative_grouped_split,
    exclude,
    file_split,
    fingerprint,
    random_split,
)

BAD_QUERIES = {
    "8a+2": "character 2: 'a' is not one of",
    "123+4": "character 1: the number has more than 2 digits",
    "1+234": "character 3: the number has more than 2 digits",
    "": "character 1: the query is empty",
    "   ": "the query is empty",
    "1 + 2": "character 2: ' ' may not stand in a query; write '81+24', one at a time",
    "1\u00a0+2": "character 2: '\\xa0' may not stand in",
    "1\u200b+2": "character 2: '\\u200b' may not stand in",
    "81+24 41-89": "character 6: ' ' may not stand in",
    "1+2\n3+4": "character 4: '\\n' may not stand in",
    "--": "character 1: a number is missing",
    "-5+3": "character 1: a number is missing here, and numbers have no sign",
    "1+": "character 3: a number is missing",
    "1++2": "character 3: a number is missing",
    "12": "character 3: a sign",
    "1+2+3": "character 4: the query should have ended",
    "007+1": "character 1: the number begins with a needless 0; leave it out",
    "8+5=": "character 4: '=' is no part of a query; leave it out",
    "8+5?": "character 4: '?' is no part of a query; leave it out",
    " 8*5": "character 3: '*' is not one of '0123456789+-'",
    "8,5+1": "character 2: ','",
    "8±5": "character 2: '±' is not one of",
    "Ⅷ+1": "character 1: 'Ⅷ' is not one of",
    "1\0+2": "character 2: '\\x00'",
    "🙂": "character 1: '🙂'",
}
LOOK_ALIKES = {
    "\u2212": "use - (hyphen-minus)",  # minus sign
    "\u2013": "use - (hyphen-minus)",  # en dash, as word processors put it
    "\u2014": "use - (hyphen-minus)",
    "\u2010": "use - (hyphen-minus)",
    "\uff0d": "use - (hyphen-minus)",  # full-width
    "\uff0b": "use +",
    "\uff18": "use 8",
    "\u0663": "use 3",  # arabic-indic
    "\u00b2": "use 2",  # superscript
}
# Checksums of the test queries of runs in results/, with seed 1.
RECORDED_SPLITS = {
    ("random", 0.9): "2357c21b0667a5f1",
    ("random", 0.05): "55c9333dcd4c25bb",
    ("commutative-grouped", 0.9): "6d7c6858e4ab6966",
    ("commutative-grouped", 0.05): "b95e32c70cdd1082",
}


def as_set(queries):
    return set(map(tuple, queries.tolist()))


def test_all_queries_are_there_once():
    queries = all_queries()
    assert queries.shape == (20_000, 3)
    assert len(as_set(queries)) == 20_000
    answers = true_answers(queries)
    assert (answers.min(), answers.max()) == (-99, 198)


def test_texts_by_hand():
    queries = np.array([[81, 1, 24], [1, -1, 9], [0, 1, 0]])
    assert format_queries(queries) == ["81+24", "  1-9", "  0+0"]
    assert format_answers(true_answers(queries)) == ["105", " -8", "  0"]


def test_codes_by_hand():
    assert encode([" 9-", "+01"]).tolist() == [[12, 9, 11], [10, 0, 1]]
    hot = one_hot(encode_queries(np.array([[1, -1, 9]])))
    assert hot.shape == (1, 5, len(ALPHABET))
    assert hot[0].argmax(axis=-1).tolist() == [12, 12, 1, 11, 9]
    assert hot.sum() == 5


@pytest.mark.parametrize("digits", [1, 2])
def test_every_query_survives_formatting_and_encoding(digits):
    query_format = QueryFormat(digits)
    queries = all_queries(query_format)
    texts = format_queries(queries, query_format)
    assert (encode_queries(queries, query_format) == encode(texts)).all()
    assert decode(encode(texts)) == texts
    assert (parse_queries(texts, query_format) == queries).all()
    answers = format_answers(true_answers(queries), query_format)
    assert decode(encode_answers(queries, query_format)) == answers
    assert [int(text) for text in answers] == true_answers(queries).tolist()


def test_carries_and_borrows_by_hand():
    queries = parse_queries(["7+5", "7+2", "30-1", "1-30", "31-1", "99+1"])
    assert carries(queries, 10).tolist() == [True, False, True, True, False, True]
    assert carries(queries, 100).tolist() == [False] * 5 + [True]


@pytest.mark.parametrize("text", BAD_QUERIES)
def test_a_bad_query_is_refused_and_the_place_is_named(text):
    with pytest.raises(UserError) as caught:
        parse_query(text)
    message = str(caught.value)
    assert repr(text) in message and BAD_QUERIES[text] in message
    assert "from 0 to 99" in message and "\n" not in message


@pytest.mark.parametrize("character", LOOK_ALIKES)
def test_a_look_alike_is_refused_with_what_to_type(character):
    with pytest.raises(UserError, match=r"character 2: .* is not understood") as error:
        parse_query(f"1{character}2")
    assert LOOK_ALIKES[character] in str(error.value)


@pytest.mark.parametrize(
    "text", ["  8+5 ", "8+5\r", "8+5\n", "\ufeff8+5", "8+5\t", "\u00a08+5\u200b"]
)
def test_what_surrounds_a_query_is_passed_over(text):
    assert parse_query(text) == (8, 1, 5)


def test_a_long_text_is_quoted_in_part():
    with pytest.raises(UserError) as error:
        parse_query("1" * 500 + "a" + "2" * 500)
    assert "character 501: 'a'" in str(error.value)
    assert "1111a2222" in str(error.value) and len(str(error.value)) < 250


def test_ten_thousand_bad_queries_give_ten_thousand_places():
    """Whatever is wrong, the error quotes the query and names a place in it."""
    generator = np.random.default_rng(0)
    letters = list(ALPHABET + "aéß٣−*/=.,\t")
    faults = 0
    while faults < 10_000:
        text = "".join(generator.choice(letters, generator.integers(0, 9)))
        if re.fullmatch(r"\s*(0|[1-9][0-9]?)[+-](0|[1-9][0-9]?)\s*", text):
            continue
        faults += 1
        with pytest.raises(UserError) as error:
            parse_query(text)
        assert str(error.value).startswith(f"query {text!r}, character ")
        place = int(re.match(r"[0-9]+", str(error.value)[len(repr(text)) + 18 :])[0])
        assert 1 <= place <= len(text) + 1


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_patterns_fit_queries_and_nothing_else(digits):
    query_format = QueryFormat(digits)
    patterns = query_patterns(query_format)
    codes = encode_queries(all_queries(query_format)[::7], query_format)
    fits = patterns[:, np.arange(query_format.query_length), codes].all(axis=-1)
    assert (fits.sum(axis=0) == 1).all()
    assert patterns.sum(axis=-1).prod(axis=-1).sum() == 2 * 10 ** (2 * digits)


def test_three_digit_queries():
    query_format = QueryFormat(3)
    assert (query_format.query_length, query_format.answer_length) == (7, 4)
    assert parse_query("123+4", query_format) == (123, 1, 4)
    assert format_queries(np.array([[123, 1, 4]]), query_format) == ["  123+4"]


@pytest.mark.parametrize("digits", [0, 4, 9, 20])
def test_more_digits_than_memory_allows_are_refused(digits):
    with pytest.raises(UserError, match=f"max_digits is {digits}: .*expected 1 to 3"):
        QueryConfig(max_digits=digits)


ENCODINGS = {
    "plain": b"81+24\n  1-9\n0-0\n81+24",
    "notepad": codecs.BOM_UTF8 + b"81+24\r\n  1-9\r\n0-0\r\n81+24\r\n",
    "old mac": b"81+24\r  1-9\r0-0\r81+24\r",
    "excel": b"81+24\t\n  1-9\t\n0-0\t\n81+24\t\n",
    "powershell": "81+24\r\n  1-9\r\n0-0\r\n81+24\r\n".encode("utf-16"),
    "big endian": "\ufeff81+24\n  1-9\n0-0\n81+24\n".encode("utf-16-be"),
    "empty lines at the end": b"81+24\n  1-9\n0-0\n81+24\n\n \n",
}


@pytest.mark.parametrize("data", ENCODINGS.values(), ids=ENCODINGS)
def test_a_file_of_any_system_is_read_line_by_line(data, tmp_path):
    file = tmp_path / "queries.txt"
    file.write_bytes(data)
    rows = [[81, 1, 24], [1, -1, 9], [0, -1, 0], [81, 1, 24]]
    assert read_queries(file).tolist() == rows


BAD_FILES = {
    b"1+1\n8a+2\n": "line 2: query '8a[+]2', character 2",
    b"1+1\n\n2+2\n": "line 2: .*empty",
    b"1+1\n\0\n": "line 2: .*character 1: '.x00'",
    b"\n \n": "holds no query",
    b"": "holds no query",
    b"1+1\xff": "cannot read .*UTF-8",
    b"\xff\xfe1+1": "cannot read .*UTF-8",
    "1+1".encode("utf-16-le"): "character 2: '.x00'",
}


@pytest.mark.parametrize("data", BAD_FILES)
def test_a_bad_file_is_refused(data, tmp_path):
    file = tmp_path / "queries.txt"
    file.write_bytes(data)
    with pytest.raises(UserError, match=BAD_FILES[data]):
        read_queries(file)


def test_what_is_no_file_is_refused(tmp_path):
    for path in (tmp_path / "missing.txt", tmp_path):
        with pytest.raises(UserError, match="cannot read"):
            read_queries(path)


@pytest.mark.parametrize("split", [random_split, commutative_grouped_split])
@pytest.mark.parametrize("fraction", [0.9, 0.5, 0.1])
def test_splits_cover_everything_and_share_nothing(split, fraction):
    queries = all_queries()
    parts = split(queries, fraction, seed=3)
    sets = [as_set(part) for part in (parts.train, parts.validation, parts.test)]
    assert sum(map(len, sets)) == len(set.union(*sets)) == len(queries)
    assert len(parts.train) == pytest.approx(fraction * len(queries), rel=0.05)
    assert 0 < len(parts.validation) <= 500 < len(parts.test)
    again = split(queries, fraction, seed=3)
    assert (again.train == parts.train).all() and (again.test == parts.test).all()


@pytest.mark.parametrize(("split", "fraction"), RECORDED_SPLITS)
def test_splits_are_those_of_the_recorded_runs(split, fraction):
    config = QueryConfig(split=split, train_fraction=fraction, seed=1)
    test = config.make_split().test
    assert fingerprint(test) == RECORDED_SPLITS[split, fraction]


def test_smaller_training_sets_are_contained_in_larger_ones():
    small = random_split(all_queries(), 0.1).train
    large = random_split(all_queries(), 0.5).train
    assert as_set(small) < as_set(large)


def test_commuted_queries_stay_on_one_side():
    parts = commutative_grouped_split(all_queries(), 0.5)
    train = as_set(parts.train)
    for left, sign, right in np.concatenate([parts.validation, parts.test]).tolist():
        assert not train & {(right, 1, left), (right, -1, left), (left, -sign, right)}


@pytest.mark.parametrize("fraction", [0, 1, -0.5, 90, float("nan")])
def test_an_impossible_fraction_is_refused(fraction):
    with pytest.raises(UserError, match="train fraction"):
        random_split(all_queries(), fraction)
    with pytest.raises(UserError, match="train_fraction"):
        QueryConfig(train_fraction=fraction)


def test_exactly_the_queries_of_a_file_are_trained_on(tmp_path):
    file = tmp_path / "queries.txt"
    file.write_text("81+24\n1-9\n0-0\n81+24\n")
    parts = QueryConfig(train_queries=file).make_split()
    assert (parts.train == read_queries(file)).all()  # repeated queries count twice
    assert not len(parts.validation)
    assert len(parts.test) == 20_000 - 3
    assert not as_set(parts.test) & as_set(parts.train)
    everything = file_split(all_queries(), all_queries())
    assert len(everything.train) == 20_000 and not len(everything.test)


def test_exclude_keeps_the_order():
    queries = parse_queries(["1+2", "2+1", "1-2", "3+3"])
    left = exclude(queries, parse_queries(["2+1", "9+9"]))
    assert format_queries(left) == ["  1+2", "  1-2", "  3+3"]


@pytest.mark.parametrize(
    "other", [{"train_fraction": 0.5}, {"split": "commutative-grouped"}]
)
def test_a_setting_without_effect_beside_a_file_is_refused(other, tmp_path):
    with pytest.raises(UserError, match=f"both train_queries and {next(iter(other))}"):
        QueryConfig(train_queries=tmp_path / "queries.txt", **other)


@pytest.mark.parametrize(
    "values",
    [{"seed": -1}, {"seed": 2**32}, {"split": "even"}, {"epochs": 0}]
    + [{"batch_size": 0}, {"learning_rate": 0.0}, {"learning_rate": float("nan")}],
)
def test_a_setting_nobody_can_use_is_refused(values):
    with pytest.raises(UserError, match=next(iter(values))):
        QueryConfig(**values)
