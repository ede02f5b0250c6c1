"""The designs of the part that does arithmetic, by name."""

from dataclasses import dataclass

import keras
import numpy as np

from latent_arithmetic.arithmetic.columns import (
    GUESS,
    build_calculator,
    build_column_encoder_decoder,
)
from latent_arithmetic.arithmetic.networks import build_encoder_decoder
from latent_arithmetic.arithmetic.questions import (
    TWO_DIGITS,
    QuestionFormat,
    encode_columns,
    encode_questions,
)
from latent_arithmetic.errors import expect_one_of


@dataclass(frozen=True)
class Recipe:
    """What a design is trained with, unless asked otherwise.

    decoder_layers: recurrent layers that write the answer.
    weight_decay: of AdamW, decoupled from the gradient.
    """

    decoder_layers: int
    weight_decay: float


RECIPES = {
    "summary": Recipe(decoder_layers=1, weight_decay=0.1),
    "attention": Recipe(decoder_layers=2, weight_decay=0.6),
    "place-aligned": Recipe(decoder_layers=2, weight_decay=0.6),
}


def find_recipe(design: str) -> Recipe:
    """The recipe of a design.

    Raises:
        UserError: the design is none of DESIGNS.
    """
    expect_one_of("design", design, RECIPES)
    return RECIPES[design]


def build_text_design(
    design: str,
    form: QuestionFormat = TWO_DIGITS,
    encoder_layers: int = 1,
    decoder_layers: int = 1,
    alignment: float = GUESS,
) -> keras.Model:
    """One-hot characters of a question to answer logits [n, answer_length, 13].

    Raises:
        UserError: the design is none of DESIGNS.
    """
    find_recipe(design)
    if design == "summary":
        return build_encoder_decoder(form, encoder_layers, decoder_layers)
    if design == "attention":
        return build_column_encoder_decoder(
            form, encoder_layers, decoder_layers, alignment
        )
    return build_calculator(form.answer_length, decoder_layers, narrow=True)


def encode_for(
    design: str, questions: np.ndarray, form: QuestionFormat = TWO_DIGITS
) -> np.ndarray:
    """Questions [n, 3] as the codes that a design reads."""
    encoder = encode_columns if design == "place-aligned" else encode_questions
    return encoder(questions, form)
