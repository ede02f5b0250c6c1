"""The course baseline, written anew: what is measured against.

It behaves as the course's notebook does: every picture is drawn once, before the
questions are split, and kept as 64-bit numbers; texts are padded on the right.
"""

import cv2
import keras
import numpy as np
from keras import layers

from latent_arithmetic.arithmetic.questions import (
    ALPHABET,
    BLANK,
    TWO_DIGITS,
    QuestionFormat,
    encode,
    format_answers,
    format_questions,
    one_hot,
    true_answers,
)

SIGN_POOL = 50  # drawings of each sign
WIDTH = 256  # units of both LSTM layers
BATCH_SIZE = 32
EPOCHS = 50  # at most; students train for 20 to 50
PARAMETERS = 805_133
SIDE = 28  # pixels


def sign_pictures(sign: str, count: int = SIGN_POOL) -> np.ndarray:
    """Drawings of '+' or '-': uint8 [count, 28, 28]."""
    pictures = np.zeros((count, SIDE, SIDE), "uint8")
    for picture in pictures:
        first, last = (int(place) for place in np.random.randint(12, 16, 2))
        near, far = np.random.randint(6, 10), np.random.randint(18, 22)
        cv2.line(picture, (near, first), (far, last), 255, 2, cv2.LINE_AA)
        if sign == "+":
            cv2.line(picture, (first, near), (last, far), 255, 2, cv2.LINE_AA)
    return pictures


def character_pictures(images: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """The pictures of each character, uint8 [n, 28, 28], from MNIST's train file."""
    pools = {str(digit): images[labels == digit] for digit in range(10)}
    pools |= {sign: sign_pictures(sign) for sign in "+-"}
    pools[ALPHABET[BLANK]] = np.zeros((1, SIDE, SIDE), "uint8")
    return pools


def create_data(
    highest_integer: int,
    num_addends: int = 2,
    operands: tuple[str, ...] = ("+", "-"),
    *,
    mnist: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every question and answer, as text and in handwriting; there is no seed.

    num_addends: it sets the length of a question; two numbers are joined, as there.
    mnist: images uint8 [n, 28, 28] and labels [n] of the train file.

    Returns: X_text [n] and X_img float64 [n, 5, 28, 28] in [0, 1], y_text [n] and
        y_img float64 [n, 3, 28, 28], for numbers of two digits.
    """
    digits = len(str(highest_integer))
    query_length, answer_length = num_addends * (digits + 1) - 1, digits + 1
    pools = character_pictures(*mnist)

    def handwriting(text: str) -> np.ndarray:
        drawn = [pools[c][np.random.randint(len(pools[c]))] for c in text]
        return np.stack(drawn)

    x_text, x_img, y_text, y_img = [], [], [], []
    for left in range(highest_integer + 1):
        for right in range(highest_integer + 1):
            for sign in operands:
                answer = left + right if sign == "+" else left - right
                x_text.append(f"{left}{sign}{right}".ljust(query_length))
                y_text.append(str(answer).ljust(answer_length))
                x_img.append(handwriting(x_text[-1]))
                y_img.append(handwriting(y_text[-1]))
    x_pictures, y_pictures = np.stack(x_img) / 255.0, np.stack(y_img) / 255.0
    return np.array(x_text), x_pictures, np.array(y_text), y_pictures


def encode_text(
    questions: np.ndarray, form: QuestionFormat = TWO_DIGITS
) -> tuple[np.ndarray, np.ndarray]:
    """Questions [n, 3] as the baseline reads them and their answers as it writes them.

    Returns: one-hot float32 [n, 5, 13] and [n, 3, 13], padded on the right.
    """
    asked = format_questions(questions, form, side="left")
    answers = format_answers(true_answers(questions), form, side="left")
    return one_hot(encode(asked)), one_hot(encode(answers))


def build_text_model(form: QuestionFormat = TWO_DIGITS) -> keras.Model:
    """Characters [n, 5, 13] to probabilities [n, 3, 13]; compiled as students do."""
    model = keras.Sequential(
        [
            keras.Input((form.question_length, len(ALPHABET))),
            layers.LSTM(WIDTH),
            layers.RepeatVector(form.answer_length),
            layers.LSTM(WIDTH, return_sequences=True),
            layers.TimeDistributed(layers.Dense(len(ALPHABET), activation="softmax")),
        ]
    )
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return model
