"""Images in an .npy or .npz file, read without pickle and to a bound.

An .npy is mapped, not loaded. Of an .npz the headers are read first: an array that
is larger than its file says, or than the bound, is never unpacked.
"""

import contextlib
import math
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from latent_arithmetic.images.labels import Labels, class_labels, no_labels, printable
from latent_arithmetic.images.pixels import (
    NOT_FINITE,
    SkippedImage,
    ValueRange,
    expect_usable_size,
    find_value_range,
    to_rgb,
)
from latent_arithmetic.io import UserError, first_line

MAX_ARRAY_BYTES = 4 * 2**30  # of all images: in an .npz, or once read
ROW = "row "  # the image in row 7 is called "row 7"
CHANNELS = (1, 3, 4)  # gray, RGB, RGBA
EXPECTED = "expected uint8 [n, height, width, 3] or the like, without pickle"
ROWS_AT_ONCE = 256
LABELS_OF = (  # in the name of an array: of images, of their labels
    ("images", "labels"),
    ("images", "target"),
    ("x_", "y_"),
    ("data", "labels"),
    ("data", "target"),
)


class ArraySource:
    """The images of an array file: `names` and `notes`, and each image on demand.

    Raises:
        UserError: the file cannot be read, holds no images, several kinds of images,
            or values of an unusual range.
    """

    def __init__(self, path: Path, value_range: ValueRange | None):
        self.notes: list[str] = []
        try:
            with _open_arrays(path) as arrays:
                chosen = _choose_images(path, arrays.headers)
                parts = {name: arrays.read(name) for name in chosen}
                self._labels, notes = _read_labels(arrays, parts)
        except UserError:
            raise
        except Exception as error:  # damaged files raise almost anything
            reason = first_line(error)
            raise UserError(
                f"{path} could not be read ({reason}); {EXPECTED}"
            ) from None
        if len(parts) > 1:
            self.notes.append(f"{_list(parts)} read together")
        shape = list(next(iter(parts.values())).shape)
        if len(shape) == 4 and shape[3] not in CHANNELS:
            parts = {name: np.moveaxis(part, 1, 3) for name, part in parts.items()}
            self.notes.append(f"{shape} is read as [n, channels, height, width]")
        self.names = [
            f"{name} {ROW}{row}" if len(parts) > 1 else f"{ROW}{row}"
            for name, part in parts.items()
            for row in range(len(part))
        ]
        self._rows = [row for part in parts.values() for row in np.asarray(part)]
        self._find_range(path, list(parts.values()), value_range)
        self.notes += notes

    def _find_range(self, path, parts, declared: ValueRange | None) -> None:
        """Find which rows are finite, and the range of values of all of these."""
        extrema = np.concatenate([_row_extrema(part) for part in parts])
        self._finite = np.isfinite(extrema).all(axis=1)
        usable = extrema[self._finite]
        if len(usable):
            low, high = float(usable[:, 0].min()), float(usable[:, 1].max())
            self._range, notes = find_value_range(
                printable(path.name), low, high, parts[0].dtype, declared
            )
            self.notes += notes

    def read(self, index: int) -> Image.Image:
        """One image as RGB.

        Raises:
            SkippedImage: its size or its values cannot be used.
        """
        values = self._rows[index]
        expect_usable_size(values.shape[1], values.shape[0])
        if not self._finite[index]:
            raise SkippedImage(NOT_FINITE)
        values = self._range.to_uint8(values)
        if values.shape[-1] == 1:
            values = values[..., 0]
        image = Image.fromarray(values)
        return to_rgb(image if image.mode == "RGBA" else image.convert("RGB"))

    def labels(self, indices: Sequence[int]) -> Labels:
        """The labels of some of the images."""
        return Labels(self._labels.names, self._labels.values[indices])


def _list(names: Iterable[str]) -> str:
    return ", ".join(map(printable, names))


def _row_extrema(images: np.ndarray) -> np.ndarray:
    """The lowest and the highest value of every image, [n, 2]; NaN where one is."""
    axes = tuple(range(1, images.ndim))
    extrema = np.empty((len(images), 2))
    for start in range(0, len(images), ROWS_AT_ONCE):
        block = images[start : start + ROWS_AT_ONCE]
        extrema[start : start + len(block), 0] = block.min(axis=axes)
        extrema[start : start + len(block), 1] = block.max(axis=axes)
    return extrema


class _Npy:
    """The one array of an .npy file, mapped."""

    def __init__(self, path: Path):
        self.path = path
        with open(path, "rb") as file:
            self.headers = {path.stem: _read_header(file)}

    def read(self, name: str) -> np.ndarray:
        return np.load(self.path, mmap_mode="r", allow_pickle=False)


class _Npz:
    """The arrays of an .npz file that can be read safely."""

    def __init__(self, archive: zipfile.ZipFile):
        self.archive, self.headers, self.members = archive, {}, {}
        for member in archive.infolist():
            with contextlib.suppress(Exception), archive.open(member) as stream:
                shape, dtype = _read_header(stream)
                size = math.prod(shape) * dtype.itemsize
                if dtype.hasobject or size <= min(member.file_size, MAX_ARRAY_BYTES):
                    name = member.filename.removesuffix(".npy")
                    self.headers[name], self.members[name] = (shape, dtype), member

    def read(self, name: str) -> np.ndarray:
        with self.archive.open(self.members[name]) as stream:
            return np.lib.format.read_array(stream, allow_pickle=False)


