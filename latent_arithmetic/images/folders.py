"""Read pictures of any kind from a folder, a zip or an array file.

Whatever cannot be read is skipped and listed with its reason; nothing is ever
extracted to disk, and no file is read beyond a fixed size.
"""

import io
import warnings
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from latent_arithmetic.errors import UserError
from latent_arithmetic.progress import progress_bar

MAX_BYTES = 64 * 2**20  # of one picture file; larger ones are skipped
MAX_PIXELS = 50_000_000  # of one picture; guards against decompression bombs
TOO_MANY_PIXELS = f"more than {MAX_PIXELS // 10**6} million pixels"
MAX_ARRAY_BYTES = 4 * 2**30  # of an array of pictures in an .npy or .npz file
SMALLEST_SIDE = 8  # pixels; smaller pictures say nothing
BACKGROUND = (255, 255, 255)  # behind transparent pictures
SHOWN_REASONS = 3  # examples listed for each reason


@dataclass
class LoadReport:
    """What became of the pictures: how many loaded, and why the others did not.

    skipped: (name, reason) of every picture that could not be used.
    duplicates: pictures dropped because they equal an earlier one.
    """

    origin: str
    loaded: int = 0
    duplicates: int = 0
    skipped: list[tuple[str, str]] = field(default_factory=list)

    def __str__(self) -> str:
        lines = [f"{self.origin}: {self.loaded} pictures loaded"]
        if self.duplicates:
            lines.append(f"  {self.duplicates} exact duplicates dropped")
        for reason, count in Counter(reason for _, reason in self.skipped).items():
            names = [name for name, why in self.skipped if why == reason]
            shown = ", ".join(names[:SHOWN_REASONS]) + (", …" * (count > SHOWN_REASONS))
            lines.append(f"  {count} skipped, {reason}: {shown}")
        return "\n".join(lines)


class SkippedPicture(Exception):
    """A picture that cannot be used; the message is the reason."""


def read_pictures(
    path: Path, size: int, limit: int | None = None
) -> tuple[np.ndarray, LoadReport]:
    """Pictures of a folder (with subfolders), .zip, .npy or .npz file.

    Pictures are cropped to the central square, resized to ``size`` and made RGB.
    Their order is that of their names. An .npz is searched for the array
    ``images``, else for its only array of pictures: [n, height, width] or
    [n, height, width, 1, 3 or 4]; bytes, 16 bits, or floats in [0, 1] or [-1, 1].

    Args:
        limit: read no more than this many, spread evenly over all of them.

    Returns:
        uint8 [n, size, size, 3], possibly n = 0, and the report.

    Raises:
        UserError: there is nothing at ``path``, or it is none of these kinds.
    """
    path = Path(path).expanduser()
    report = LoadReport(path.name)
    if path.is_dir():
        sources = _files_of_folder(path)
    elif path.suffix.lower() in (".npy", ".npz"):
        sources = _rows_of_array(path)
    elif zipfile.is_zipfile(path):
        sources = _members_of_zip(path)
    else:
        problem = "an unknown kind of file" if path.exists() else "not there"
        raise UserError(
            f"received {path}, which is {problem}; "
            "expected a folder or a .zip of pictures, or an .npy or .npz array"
        )
    if limit is not None and len(sources) > limit:
        kept = np.linspace(0, len(sources) - 1, limit).round().astype(int)
        sources = [sources[index] for index in kept]
    pictures = list(_decode_all(sources, size, report))
    report.loaded = len(pictures)
    if not pictures:
        return np.zeros((0, size, size, 3), np.uint8), report
    return np.stack(pictures), report


def _decode_all(sources: list, size: int, report: LoadReport) -> Iterator[np.ndarray]:
    with progress_bar(len(sources), "reading pictures", unit="picture") as bar:
        for name, open_picture in sources:
            bar.update()
            try:
                yield square(open_picture(), size)
            except SkippedPicture as reason:
                report.skipped.append((name, str(reason)))


def _files_of_folder(folder: Path) -> list:
    def opener(file: Path):
        def open_picture() -> Image.Image:
            try:
                with open(file, "rb") as stream:
                    return decode(stream.read(MAX_BYTES + 1))
            except OSError as error:
                raise SkippedPicture(f"unreadable ({error.strerror})") from None

        return open_picture

    files = (file for file in folder.rglob("*") if file.is_file())
    named = {file.relative_to(folder).as_posix(): file for file in files}
    return [
        (name, opener(file))
        for name, file in sorted(named.items())
        if not _is_hidden(name)
    ]


