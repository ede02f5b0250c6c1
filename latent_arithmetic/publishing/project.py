"""Where the parts of the project's own folder lie."""

from pathlib import Path

import nbformat

from latent_arithmetic.errors import UserError
from latent_arithmetic.workspace import project_folder

NOTEBOOKS = ("generative_models", "sequence_arithmetic")


def project_part(*parts: str) -> Path:
    """A file or folder of the project.

    Raises:
        UserError: the current folder is not inside a clone of the project.
    """
    path = project_folder().joinpath(*parts)
    if not path.exists():
        raise UserError(
            f"{path} not found; run this command inside a clone of the project"
        )
    return path


def read_notebook(name: str) -> nbformat.NotebookNode:
    """A source notebook of the project, by its name without suffix."""
    path = project_part("notebooks", f"{name}.ipynb")
    return nbformat.read(path, as_version=4)


def write_text(path: Path, text: str) -> Path:
    """Write a text file, its folder included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def write_notebook(path: Path, notebook: nbformat.NotebookNode) -> Path:
    """Write a valid notebook, its folder included."""
    nbformat.validate(notebook)
    return write_text(path, nbformat.writes(notebook) + "\n")
