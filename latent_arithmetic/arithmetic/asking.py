"""Trained models with pictures, asked test questions and measured."""

import numpy as np

from latent_arithmetic.arithmetic.evaluation import Evaluation
from latent_arithmetic.arithmetic.glyphs import GLYPH_SIZE, glyph_bank
from latent_arithmetic.arithmetic.handwriting import compare_handwriting
from latent_arithmetic.arithmetic.image_to_text import ImageToText
from latent_arithmetic.arithmetic.models import predict
from latent_arithmetic.arithmetic.questions import (
    encode_answers,
    encode_questions,
    format_answers,
    format_questions,
    true_answers,
)
from latent_arithmetic.arithmetic.trained import Trained
from latent_arithmetic.results import Number, share_of

HANDS, OTHER_HANDS = 1, 2  # seeds of the handwriting in a test
ASKED = 6_000  # times that questions are asked, at least; few are asked repeatedly


def in_several_hands(test: np.ndarray, most: int) -> np.ndarray:
    """Questions [n, 3] repeated, `most` at most, to be written in other hands."""
    times = max(1, -(-min(ASKED, most) // len(test)))
    return np.tile(test, (times, 1))[:most]


def read_codes(trained: Trained, pictures: np.ndarray) -> np.ndarray:
    """The question that is read in pictures [n, k, 28, 28]: codes [n, k]."""
    flat = pictures.reshape(-1, GLYPH_SIZE, GLYPH_SIZE, 1) / np.float32(255)
    seen = predict(trained.model.eye, flat).reshape(*pictures.shape[:2], -1)
    return np.array(trained.model.most_probable(seen))


def ask_reading(
    trained: Trained, test: np.ndarray
) -> tuple[dict[str, Number], Evaluation]:
    """Ask an image-to-text model questions [n, 3] in handwriting of the test world.

    Returns: exact answers and more; with an eye also the share of digits it read
        right and, of the wrong answers, the share with a misread character.
    """
    codes = encode_questions(test, trained.form)
    pictures = glyph_bank("test").draw(codes, HANDS)
    answered = Evaluation(test, trained.answer_images(pictures), trained.form)
    numbers = answered.numbers()
    if isinstance(trained.model, ImageToText):
        right = read_codes(trained, pictures) == codes
        digits = codes < 10
        numbers["digits-read"] = share_of(right[digits])
        wrong = ~answered.exact
        if wrong.any():
            numbers["mistakes-misread"] = share_of((~right[wrong]).any(axis=1))
    return numbers, answered


def ask_painting(
    trained: Trained, test: np.ndarray, reader: Trained
) -> tuple[dict[str, Number], Evaluation]:
    """Let a text-to-image model answer questions [n, 3], and the reader read it.

    Returns: exact answers as read back, the same of real handwriting of the test
        world, and the painted digits' variety, variance, sharpness and distance to
        training digits as shares of real handwriting's.
    """
    form = trained.form
    painted = trained.draw(format_questions(test, form), HANDS)
    true = format_answers(true_answers(test), form)
    real = glyph_bank("test").draw(encode_answers(test, form), OTHER_HANDS)
    answered = Evaluation(test, reader.model.read(painted), form)
    reread = Evaluation(test, reader.model.read(real), form)
    numbers = answered.numbers() | {"real-handwriting": reread.numbers()["exact"]}
    shares = compare_handwriting(true, painted, real, glyph_bank("train"))
    for name, share in shares.items():
        numbers[name] = Number(share, share, share, len(test), unit="% of real")
    return numbers, answered