def _members_of_zip(path: Path) -> list:
    """Members are read in memory, so a name such as ../../x harms nobody."""
    archive = zipfile.ZipFile(path)  # stays open for as long as its openers live

    def opener(member: zipfile.ZipInfo):
        def open_picture() -> Image.Image:
            if member.flag_bits & 0x1:
                raise SkippedPicture("encrypted")
            try:
                with archive.open(member) as stream:
                    return decode(stream.read(MAX_BYTES + 1))
            except (OSError, zipfile.BadZipFile, zipfile.zlib.error, EOFError):
                raise SkippedPicture("damaged in the zip") from None
            except (NotImplementedError, RuntimeError):
                raise SkippedPicture("unknown zip compression") from None

        return open_picture

    members = sorted(archive.infolist(), key=lambda member: member.filename)
    return [
        (member.filename, opener(member))
        for member in members
        if not member.is_dir() and not _is_hidden(member.filename)
    ]


def _is_hidden(name: str) -> bool:
    """Files that systems leave behind, such as .DS_Store and __MACOSX/._1.png."""
    parts = [part for part in Path(name).parts if part not in (".", "..")]
    return any(part.startswith((".", "__MACOSX")) for part in parts)


def decode(content: bytes) -> Image.Image:
    """The first frame of an encoded picture, as RGB, upright.

    Raises:
        SkippedPicture: the content is no picture, damaged, too large or too small.
    """
    if not content:
        raise SkippedPicture("empty file")
    if len(content) > MAX_BYTES:
        raise SkippedPicture(f"larger than {MAX_BYTES // 2**20} MiB")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            picture = Image.open(io.BytesIO(content))
            if picture.width * picture.height > MAX_PIXELS:
                raise SkippedPicture(TOO_MANY_PIXELS)
            if min(picture.size) < SMALLEST_SIDE:
                raise SkippedPicture(f"smaller than {SMALLEST_SIDE} pixels")
            picture.load()
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
    lowest, highest = np.nanmin(values), np.nanmax(values)
    if values.dtype.kind == "f" and highest <= 1:
        return (-1.0, 1.0) if lowest < 0 else (0.0, 1.0)
    return (0.0, 255.0) if highest <= 255 else (0.0, 65535.0)


def to_bytes(values: np.ndarray, black: float, white: float) -> np.ndarray:
    """Any numbers to uint8, with ``black`` at 0 and ``white`` at 255."""
    if values.dtype == np.uint8:
        return values
    scaled = (values.astype(np.float64) - black) / (white - black)
    return np.clip(scaled * 255, 0, 255).round().astype(np.uint8)


def _rows_of_array(path: Path) -> list:
    rows = _picture_array(path)
    black, white = value_range(rows)

    def opener(index: int):
        def open_picture() -> Image.Image:
            values = rows[index]
            if not np.isfinite(values).all():
                raise SkippedPicture("holds values that are not finite")
            if min(values.shape[:2]) < SMALLEST_SIDE:
                raise SkippedPicture(f"smaller than {SMALLEST_SIDE} pixels")
            values = to_bytes(values, black, white)
            if values.shape[-1] == 1:
                values = values[..., 0]
            return to_rgb(Image.fromarray(values))

        return open_picture

    return [(f"row {index}", opener(index)) for index in range(len(rows))]


def _picture_array(path: Path) -> np.ndarray:
    """The array of pictures in an .npy or .npz file."""
    expected = "expected uint8 [n, height, width, 3] or the like, without pickle"
    try:
        content = np.load(path, allow_pickle=False)
        if isinstance(content, np.ndarray):
            arrays = {path.stem: content}
        else:
            with content:
                arrays = {name: content[name] for name in _bounded_names(path)}
    except FileNotFoundError:
        raise UserError(f"there is no file {path}; {expected}") from None
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(f"{path} could not be read ({error}); {expected}") from None
    candidates = {name: array for name, array in arrays.items() if _is_pictures(array)}
    if "images" in candidates:
        candidates = {"images": candidates["images"]}
    if len(candidates) != 1:
        shapes = {name: f"{a.dtype} {list(a.shape)}" for name, a in arrays.items()}
        raise UserError(f"{path} holds {shapes or 'no usable array'}; {expected}")
    return next(iter(candidates.values()))


def _bounded_names(path: Path) -> list[str]:
    """Names of the arrays that are not suspiciously large once unpacked."""
    with zipfile.ZipFile(path) as archive:
        return [
            member.filename.removesuffix(".npy")
            for member in archive.infolist()
            if member.file_size <= MAX_ARRAY_BYTES
        ]


def _is_pictures(array: np.ndarray) -> bool:
    shaped = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3, 4))
    return shaped and array.dtype.kind in "uif" and array.size > 0
