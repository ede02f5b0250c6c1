"""The assignment's preparation of data, written anew: what is compared with.

It behaves as the assignment's notebook does: every image is sampled once, before the
queries are split, and kept as 64-bit numbers; texts are padded on the right.
"""

import cv2
import numpy as np

from latent_arithmetic.seq2seq.queries import ALPHABET, BLANK

IMAGES_PER_SIGN = 50
SIDE = 28  # pixels


def sign_images(sign: str, count: int = IMAGES_PER_SIGN) -> np.ndarray:
    """Images of '+' or '-': uint8 [count, 28, 28]."""
    images = np.zeros((count, SIDE, SIDE), "uint8")
    for image in images:
        first, last = (int(place) for place in np.random.randint(12, 16, 2))
        near, far = np.random.randint(6, 10), np.random.randint(18, 22)
        cv2.line(image, (near, first), (far, last), 255, 2, cv2.LINE_AA)
        if sign == "+":
            cv2.line(image, (first, near), (last, far), 255, 2, cv2.LINE_AA)
    return images


def character_images(images: np.ndarray, labels: np.ndarray) -> dict[str, np.ndarray]:
    """The images of each character, uint8 [n, 28, 28], from MNIST's training file."""
    found = {str(digit): images[labels == digit] for digit in range(10)}
    found |= {sign: sign_images(sign) for sign in "+-"}
    found[ALPHABET[BLANK]] = np.zeros((1, SIDE, SIDE), "uint8")
    return found


def create_data(
    highest_integer: int,
    num_addends: int = 2,
    operands: tuple[str, ...] = ("+", "-"),
    *,
    mnist: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Every query and answer, as text and in handwriting; there is no seed.

    Args:
        num_addends: sets the length of a query; two numbers are joined, as there.
        mnist: images uint8 [n, 28, 28] and labels [n] of the training file.

    Returns:
        X_text [n] and X_img float64 [n, 5, 28, 28] in [0, 1], y_text [n] and y_img
        float64 [n, 3, 28, 28], for numbers of two digits.
    """
    digits = len(str(highest_integer))
    query_length, answer_length = num_addends * (digits + 1) - 1, digits + 1
    known = character_images(*mnist)

    def handwriting(text: str) -> np.ndarray:
        sampled = [known[c][np.random.randint(len(known[c]))] for c in text]
        return np.stack(sampled)

    x_text, x_img, y_text, y_img = [], [], [], []
    for left in range(highest_integer + 1):
        for right in range(highest_integer + 1):
            for sign in operands:
                answer = left + right if sign == "+" else left - right
                x_text.append(f"{left}{sign}{right}".ljust(query_length))
                y_text.append(str(answer).ljust(answer_length))
                x_img.append(handwriting(x_text[-1]))
                y_img.append(handwriting(y_text[-1]))
    x_images, y_images = np.stack(x_img) / 255.0, np.stack(y_img) / 255.0
    return np.array(x_text), x_images, np.array(y_text), y_images
