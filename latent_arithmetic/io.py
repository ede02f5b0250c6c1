"""Files: errors a user can act on, atomic writes, the data sets that ship."""

import contextlib
import glob
import hashlib
import json
import os
import platform
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

DATA_VARIABLE = "LATENT_ARITHMETIC_DATA"  # searched before <project>/data
# Unfinished files name the process that writes them, and its host.
PROCESS = f"{platform.node()}-"
MNIST, CRYPTOPUNKS = "mnist.npz", "cryptopunks.npz"
DIGIT_CLASSIFIER = "digit-classifier.npz"
# SHA-256 over the bytes of the arrays, in the order of their names: the same
# however the file was compressed.
CONTENT_CHECKSUMS = {
    MNIST: "c868f4cc70f1ec2961bd3b26437ea3a5d0e93cba4d95b336c6d475dd9dabb021",
    CRYPTOPUNKS: "62738e3b3147a1b6812d1ac5ea0770859d46134c779e4ce7299d86c3b69e6e3f",
    DIGIT_CLASSIFIER: (
        "7f0f843769b280ebf8371615e9d02b3c4230253c867707736099aab031d08707"
    ),
}


class UserError(Exception):
    """A mistake the user can correct; shown as one line, without a traceback.

    Attributes:
        status: exit status of the command.
    """

    status = 2


class TrainingDiverged(UserError):
    """A loss is no longer finite; the last good checkpoint is kept."""


def first_line(error: Exception) -> str:
    """The type and message of an error, cut to one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0].rstrip(": ")


def expect_one_of(what: str, received: str, known: Iterable[str]) -> None:
    """Raise a `UserError` that lists the known names if `received` is none of them."""
    names = list(known)
    if received not in names:
        raise UserError(
            f"unknown {what} {received!r}; expected one of {', '.join(names)}"
        )


def project_folder() -> Path:
    """The nearest folder, from the current one upward, that holds the project.

    A notebook in `notebooks/`, a script in `exported_py/` and a command in the
    project's folder all find the same one; elsewhere it is the current folder.
    """
    here = Path.cwd()
    folders = (here, *here.parents)
    return next((f for f in folders if (f / "latent_arithmetic").is_dir()), here)


def in_project() -> bool:
    """Whether the current folder is the project's, or below it."""
    return (project_folder() / "latent_arithmetic").is_dir()


def make_folder(folder: Path) -> Path:
    """Make a folder, unless it is there.

    Raises:
        UserError: it cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot make the folder {folder}: {error.strerror}; choose another one"
        ) from None
    return folder


def write_atomically(path: Path, write: Callable) -> None:
    """Call `write(binary_file)` so that `path` ends up complete or unchanged.

    Raises:
        UserError: the file could not be written (full disk, read-only folder).
    """
    unfinished = path.with_name(f"{path.name}.{PROCESS}{os.getpid()}.unfinished")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_abandoned(path)
        with open(unfinished, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        raise UserError(
            f"could not write {path}: {error.strerror}; what was there before is "
            "unchanged; free some space or choose another folder"
        ) from error
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


@contextlib.contextmanager
def locked(path: Path, wait: bool = False) -> Iterator[bool]:
    """Hold a lock file; the system releases it when this process ends, however it does.

    Args:
        wait: until it is free; else yield False at once if another process has it.

    Raises:
        UserError: the lock file cannot be written.
    """
    lock = FileLock(path, timeout=-1 if wait else 0)
    try:
        lock.acquire()
    except Timeout:
        yield False
        return
    except OSError as error:
        raise UserError(
            f"cannot write {path}: {error.strerror}; choose another folder"
        ) from None
    try:
        yield True
    finally:
        lock.release()


def remove_abandoned(path: Path) -> None:
    """Remove what killed processes left of the same file (where signals can tell)."""
    start = f"{path.name}.{PROCESS}"
    for left in path.parent.glob(f"{glob.escape(start)}*.unfinished*"):
        process = left.name.removeprefix(start).partition(".")[0]
        if os.name != "posix" or not process.isdecimal():
            continue
        try:
            os.kill(int(process), 0)  # asks only whether it runs
        except ProcessLookupError:
            left.unlink(missing_ok=True)
        except OSError:
            continue


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
    except Exception as error:  # damaged zip files raise almost anything
        raise UserError(
            f"{path} is not a complete .npz file of plain arrays "
            f"({first_line(error)}); train the model again or restore the file"
        ) from None


def plain(value):
    """`value` with NumPy numbers, arrays, tuples and paths made JSON's own types."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, np.generic):
        return value.item()
    return str(value) if isinstance(value, Path) else value


def write_json(path: Path, content: dict) -> None:
    """Write `content` atomically, in a stable, readable form."""
    text = json.dumps(plain(content), indent=1, ensure_ascii=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def read_json(path: Path) -> dict:
    """Read what `write_json` wrote.

    Raises:
        UserError: the file is missing, or is no JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"{path} cannot be read ({first_line(error)}); restore it or make it anew"
        ) from None
    if not isinstance(content, dict):
        raise UserError(f"{path} holds a {type(content).__name__}; expected an object")
    return content


def data_folders() -> list[Path]:
    """The folders in which data files are searched, in order."""
    package_parent = Path(__file__).resolve().parent.parent
    named = os.environ.get(DATA_VARIABLE)
    folders = [Path(named)] if named else []
    folders += [project_folder() / "data", Path("data"), package_parent / "data"]
    return list(dict.fromkeys(folder.resolve() for folder in folders))


def find_data(file_name: str) -> Path:
    """The path of a data file.

    Raises:
        UserError: it is in none of `data_folders()`.
    """
    for folder in data_folders():
        if (folder / file_name).is_file():
            return folder / file_name
    searched = ", ".join(map(str, data_folders()))
    raise UserError(
        f"data file {file_name} not found (searched: {searched}); take it from the "
        f"project's data/ folder, or set {DATA_VARIABLE} to the folder that holds it"
    )


def content_checksum(arrays: dict[str, np.ndarray]) -> str:
    """SHA-256 over the arrays' bytes, in the order of their names."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(np.ascontiguousarray(arrays[name]).tobytes())
    return digest.hexdigest()


def _download_mnist() -> dict[str, np.ndarray]:
    """MNIST by Keras's own download, for a place without the project's data/."""
    import keras

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:
        raise UserError(
            f"{MNIST} is in none of {', '.join(map(str, data_folders()))}, and Keras "
            f"could not download it ({first_line(error)}); put the file in one of "
            "these folders"
        ) from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def read_data(file_name: str) -> dict[str, np.ndarray]:
    """The arrays of a data set that ships with the project, checked.

    MNIST is downloaded by Keras where no folder holds it.

    Raises:
        UserError: the file is missing, cut off, or not what was published.
    """
    try:
        path = find_data(file_name)
    except UserError:
        if file_name != MNIST:
            raise
        return _download_mnist()  # Keras checks what it downloads
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, zipfile.BadZipFile, zipfile.zlib.error):
        arrays = {}
    found, expected = content_checksum(arrays), CONTENT_CHECKSUMS[file_name]
    if found != expected:
        raise UserError(
            f"{path} is damaged or another file: its content has the checksum "
            f"{found[:12]}…, expected {expected[:12]}…; restore it with "
            f"`git checkout data/{file_name}` or copy it again from the project"
        )
    return arrays
