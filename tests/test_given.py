"""What models are given is said of every recorded group."""

import re

import pytest

from latent_arithmetic.given import (
    ATTRIBUTES,
    COLUMNS,
    NOT_STATED,
    NOTHING,
    REAL_IMAGES,
    UNITS_FIRST,
    given,
)
from latent_arithmetic.publish.tables import GIVEN
from latent_arithmetic.records import read_groups


@pytest.mark.parametrize(
    "group, estimate, expected",
    [
        ("text-to-text-encoder-decoder-random-10", "exact_match", UNITS_FIRST),
        ("text-to-text-encoder-decoder-random-10", "nearest_neighbor_vote", NOTHING),
        ("text-to-text-left-to-right-random-90", "exact_match", NOTHING),
        ("text-to-text-baseline-random-90", "exact_match", NOTHING),
        ("image-to-text-cnn-lstm", "exact_match", UNITS_FIRST),
        ("length-generalization-lstm", "100_digits", COLUMNS),
        ("cryptopunks-vae-unconditional", "", NOTHING),
        ("cryptopunks-cae-default", "", NOTHING),
        ("cryptopunks-gan-default", "", ATTRIBUTES),
        ("cryptopunks-gan-default", "frechet_distance_reference", REAL_IMAGES),
        ("text-to-image-conditional-vae", "real_glyphs_exact_match", REAL_IMAGES),
        ("text-to-speech-lstm", "exact_match", NOT_STATED),
    ],
)
def test_what_is_given(group, estimate, expected):
    assert given(group, estimate) == expected


def test_a_frozen_text_model_and_a_list_of_queries_are_named():
    assert "text model" in given("text-to-image-conditional-vae")
    modular = given("image-to-text-modular-characters")
    assert all(what in modular for what in ("text model", "list of queries", "labels"))


def test_nothing_is_said_only_of_what_is_given_nothing():
    for group in read_groups():
        if given(group).startswith(NOTHING):
            assert not any(w in group for w in ("modular", "aligned", "length"))


@pytest.mark.parametrize("kind", ["experiments", "earlier"])
def test_all_that_is_given_is_explained_beside_the_tables(kind):
    for group, found in read_groups(kind).items():
        for estimate in found.estimates:
            parts = re.split(r"[,;()]", given(group, estimate))
            assert {part.strip() for part in parts} - {""} <= GIVEN.keys()
