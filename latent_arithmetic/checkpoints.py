"""Weights as plain arrays: written atomically, read without pickle, checked."""

import contextlib
import os
import zipfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.errors import UserError

SHOWN_DIFFERENCES = 5


def write_atomically(path: Path, write) -> None:
    """Call `write(binary_file)` so that `path` is either whole or untouched."""
    unfinished = path.with_name(f"{path.name}.{os.getpid()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(unfinished, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        raise UserError(
            f"could not write {path}: {error.strerror}; what was there before is "
            "untouched; free some space or choose another folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


def save_arrays(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write named arrays to one .npz file, atomically."""
    write_atomically(path, lambda file: np.savez(file, **arrays))


def read_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file; pickled objects are refused.

    Raises:
        UserError: there is no such file, or it is not a plain .npz of numbers.
    """
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise UserError(f"no file {path}; was the model trained?") from None
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise UserError(
            f"{path} is not a whole .npz file of plain arrays ({error}); "
            "train the model again or restore the file"
        ) from None


def variable_arrays(variables: Sequence) -> dict[str, np.ndarray]:
    """The values of Keras variables, keyed by position."""
    return {
        f"{index:04d}": keras.ops.convert_to_numpy(variable.value)
        for index, variable in enumerate(variables)
    }


def assign_variables(
    variables: Sequence, arrays: dict[str, np.ndarray], origin: Path
) -> None:
    """Put `arrays`, as `variable_arrays` made them, into `variables`.

    Raises:
        UserError: the numbers or shapes differ; the first differences are listed.
    """
    saved = [arrays[key] for key in sorted(arrays)]
    differences = [
        f"{variable.path}: file has {value.shape}, model has {tuple(variable.shape)}"
        for variable, value in zip(variables, saved, strict=False)
        if tuple(variable.shape) != value.shape
    ]
    if len(saved) != len(variables):
        differences.insert(
            0, f"file has {len(saved)} arrays, model has {len(variables)}"
        )
    if differences:
        shown = "; ".join(differences[:SHOWN_DIFFERENCES])
        raise UserError(
            f"{origin} belongs to another architecture ({shown}); "
            "load it with the settings it was trained with"
        )
    for variable, value in zip(variables, saved, strict=True):
        variable.assign(value)


def save_variables(variables: Sequence, path: Path) -> None:
    """Write the values of `variables` (such as `model.variables`) to `path`."""
    save_arrays(path, variable_arrays(variables))


def load_variables(variables: Sequence, path: Path) -> None:
    """Read values written by `save_variables` into variables of the same shapes."""
    assign_variables(variables, read_arrays(path), path)
