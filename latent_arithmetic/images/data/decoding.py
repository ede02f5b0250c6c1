"""One picture of any kind: from bytes or numbers to a square of RGB."""

import contextlib
import io
import warnings

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

MAX_PIXELS = 50_000_000  # of one picture; guards against decompression bombs
TOO_MANY_PIXELS = f"more than {MAX_PIXELS // 10**6} million pixels"
SMALLEST_SIDE = 8  # pixels; smaller pictures say nothing
BACKGROUND = (255, 255, 255)  # behind transparent pictures
# Pillow knows more, but some of these start other programs (EPS: Ghostscript) and
# some take almost any file for a picture.
PICTURE_FORMATS = "PNG JPEG GIF BMP TIFF WEBP AVIF PPM JPEG2000 ICO".split()
Image.init()
FORMATS = [name for name in PICTURE_FORMATS if name in Image.OPEN]


class SkippedPicture(Exception):
    """A picture that cannot be used; the message is the reason."""


def expect_usable_size(width: int, height: int) -> None:
    """Refuse pictures too small to say anything or too large to be decoded.

    Raises:
        SkippedPicture: says which.
    """
    if width * height > MAX_PIXELS:
        raise SkippedPicture(TOO_MANY_PIXELS)
    if min(width, height) < SMALLEST_SIDE:
        raise SkippedPicture(f"smaller than {SMALLEST_SIDE} pixels")


def decode(content: bytes) -> Image.Image:
    """The first frame of an encoded picture, as RGB, upright.

    Raises:
        SkippedPicture: the content is no picture, damaged, too large or too small.
    """
    if not content:
        raise SkippedPicture("empty file")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
            expect_usable_size(*picture.size)
            picture.load()
            with contextlib.suppress(Exception):  # damaged EXIF: as it lies
                ImageOps.exif_transpose(picture, in_place=True)
            return to_rgb(picture)
    except Image.DecompressionBombError:
        raise SkippedPicture(TOO_MANY_PIXELS) from None
    except UnidentifiedImageError:
        raise SkippedPicture("not a picture") from None
    except SkippedPicture:
        raise
    except Exception:  # decoders raise almost anything on damaged files
        raise SkippedPicture("damaged") from None


def to_rgb(picture: Image.Image) -> Image.Image:
    """Any mode to RGB: 16 bits are scaled, transparency lies on ``BACKGROUND``."""
    if picture.mode.startswith(("I", "F")):
        values = np.asarray(picture)
        return Image.fromarray(to_bytes(values, *value_range(values))).convert("RGB")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        ground = Image.new("RGBA", picture.size, (*BACKGROUND, 255))
        return Image.alpha_composite(ground, picture).convert("RGB")
    return picture.convert("RGB")


def square(picture: Image.Image, size: int) -> np.ndarray:
    """The central square of an RGB picture at ``size``: uint8 [size, size, 3].

    Whole-number enlargements keep the pixels crisp; everything else averages areas
    or interpolates.
    """
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    box = (left, top, left + side, top + side)
    if size % side == 0:
        resampling = Image.Resampling.NEAREST
    elif size < side:
        resampling = Image.Resampling.BOX
    else:
        resampling = Image.Resampling.BICUBIC
    return np.asarray(picture.crop(box).resize((size, size), resampling))


def value_range(values: np.ndarray) -> tuple[float, float]:
    """The values that stand for black and white: one of the usual conventions."""
    if values.dtype == np.uint8:
        return 0.0, 255.0
    # fmin and fmax skip what is no number and, unlike nanmin, copy nothing.
    lowest = np.fmin.reduce(values, axis=None)
    highest = np.fmax.reduce(values, axis=None)
    if values.dtype.kind == "f" and highest <= 1:
        return (-1.0, 1.0) if lowest < 0 else (0.0, 1.0)
    return (0.0, 255.0) if highest <= 255 else (0.0, 65535.0)


def to_bytes(values: np.ndarray, black: float, white: float) -> np.ndarray:
    """Any numbers to uint8, with ``black`` at 0 and ``white`` at 255."""
    if values.dtype == np.uint8:
        return values
    scaled = (values.astype(np.float64) - black) / (white - black)
    return (np.clip(scaled, 0, 1) * 255).round().astype(np.uint8)
