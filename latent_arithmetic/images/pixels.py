"""One image of any kind: decoded, scaled to bytes, cropped to a square, resized."""

import contextlib
import io
import warnings
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from latent_arithmetic.io import UserError

MAX_PIXELS = 50_000_000  # of one image; guards against decompression bombs
NOT_FINITE = "holds values that are not finite"
TOO_MANY_PIXELS = f"more than {MAX_PIXELS // 10**6} million pixels"
MIN_SIDE = 8  # pixels; smaller images show nothing
BACKGROUND = (255, 255, 255)  # behind transparent images
# Pillow knows more, but some of these start other programs (EPS: Ghostscript) and
# some take almost any file for an image.
IMAGE_FORMATS = "PNG JPEG GIF BMP TIFF WEBP AVIF PPM JPEG2000 ICO".split()
Image.init()
FORMATS = [name for name in IMAGE_FORMATS if name in Image.OPEN]
PNG_START = b"\x89PNG\r\n\x1a\n"
PNG_REMARKS = (b"tEXt", b"zTXt", b"iTXt", b"iCCP")  # chunks that change no pixel
ARRAY_FILE = "an array file; give its own path as the data"
# What files that are no image begin with, and what to do about them.
OTHER_KINDS = (
    (b"version https://git-lfs", "a Git LFS pointer; fetch the file by git lfs pull"),
    (b"%PDF", "a PDF document, not an image"),
    (b"%!PS", "a PostScript drawing, not an image"),
    (b"8BPS", "a Photoshop file; save it as PNG or JPEG"),
    (b"PK\3\4", "a zip archive inside; unpack it"),
    (b"PK\5\6", "a zip archive inside; unpack it"),
    (b"\x93NUMPY", ARRAY_FILE),
)
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")

WHOLE_RANGES, FLOAT_RANGES = "0 to 255, 0 to 65535", "0 to 1, -1 to 1"
OVERSHOOT = 0.1  # of a range's width; so much beyond a usual range is clipped
DARKEST_BYTES = 63  # bytes that go no higher are hardly meant to be of 255
REMEDY = "--value-range {}, or load_images(DATA, value_range=({}))"


class SkippedImage(Exception):
    """An image that cannot be used; the message is the reason."""


@dataclass(frozen=True)
class ValueRange:
    """The values that mean black (`low`) and white (`high`)."""

    low: float
    high: float

    def __post_init__(self):
        if not (np.isfinite([self.low, self.high]).all() and self.low < self.high):
            raise UserError(
                f"received the value range {self.low:g} to {self.high:g}; expected two "
                "numbers, the lower first: the values that mean black and white"
            )

    def to_uint8(self, values: np.ndarray) -> np.ndarray:
        """Any numbers as bytes; values beyond the range are clipped."""
        if values.dtype == np.uint8 and (self.low, self.high) == (0, 255):
            return values
        scaled = (values.astype(np.float64) - self.low) / (self.high - self.low)
        return (np.clip(scaled, 0, 1) * 255).round().astype(np.uint8)


BYTES = ValueRange(0, 255)


def as_value_range(declared: tuple[float, float] | None) -> ValueRange | None:
    """What a user declared by `value_range=` or `--value-range`, checked.

    Raises:
        UserError: it is not two finite numbers, the lower first.
    """
    if declared is None:
        return None
    try:
        low, high = map(float, declared)
    except (TypeError, ValueError):
        raise UserError(
            f"received the value range {declared!r}; expected two numbers (LOW, HIGH)"
        ) from None
    return ValueRange(low, high)


def find_value_range(
    what: str, low: float, high: float, dtype: np.dtype, declared: ValueRange | None
) -> tuple[ValueRange, list[str]]:
    """The range by which values become bytes: declared, or one of the usual ones.

    A usual range is taken only if the values nearly fill it: numbers from 0 to 4095
    are not taken for 0 to 65535, of which they would be the darkest.

    Args:
        what: the name of the data, for the message.
        low, high: the lowest and the highest finite value of all images together.
        dtype: of the values.

    Returns:
        The range, and notes for the report.

    Raises:
        UserError: nothing is declared and no usual range fits.
    """
    found = declared or _usual_range(low, high, dtype)
    seen = f"{dtype} values from {low:.6g} to {high:.6g}"
    if found is None:
        black, white = min(low, 0), high
        if dtype.kind in "iu" and low >= 0 and high > 255:
            white = 2 ** int(high).bit_length() - 1
        example = f" (here perhaps {black:.6g} and {white:.6g})" if high > low else ""
        usual = f"{FLOAT_RANGES}, " * (dtype.kind == "f") + WHOLE_RANGES
        raise UserError(
            f"{what} has {seen}, which match none of the usual ranges ({usual}); "
            "say which values mean black and white: "
            f"{REMEDY.format('LOW HIGH', 'LOW, HIGH')}{example}"
        )
    if dtype == np.uint8 and found == BYTES:
        return found, []
    beyond = low < found.low or high > found.high
    clipped = "; values beyond are clipped" if beyond else ""
    scale = f"{found.low:.6g} is black, {found.high:.6g} is white"
    return found, [f"{seen}: {scale}{clipped}"]


