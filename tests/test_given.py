"""What models are given is said of every recorded group."""

import pytest

from latent_arithmetic.given import ALIGNMENT, ATTRIBUTES, UNITS_FIRST, given
from latent_arithmetic.records import read_groups


@pytest.mark.parametrize(
    "group, estimate, expected",
    [
        ("text-to-text-encoder-decoder-random-10", "exact_match", UNITS_FIRST),
        ("text-to-text-encoder-decoder-random-10", "nearest_neighbor_vote", "nothing"),
        ("text-to-text-attention-alignment-given-random-10", "", ALIGNMENT),
        ("image-to-text-cnn-lstm", "exact_match", UNITS_FIRST),
        ("cryptopunks-vae-unconditional", "", "nothing"),
        ("cryptopunks-cae-default", "", "nothing"),
        ("cryptopunks-gan-default", "", ATTRIBUTES),
    ],
)
def test_what_is_given(group, estimate, expected):
    assert given(group, estimate) == expected


def test_image_models_around_another_text_model_say_so():
    group = "text-to-text-attention-alignment-given-three-digits-random-90"
    said = given(group, "image_to_text_exact_match")
    assert "list of queries" in said and ALIGNMENT in said
    depth = given("text-to-text-depth-encoder-2-decoder-1-random-50", "text_to_image_x")
    assert "text model" in depth and ALIGNMENT not in depth


def test_nothing_is_said_only_of_what_is_given_nothing():
    for group in read_groups():
        if given(group).startswith("nothing"):
            assert not any(w in group for w in ("attention", "modular", "aligned"))