@contextlib.contextmanager
def _open_arrays(path: Path):
    """The arrays of a file: `headers` (shape and type by name) and `read(name)`."""
    with open(path, "rb") as file:
        is_npy = file.read(6) == b"\x93NUMPY"
    if is_npy:
        yield _Npy(path)
        return
    with zipfile.ZipFile(path) as archive:
        yield _Npz(archive)


def _read_header(stream) -> tuple[tuple[int, ...], np.dtype]:
    if np.lib.format.read_magic(stream) == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    return shape, dtype


def _choose_images(path: Path, headers: dict) -> list[str]:
    """The names of the arrays that hold the images: `images`, or all of one kind."""
    names = [name for name, header in headers.items() if _holds_images(*header)]
    if "images" in names:
        return ["images"]
    kinds = {(headers[name][0][1:], headers[name][1]) for name in names}
    size = sum(
        math.prod(headers[name][0]) * headers[name][1].itemsize for name in names
    )
    if len(kinds) == 1 and (size <= MAX_ARRAY_BYTES or len(names) == 1):
        return names
    shown = {printable(name): f"{h[1]} {list(h[0])}" for name, h in headers.items()}
    what = f"{path} holds {shown or 'no usable array'}"
    if names:
        raise UserError(
            f"{what}: several arrays of images, which cannot be read together; name "
            "the one that is meant `images`: np.savez(FILE, images=ARRAY)"
        )
    raise UserError(f"{what}; {_advice(list(headers.values()))}")


def _holds_images(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    if dtype.kind not in "buif" or not math.prod(shape):
        return False
    if len(shape) == 3:
        return shape[2] > max(CHANNELS)
    return len(shape) == 4 and (shape[3] in CHANNELS or shape[1] in CHANNELS)


def _advice(headers: list[tuple[tuple[int, ...], np.dtype]]) -> str:
    """What to do about a file without an array of images."""
    if any(dtype.hasobject for _, dtype in headers):
        return (
            "Python objects (pickle) are never loaded; save images of one size as one "
            "array (np.stack), or images of many sizes as files in a folder or zip"
        )
    shape = max((shape for shape, _ in headers), key=math.prod, default=())
    if len(shape) == 2:
        side, channels = math.isqrt(shape[1]), ""
        if shape[1] % 3 == 0 and math.isqrt(shape[1] // 3) ** 2 * 3 == shape[1]:
            side, channels = math.isqrt(shape[1] // 3), "3, "
        fits = side**2 * (3 if channels else 1) == shape[1]
        sides = f"{channels}{side}, {side}" if fits else "HEIGHT, WIDTH"
        return (
            "this is one image, or a flat row for each image; of rows make images: "
            f"array.reshape(-1, {sides}); {EXPECTED}"
        )
    if len(shape) == 3:
        return f"this is one image, where many are needed; {EXPECTED}"
    if len(shape) == 4:
        return (
            "channels (1 gray, 3 RGB or 4 RGBA) go last, if need be by "
            f"np.moveaxis(array, 1, -1); {EXPECTED}"
        )
    return EXPECTED


def _read_labels(arrays, parts: dict[str, np.ndarray]) -> tuple[Labels, list[str]]:
    """The labels beside the images: `attributes` bool [n, k] with `attribute_names`,
    or one class for each, as in `labels` or `y_train`."""
    count = sum(map(len, parts.values()))
    known = [name for name, (_, dtype) in arrays.headers.items() if not dtype.hasobject]
    if {"attributes", "attribute_names"} <= set(known):
        values, names = map(arrays.read, ("attributes", "attribute_names"))
        usable = names.ndim == 1 and values.dtype.kind in "buif"
        if usable and values.shape == (count, len(names)):
            names = tuple(printable(str(name)) for name in names)
            return Labels(names, values > 0), ["labels from attributes"]
        shapes = f"{list(values.shape)} and {list(names.shape)}"
        note = f"attributes and attribute_names have the shapes {shapes}; expected "
        return no_labels(count), [f"{note}[{count}, k] and [k]; no labels from them"]
    found = [_labels_name(name, len(part), arrays) for name, part in parts.items()]
    if None not in found:
        words = np.concatenate([arrays.read(name).reshape(-1) for name in found])
        return class_labels([str(word) for word in words], _list(found))
    others = [name for name in arrays.headers if name not in parts]
    expected = "`labels` [n], or `attributes` bool [n, k] and `attribute_names`"
    note = f"no labels from {_list(others)}; expected {expected}"
    return no_labels(count), [note] if others else []


def _labels_name(images: str, count: int, arrays) -> str | None:
    """The name of the array with a class for each of some images."""
    for old, new in LABELS_OF:
        name = images.replace(old, new)
        shape, dtype = arrays.headers.get(name, ((), np.dtype(float)))
        if name != images and shape in ((count,), (count, 1)) and dtype.kind in "iubSU":
            return name
    return None
