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


class NotebookChecks:
    """What is expected of every notebook; one class each, so that two processes can
    share the work (`--dist loadscope`)."""

    name = ""

    @pytest.fixture(scope="class")
    def build(self, tmp_path_factory):
        """One scratch build that the notebook fills and the twin finds."""
        folder = tmp_path_factory.mktemp("build")
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv(BUILD_VARIABLE, str(folder))
            yield open_workspace("smoke")

    def test_notebook_runs(self, build):
        notebook = read_notebook(self.name)
        path = execute_notebook(notebook, self.name, build, PROJECT / "notebooks")
        assert any("image/png" in output.get("data", {}) for output in outputs_of(path))
        assert list(build.figures.glob("*.pdf")) and list(build.results.iterdir())

    def test_twin_runs_as_a_plain_script_and_trains_nothing_again(self, build):
        models = build.models.rglob("*.npz")
        trained = {path: path.stat().st_mtime_ns for path in models}
        assert trained
        for figure in build.figures.iterdir():
            figure.unlink()
        script = PROJECT / "exported_py" / f"{self.name}.py"
        subprocess.run([sys.executable, str(script)], cwd=PROJECT, check=True)
        assert list(build.figures.glob("*.pdf"))
        assert trained == {path: path.stat().st_mtime_ns for path in trained}

    def test_self_contained_edition_runs_in_an_empty_folder(
        self, tmp_path, monkeypatch, workspace
    ):
        """Without the project; CryptoPunks come out of the notebook itself, and MNIST
        lies in data/ beside it, since nothing is downloaded in a test."""
        monkeypatch.delenv("PYTHONPATH", raising=False)
        folder = tmp_path / "empty"
        folder.mkdir()
        if self.name == "sequence_arithmetic":
            (folder / "data").mkdir()
            (folder / "data" / MNIST).symlink_to(find_data(MNIST))
        notebook = nbformat.read(
            PROJECT / "notebooks" / "colab" / f"{self.name}.ipynb", as_version=4
        )
        notebook.cells.append(nbformat.v4.new_code_cell(WHERE))
        path = execute_notebook(notebook, self.name, workspace, folder)
        printed = "".join(output.get("text", "") for output in outputs_of(path))
        assert f"package: {folder}" in printed
        assert list(workspace.figures.glob("*.pdf"))


class TestGenerativeModels(NotebookChecks):
    name = "generative_models"


class TestSequenceArithmetic(NotebookChecks):
    name = "sequence_arithmetic"


def test_every_notebook_is_checked():
    checked = {TestGenerativeModels.name, TestSequenceArithmetic.name}
    assert checked == set(NOTEBOOKS)