def _usual_range(low: float, high: float, dtype: np.dtype) -> ValueRange | None:
    """The usual range that values nearly fill and hardly exceed, if there is one."""
    if dtype == np.bool_:
        return ValueRange(0, 1)
    candidates = []
    if dtype.kind == "f":
        candidates.append((ValueRange(0, 1), high > 0.25))
        candidates.append((ValueRange(-1, 1), low < -0.6 and high > 0.6))
    least = DARKEST_BYTES if dtype == np.uint8 else 127
    candidates.append((BYTES, high > least))
    candidates.append((ValueRange(0, 65535), high > 32767))
    for usual, filled in candidates:
        margin = OVERSHOOT * (usual.high - usual.low)
        if filled and usual.low - margin <= low and high <= usual.high + margin:
            return usual
    return None


def darkness_note(highest: int) -> list[str]:
    """A warning if the brightest value of 8-bit files suggests another range."""
    if highest > DARKEST_BYTES:
        return []
    remedy = REMEDY.format(f"0 {highest}", f"0, {highest}")
    meant = f"; if {highest} means white: {remedy}" if highest else ""
    return [f"nearly black: values from 0 to {highest} in a range of 0 to 255{meant}"]


def expect_usable_size(width: int, height: int) -> None:
    """Raise `SkippedImage` if an image is too small to show anything, or too large."""
    if width * height > MAX_PIXELS:
        raise SkippedImage(TOO_MANY_PIXELS)
    if min(width, height) < MIN_SIDE:
        raise SkippedImage(f"smaller than {MIN_SIDE} pixels")


def decode(content: bytes) -> Image.Image:
    """The first frame of an encoded image, upright.

    Returns:
        Mode "RGB" or "RGBA"; "I" or "F" (numbers of an unknown range) for gray images
        of 16 bits or floats.

    Raises:
        SkippedImage: the content is no image, damaged, too large or too small.
    """
    if not content:
        raise SkippedImage("empty file")
    if content.startswith(PNG_START):
        content = _without_remarks(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image = Image.open(io.BytesIO(content), formats=FORMATS)
            expect_usable_size(*image.size)
            image.load()
            with contextlib.suppress(Exception):  # damaged EXIF: as it lies
                ImageOps.exif_transpose(image, in_place=True)
            return image.convert(_common_mode(image))
    except Image.DecompressionBombError:
        raise SkippedImage(TOO_MANY_PIXELS) from None
    except UnidentifiedImageError:
        raise SkippedImage(_describe(content)) from None
    except SkippedImage:
        raise
    except Exception:  # decoders raise almost anything on damaged files
        raise SkippedImage("damaged") from None


def _common_mode(image: Image.Image) -> str:
    if image.mode.startswith(("I", "F")):
        return image.mode[0]
    return "RGBA" if image.has_transparency_data else "RGB"


def _without_remarks(content: bytes) -> bytes:
    """A PNG without its texts and color profile, whatever their length."""
    kept, start = [PNG_START], len(PNG_START)
    while start < len(content):
        length = int.from_bytes(content[start : start + 4], "big")
        end = start + 12 + length  # length, kind, content, checksum
        if content[start + 4 : start + 8] not in PNG_REMARKS:
            kept.append(content[start:end])
        start = end
    return b"".join(kept)


def _describe(content: bytes) -> str:
    """What a file is that is no image, and what to do about it."""
    if content.startswith(b"PK\3\4") and b".npy" in content[:200]:
        return ARRAY_FILE
    for start, kind in OTHER_KINDS:
        if content.startswith(start):
            return kind
    if content[4:8] == b"ftyp":
        if content[8:12] in HEIF_BRANDS:
            return "an HEIC or HEIF photograph; save it as JPEG"
        return "a film, or an image of an unknown kind; save it as JPEG"
    start = content[:1000].lower()
    if b"<svg" in start:
        return "an SVG drawing; save it as PNG"
    if b"<html" in start or b"<!doctype html" in start:
        return "a web page (HTML), not an image; download it again"
    try:
        is_text = content.decode("utf-8-sig").strip().replace("\n", "").isprintable()
    except UnicodeDecodeError:
        is_text = False
    return "text, not an image" if is_text else "not an image, or of an unknown kind"


def to_rgb(image: Image.Image, value_range: ValueRange = BYTES) -> Image.Image:
    """RGB or RGBA bytes as RGB: scaled, transparency laid on `BACKGROUND`."""
    if value_range != BYTES:
        table = value_range.to_uint8(np.arange(256)).tolist() * 3
        alpha = list(range(256)) if image.mode == "RGBA" else []
        image = image.point(table + alpha)
    if image.mode != "RGBA":
        return image
    ground = Image.new("RGBA", image.size, (*BACKGROUND, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


def center_crop_resize(image: Image.Image, size: int) -> np.ndarray:
    """The central square of an image at `size`: [size, size, 3], or [size, size].

    Whole-number enlargements keep the pixels crisp; everything else averages areas
    or interpolates.
    """
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    box = (left, top, left + side, top + side)
    if size % side == 0:
        resampling = Image.Resampling.NEAREST
    elif size < side:
        resampling = Image.Resampling.BOX
    else:
        resampling = Image.Resampling.BICUBIC
    return np.asarray(image.crop(box).resize((size, size), resampling))
