"""What recorded models are given beyond their training examples.

It stands beside every number, in tables, figures and notebooks.
"""

import re

UNITS_FIRST = "nothing (its decoder writes the units first)"
ALIGNMENT = "alignment, character kinds, shared digit embedding"
COLUMNS = "columns, shared digit embedding"
FROZEN = f"frozen text model (which is given: {ALIGNMENT})"
QUERIES = "list of queries"
# By the start of a group's name, the first that fits.
GIVEN = (
    ("text-to-text-attention-alignment-given", ALIGNMENT),
    (
        "text-to-text-attention-without-alignment",
        "character kinds, shared digit embedding",
    ),
    ("text-to-text-column-aligned", COLUMNS),
    ("text-to-text", UNITS_FIRST),
    ("image-to-text-modular-characters", f"{FROZEN}, {QUERIES}, character labels"),
    ("image-to-text-modular", f"{FROZEN}, {QUERIES}"),
    ("image-to-text", UNITS_FIRST),
    ("text-to-image", FROZEN),
    ("length-generalization", COLUMNS),
)
UNCONDITIONAL = re.compile(r"-(baseline|unconditional)\b|-cae-")
ATTRIBUTES = "attributes of training images"
TRIVIAL = ("nearest_neighbor_vote", "most_frequent_answer")  # no model's estimates
# Estimates of an image model around the text model of the group.
AROUND = {
    "image_to_text_": f"the text model, {QUERIES}; CNN trained around another",
    "text_to_image_": "the text model; decoder trained around another",
}


def given(group: str, estimate: str = "") -> str:
    """What a model, or a trivial baseline, is given beyond its training examples.

    Args:
        group: of its records.
        estimate: name of the estimate that is shown, where several models of a group
            are measured.
    """
    if estimate in TRIVIAL:
        return "nothing"
    own = next((what for start, what in GIVEN if group.startswith(start)), None)
    if own is None:
        return "nothing" if UNCONDITIONAL.search(group) else ATTRIBUTES
    for start, what in AROUND.items():
        if estimate.startswith(start):
            return what if own == UNITS_FIRST else f"{what}; text model: {own}"
    return own
