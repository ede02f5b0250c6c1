"""Pictures in an .npy or .npz file, read without pickle and to a bound.

An .npy is mapped, not loaded. Of an .npz the headers are read first: an array that
is larger than its file says, or than the bound, is never unpacked.
"""

import contextlib
import math
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from latent_arithmetic.errors import UserError, first_line
from latent_arithmetic.images.data.decoding import (
    SkippedPicture,
    expect_usable_size,
    to_bytes,
    to_rgb,
    value_range,
)

MAX_ARRAY_BYTES = 4 * 2**30  # of an array of pictures: of an .npz, or once read
ROW = "row "  # the picture in row 7 is called "row 7"
EXPECTED = "expected uint8 [n, height, width, 3] or the like, without pickle"


def picture_rows(path: Path) -> list[tuple[str, Callable[[], Image.Image]]]:
    """The name of every picture of an array file, and what opens it as RGB.

    Raises:
        UserError: the file cannot be read, or holds no or several such arrays.
    """
    rows = _find_pictures(path)
    black, white = value_range(rows)

    def opener(index: int):
        def open_picture() -> Image.Image:
            values = rows[index]
            expect_usable_size(values.shape[1], values.shape[0])
            if not np.isfinite(values).all():
                raise SkippedPicture("holds values that are not finite")
            values = to_bytes(values, black, white)
            if values.shape[-1] == 1:
                values = values[..., 0]
            return to_rgb(Image.fromarray(values))

        return open_picture

    return [(f"{ROW}{index}", opener(index)) for index in range(len(rows))]


def _find_pictures(path: Path) -> np.ndarray:
    """The array of pictures in an .npy or .npz file."""
    try:
        with open(path, "rb") as file:
            is_npy = file.read(6) == b"\x93NUMPY"
        if is_npy:
            arrays = {path.stem: np.load(path, mmap_mode="r", allow_pickle=False)}
        else:
            arrays = _headers(path)
        names = [name for name, array in arrays.items() if _is_pictures(array)]
        names = ["images"] if "images" in names else names
        if len(names) == 1:
            return arrays[names[0]] if is_npy else read_array(path, names[0])
    except Exception as error:  # damaged files raise almost anything
        reason = first_line(error)
        raise UserError(f"{path} could not be read ({reason}); {EXPECTED}") from None
    shapes = {name: f"{a.dtype} {list(a.shape)}" for name, a in arrays.items()}
    raise UserError(f"{path} holds {shapes or 'no usable array'}; {EXPECTED}")


def read_array(path: Path, name: str) -> np.ndarray | None:
    """One array of an .npz; None if there is no such one that can be read safely."""
    if name not in _headers(path):
        return None
    with np.load(path, allow_pickle=False) as content:
        return content[name]


def _headers(path: Path) -> dict[str, np.ndarray]:
    """Stand-ins of the arrays in an .npz: their shapes and types, without content."""
    headers = {}
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            with contextlib.suppress(Exception), archive.open(member) as stream:
                shape, dtype = _read_header(stream)
                size = math.prod(shape) * dtype.itemsize
                if size <= min(member.file_size, MAX_ARRAY_BYTES):
                    stand_in = np.broadcast_to(np.empty((), dtype), shape)
                    headers[member.filename.removesuffix(".npy")] = stand_in
    return headers


def _read_header(stream) -> tuple[tuple[int, ...], np.dtype]:
    if np.lib.format.read_magic(stream) == (1, 0):
        shape, _, dtype = np.lib.format.read_array_header_1_0(stream)
    else:
        shape, _, dtype = np.lib.format.read_array_header_2_0(stream)
    return shape, dtype


def _is_pictures(array: np.ndarray) -> bool:
    shaped = array.ndim == 3 or (array.ndim == 4 and array.shape[3] in (1, 3, 4))
    return shaped and array.dtype.kind in "uif" and array.size > 0
