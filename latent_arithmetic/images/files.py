"""Write pictures to files: one sheet as .png, or the array as .npz."""

from math import ceil, sqrt
from pathlib import Path

import numpy as np
from PIL import Image

from latent_arithmetic.checkpoints import save_arrays, write_atomically
from latent_arithmetic.errors import UserError
from latent_arithmetic.images.data.datasets import read_any
from latent_arithmetic.images.trained import Trained, load_trained
from latent_arithmetic.progress import say

GAP = 2  # pixels between pictures on a sheet
SHEET_COLUMNS = 10
SHEET_PICTURES = 5 * SHEET_COLUMNS


def contact_sheet(pictures: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Pictures side by side: uint8 [n, side, side, 3] -> [height, width, 3],
    with white lines between them.

    columns: as many as make the sheet about square, unless told.
    """
    columns = columns or ceil(sqrt(len(pictures)))
    rows = ceil(len(pictures) / columns)
    missing = rows * columns - len(pictures)
    spacing = ((0, missing), (GAP, 0), (GAP, 0), (0, 0))
    cells = np.pad(pictures, spacing, constant_values=255)
    _, height, width, colours = cells.shape
    sheet = cells.reshape(rows, columns, height, width, colours).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, columns * width, colours)
    return np.pad(sheet, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


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


def show_trained(trained: Trained, path: Path) -> None:
    """Write a sheet of a model's pictures when it is trained, and say where."""
    pictures = trained.generate(SHEET_PICTURES, prior=trained.best_prior)
    save_pictures(pictures, path, SHEET_COLUMNS)
    say(f"novel pictures: {path}")


def reconstruct_to_file(
    model_folder: Path, data: str, count: int | None, path: Path
) -> None:
    """Write pictures as a CAE or VAE gives them back, in the data's order.

    .npz: `images`, uint8 [n, size, size, 3]. .png: a sheet in which every picture
    stands above its reconstruction. count: only so many pictures, spread over all.
    They may be among those that the model was trained on.

    Raises:
        UserError: the model cannot reconstruct, or there are no usable pictures.
    """
    trained = load_trained(model_folder)
    as_sheet = path.suffix == ".png"
    limit = count or (SHEET_PICTURES if as_sheet else None)
    originals, report = read_any(data, trained.size, limit)
    say(str(report))
    if not len(originals):
        raise UserError(f"there is no usable picture in {data}; see the list above")
    pictures = trained.reconstruct(originals)
    columns = None
    if as_sheet:
        columns = min(SHEET_COLUMNS, len(originals))
        whole_rows = len(originals) - len(originals) % columns
        pairs = np.stack([originals, pictures])[:, :whole_rows]
        pairs = pairs.reshape(2, -1, columns, *pictures.shape[1:]).swapaxes(0, 1)
        pictures = pairs.reshape(-1, *pictures.shape[1:])
    save_pictures(pictures, path, columns)
