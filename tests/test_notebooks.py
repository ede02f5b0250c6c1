"""Both notebooks, their twins and self-contained editions run at smoke size."""

import subprocess
import sys

import nbformat
import pytest

from latent_arithmetic.data_files import MNIST, find_data
from latent_arithmetic.publishing.execution import execute_notebook
from latent_arithmetic.publishing.project import NOTEBOOKS, read_notebook
from latent_arithmetic.workspace import (
    BUILD_VARIABLE,
    open_workspace,
    project_folder,
)

PROJECT = project_folder()
WHERE = "import latent_arithmetic; print('package:', latent_arithmetic.__file__)"


def outputs_of(path):
    notebook = nbformat.read(path, as_version=4)
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """One scratch build that the notebooks fill and the twins find."""
    folder = tmp_path_factory.mktemp("build")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BUILD_VARIABLE, str(folder))
        yield open_workspace("smoke")


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_notebook_runs(name, build):
    path = execute_notebook(read_notebook(name), name, build, PROJECT / "notebooks")
    assert any("image/png" in output.get("data", {}) for output in outputs_of(path))
    assert list(build.figures.glob("*.pdf")) and list(build.results.iterdir())


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_twin_runs_as_a_plain_script_and_trains_nothing_again(name, build):
    trained = {path: path.stat().st_mtime_ns for path in build.models.rglob("*.npz")}
    assert trained
    for figure in build.figures.iterdir():
        figure.unlink()
    script = PROJECT / "exported_py" / f"{name}.py"
    subprocess.run([sys.executable, str(script)], cwd=PROJECT, check=True)
    assert list(build.figures.glob("*.pdf"))
    assert trained == {path: path.stat().st_mtime_ns for path in trained}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_self_contained_edition_runs_in_an_empty_folder(
    name, tmp_path, monkeypatch, workspace
):
    """Without the project; CryptoPunks come out of the notebook itself, and MNIST
    lies in data/ beside it, since nothing is downloaded in a test."""
    monkeypatch.delenv("PYTHONPATH", raising=False)
    folder = tmp_path / "empty"
    folder.mkdir()
    if name == "sequence_arithmetic":
        (folder / "data").mkdir()
        (folder / "data" / MNIST).symlink_to(find_data(MNIST))
    notebook = nbformat.read(
        PROJECT / "notebooks" / "colab" / f"{name}.ipynb", as_version=4
    )
    notebook.cells.append(nbformat.v4.new_code_cell(WHERE))
    path = execute_notebook(notebook, name, workspace, folder)
    printed = "".join(output.get("text", "") for output in outputs_of(path))
    assert f"package: {folder}" in printed
    assert list(workspace.figures.glob("*.pdf"))
