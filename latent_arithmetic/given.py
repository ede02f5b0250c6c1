"""What recorded models are given beyond their training examples.

It stands beside every number, in tables, figures and notebooks.
"""

import re

UNITS_FIRST = "nothing (units first)"
NOTHING = "nothing"
COLUMNS = "columns"
ADDER = "adder"
# To models that the package no longer has; their records are kept in results/earlier.
ALIGNMENT = "alignment, character kinds, shared digit embedding"
FROZEN = "frozen text model"
QUERIES = "list of queries"
# By the start of a group's name, the first that fits.
GIVEN = (
    ("text-to-text-attention-alignment-given", ALIGNMENT),
    (
        "text-to-text-attention-without-alignment",
        "character kinds, shared digit embedding",
    ),
    ("text-to-text-column-aligned", f"{COLUMNS}, shared digit embedding"),
    ("text-to-text-left-to-right", NOTHING),
    ("text-to-text-baseline", NOTHING),
    ("text-to-text-shuffled-query", f"{UNITS_FIRST}; queries in a shuffled order"),
    ("text-to-text", UNITS_FIRST),
    ("tuning-text-to-text", UNITS_FIRST),
    ("image-to-text-modular-characters", f"{FROZEN}, {QUERIES}, character labels"),
    ("image-to-text-modular", f"{FROZEN}, {QUERIES}"),
    ("image-to-text", UNITS_FIRST),
    ("text-to-image-depth", UNITS_FIRST),
    ("text-to-image", FROZEN),
    ("length-generalization", COLUMNS),
    ("mnist-addition-given", f"{COLUMNS}, {ADDER}"),
    ("mnist-addition-learnt", COLUMNS),
)
IMAGE_MODEL = re.compile(r"-(cae|vae|gan)-")
UNCONDITIONAL = re.compile(r"-(baseline|unconditional)\b|-cae-")
ATTRIBUTES = "attributes of training images"
# Estimates of trivial baselines, and of real images: no model's.
TRIVIAL = ("nearest_neighbor_vote", "most_frequent_answer")
REAL = ("real_glyphs_exact_match",)
REAL_IMAGES = "real images"
NOT_STATED = "not stated"  # what a new sequence model has until it stands in GIVEN


def given(group: str, estimate: str = "") -> str:
    """What a model, or a trivial baseline, is given beyond its training examples.

    Args:
        group: of its records.
        estimate: name of the estimate that is shown, where several models of a group
            are measured.
    """
    if estimate in TRIVIAL:
        return NOTHING
    if estimate in REAL or estimate.endswith("_reference"):
        return REAL_IMAGES
    own = next((what for start, what in GIVEN if group.startswith(start)), None)
    if own is None and not IMAGE_MODEL.search(group):
        return NOT_STATED
    if own is None:
        return NOTHING if UNCONDITIONAL.search(group) else ATTRIBUTES
    return own
