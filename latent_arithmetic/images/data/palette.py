"""Pictures of few colours (pixel art): the palette, and pictures as its numbers."""

import numpy as np

MOST_COLOURS = 256  # more are no palette
CODE = np.array([2**16, 2**8, 1])  # a colour as one whole number


def find_palette(pictures: np.ndarray) -> np.ndarray | None:
    """The distinct colours of uint8 pictures [n, height, width, 3]: uint8 [m, 3], or
    None if there are more than ``MOST_COLOURS``."""
    found = np.zeros(0, np.int64)
    for part in np.array_split(pictures, max(1, len(pictures) // 500)):
        found = np.union1d(found, part.reshape(-1, 3) @ CODE)
        if len(found) > MOST_COLOURS:
            return None
    return (found[:, None] // CODE % 256).astype(np.uint8)


def as_numbers(pictures: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """The number of every pixel's colour, else of the one nearest to it: uint8
    [n, height, width]."""
    codes, places = np.unique(pictures.reshape(-1, 3) @ CODE, return_inverse=True)
    colours = codes[:, None] // CODE % 256
    distances = np.square(colours[:, None] - palette.astype(int)).sum(axis=-1)
    numbers = distances.argmin(axis=1).astype(np.uint8)
    return numbers[places].reshape(pictures.shape[:-1])
