"""Write pictures to files: one sheet as .png, or the array as .npz."""

from math import ceil, sqrt
from pathlib import Path

import numpy as np
from PIL import Image

from latent_arithmetic.checkpoints import save_arrays, write_atomically
from latent_arithmetic.errors import UserError
from latent_arithmetic.images.datasets import load_pictures
from latent_arithmetic.images.tasks import load_trained


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
    model: Path | str, data: str | Path, count: int, path: Path | str
) -> None:
    """Held-out pictures through a trained CAE or VAE.

    .png: originals in the first row, reconstructions below. .npz: the arrays
    `images` (reconstructions) and `originals`, uint8 [n, size, size, 3].
    """
    path = Path(path)
    trained = load_trained(model)
    originals = load_pictures(data, trained.size).test[:count]
    reconstructions = trained.reconstruct(originals)
    if path.suffix == ".npz":
        save_arrays(path, {"images": reconstructions, "originals": originals})
    else:
        both = np.concatenate([originals, reconstructions])
        save_pictures(both, path, columns=len(originals))
