"""Write pictures to files: one sheet as .png, or the array as .npz."""

from math import ceil, sqrt
from pathlib import Path

import numpy as np
from PIL import Image

from latent_arithmetic.checkpoints import save_arrays, write_atomically
from latent_arithmetic.errors import UserError
from latent_arithmetic.images.datasets import read_any
from latent_arithmetic.images.tasks import load_trained
from latent_arithmetic.progress import say

SHEET_COLUMNS = 10
SHEET_PICTURES = 5 * SHEET_COLUMNS


def contact_sheet(pictures: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Pictures side by side: uint8 [n, side, side, 3] -> [height, width, 3].

    columns: as many as make the sheet about square, unless told.
    """
    columns = columns or ceil(sqrt(len(pictures)))
    rows = ceil(len(pictures) / columns)
    _, height, width, colours = pictures.shape
    sheet = np.full((rows * columns, height, width, colours), 255, np.uint8)
    sheet[: len(pictures)] = pictures
    sheet = sheet.reshape(rows, columns, height, width, colours).swapaxes(1, 2)
    return sheet.reshape(rows * height, columns * width, colours)


def save_pictures(
    pictures: np.ndarray, path: Path | str, columns: int | None = None
) -> None:
    """Write a contact sheet (.png), or the array `images` uint8 (.npz).

    Raises:
        UserError: another ending, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix == ".npz":
        save_arrays(path, {"images": pictures})
    elif path.suffix == ".png":
        sheet = Image.fromarray(contact_sheet(pictures, columns))
        write_atomically(path, lambda file: sheet.save(file, format="PNG"))
    else:
        raise UserError(f"received the file name {path}; expected one in .png or .npz")


def reconstruct_to_file(
    model: Path | str, data: str | Path, count: int | None, path: Path | str
) -> None:
    """Pictures through a trained CAE or VAE, in their order.

    .npz: the array `images`, uint8 [n, size, size, 3]. .png: rows of originals, each
    with its reconstructions below; as many as fit on a sheet unless `count` says.

    Raises:
        UserError: the model is a GAN, or there is no usable picture.
    """
    path = Path(path)
    trained = load_trained(model)
    trained.expect_encoder()
    on_sheet = path.suffix != ".npz"
    limit = count or (SHEET_PICTURES if on_sheet else None)
    originals, report = read_any(data, trained.size, limit)
    say(str(report))
    if not len(originals):
        raise UserError(f"there is no usable picture in {data}; see the reasons above")
    again = trained.reconstruct(originals)
    if not on_sheet:
        save_pictures(again, path)
        return
    pairs = [
        images[start : start + SHEET_COLUMNS]
        for start in range(0, len(originals), SHEET_COLUMNS)
        for images in (originals, again)
    ]
    sheet_columns = min(SHEET_COLUMNS, len(originals))
    pairs = [_filled(row, sheet_columns) for row in pairs]
    save_pictures(np.concatenate(pairs), path, sheet_columns)


def _filled(row: np.ndarray, columns: int) -> np.ndarray:
    """A row of pictures, filled up with white ones."""
    missing = columns - len(row)
    return np.pad(row, ((0, missing), (0, 0), (0, 0), (0, 0)), constant_values=255)
