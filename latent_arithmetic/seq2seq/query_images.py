"""A user's own images of handwritten queries, checked and brought to one form."""

from pathlib import Path

import numpy as np

from latent_arithmetic.console import say
from latent_arithmetic.io import UserError, read_arrays
from latent_arithmetic.seq2seq.glyphs import GLYPH_SIZE
from latent_arithmetic.seq2seq.queries import QueryFormat

WHITE = 255  # intensity
OVERSHOOT = 1.1  # floats up to here are clipped to 1


def read_query_images(path: Path) -> np.ndarray:
    """The array `images` of an .npz file.

    Raises:
        UserError: there is no such file or array.
    """
    if not Path(path).is_file():
        raise UserError(f"there is no file {path}; expected an .npz of images")
    arrays = read_arrays(path)
    if "images" not in arrays:
        raise UserError(f"{path} holds {sorted(arrays)}; expected an array 'images'")
    return arrays["images"]


def as_query_images(images: np.ndarray, query_format: QueryFormat) -> np.ndarray:
    """Images of queries as uint8 [n, query_length, 28, 28], 0 (black) to 255 (white).

    A single query and a channel axis of 1 are accepted. Integers are intensities from
    0 to 255, floats from 0 to 1 or to 255; where nothing is above 1, 1 is white.

    Raises:
        UserError: shape, type or values are none of these, or the images are black on
            white.
    """
    shape = (query_format.query_length, GLYPH_SIZE, GLYPH_SIZE)
    original = images
    if images.shape[-4:] == (*shape, 1):
        images = images[..., 0]
    if images.shape == shape:
        images = images[None]
    if images.shape[1:] != shape or images.dtype.kind not in "uifb":
        raise UserError(
            f"received images of shape {list(original.shape)} and type "
            f"{original.dtype}; expected {['n', *shape]}, a 28 x 28 image for each "
            "character, uint8 from 0 (black) to 255 (white)"
        )
    if not len(images):
        return images.astype("uint8")
    low, high, mean = (float(f(images)) for f in (np.min, np.max, np.mean))
    whole, unit = images.dtype.kind in "uib", high <= OVERSHOOT
    usable = 0 <= low and (unit or (whole or high > 2) and high <= WHITE)
    if not usable:  # also where a value is not finite
        raise UserError(
            f"received images with values from {low:.4g} to {high:.4g}; expected "
            "intensities from 0 (black) to 255 (white), or floats from 0 to 1"
        )
    if high == 0:
        raise UserError(
            "received images that are all black; expected white characters (were "
            "floats from 0 to 1 converted to integers?)"
        )
    scale = WHITE if unit else 1
    if mean * scale > WHITE / 2:
        raise UserError(
            f"the images look inverted, black on white (mean intensity "
            f"{mean * scale:.0f} of {WHITE}); expected white on black: invert them, "
            f"as {'1' if unit else '255'} - images"
        )
    if images.dtype == np.uint8 and not unit:
        return images
    if unit and (whole or high > 1):
        say(f"images have values from {low:.4g} to {high:.4g}: 1 is taken for white")
    pixels = scale * images.astype("float32")
    return np.round(np.minimum(pixels, WHITE)).astype("uint8")
