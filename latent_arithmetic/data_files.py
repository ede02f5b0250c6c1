"""The data sets that ship with the project: found, checked, read."""

import hashlib
import os
import zipfile
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.errors import UserError
from latent_arithmetic.workspace import project_folder

DATA_VARIABLE = "LATENT_ARITHMETIC_DATA"  # searched before <project>/data
MNIST, CRYPTOPUNKS = "mnist.npz", "cryptopunks.npz"
# SHA-256 over the bytes of the arrays, in the order of their names: the same
# however the file was packed.
CONTENT_CHECKSUMS = {
    MNIST: "c868f4cc70f1ec2961bd3b26437ea3a5d0e93cba4d95b336c6d475dd9dabb021",
    CRYPTOPUNKS: "62738e3b3147a1b6812d1ac5ea0770859d46134c779e4ce7299d86c3b69e6e3f",
}


def data_folders() -> list[Path]:
    """Where data files are looked for, in order."""
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
    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.mnist.load_data()
    except Exception as error:
        raise UserError(
            f"{MNIST} is in none of {', '.join(map(str, data_folders()))}, and Keras "
            f"could not download it ({error}); put the file in one of these folders"
        ) from error
    return {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}


def read_data(file_name: str) -> dict[str, np.ndarray]:
    """The arrays of a data set that ships with the project, checked.

    MNIST is fetched by Keras where no folder holds it.

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
