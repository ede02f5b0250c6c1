"""`latent-arithmetic run --profile smoke`, from the command to the PDF."""

import re
import shutil
import subprocess
import sys
import zipfile

import nbformat
import pytest

from latent_arithmetic.config import (
    BUILD_VARIABLE,
    SMOKE,
    OutputFolder,
    open_output_folder,
)
from latent_arithmetic.io import MNIST, find_data, project_folder
from latent_arithmetic.publish.notebooks import NOTEBOOKS, execute_notebook
from latent_arithmetic.publish.release import pack_submission
from latent_arithmetic.publish.report import has_latex, report_text

PROJECT = project_folder()
WHERE = "import latent_arithmetic; print('package:', latent_arithmetic.__file__)"


def outputs_of(path):
    notebook = nbformat.read(path, as_version=4)
    return [output for cell in notebook.cells for output in cell.get("outputs", ())]


@pytest.fixture(scope="module")
def build(tmp_path_factory):
    """The build of one `run`, and what the command printed."""
    folder = tmp_path_factory.mktemp("build")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BUILD_VARIABLE, str(folder))
        command = [sys.executable, "-m", "latent_arithmetic", "run", "--profile"]
        run = subprocess.run(
            [*command, "smoke"], cwd=PROJECT, capture_output=True, text=True
        )
        assert run.returncode == 0, run.stderr[-3000:]
        yield open_output_folder("smoke"), run.stdout


@pytest.mark.slow
class TestRun:
    def test_everything_is_made(self, build):
        output, printed = build
        for name in NOTEBOOKS:
            path = output.root / "notebooks" / f"{name}.ipynb"
            images = [each for each in outputs_of(path) if "data" in each]
            assert any("image/png" in each["data"] for each in images)
            assert (output.root / "exported_py" / f"{name}.py").is_file()
        assert list(output.results.glob("*.json")) and list(output.models.iterdir())
        assert "headline results" in printed and "finished in" in printed

    def test_figures_of_report_and_readme_are_saved(self, build):
        output, _ = build
        saved = {path.stem for path in output.figures.iterdir()}
        pattern = r"\\includegraphics(?:\[[^]]*\])?\{([^}]+)\}"
        used = set(re.findall(pattern, report_text()))
        readme = (PROJECT / "README.md").read_text()
        used |= set(re.findall(r"\(figures/([\w-]+)\.png\)", readme))
        assert used and used <= saved

    @pytest.mark.skipif(not has_latex(), reason="TeX is not installed")
    def test_the_report_has_at_most_ten_pages(self, build):
        from pypdf import PdfReader

        pages = PdfReader(build[0].root / "report" / "report.pdf").pages
        text = "\n".join(page.extract_text() for page in pages)
        assert 1 <= len(pages) <= 10 and "??" not in text and "[?]" not in text

    @pytest.mark.stress
    @pytest.mark.parametrize("name", NOTEBOOKS)
    def test_a_script_runs_and_trains_nothing_again(self, build, name):
        output, _ = build
        trained = {p: p.stat().st_mtime_ns for p in output.models.rglob("*.h5")}
        assert trained
        for figure in output.figures.iterdir():
            figure.unlink()
        script = output.root / "exported_py" / f"{name}.py"
        subprocess.run([sys.executable, str(script)], cwd=PROJECT, check=True)
        assert list(output.figures.glob("*.pdf"))
        assert trained == {path: path.stat().st_mtime_ns for path in trained}


@pytest.mark.stress
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_the_submission_runs_elsewhere(name, tmp_path, monkeypatch, output):
    """Unpacked: script and notebook, by the package in the zip."""
    pack_submission(output, tmp_path / "submission.zip")
    folder = tmp_path / "elsewhere"
    with zipfile.ZipFile(tmp_path / "submission.zip") as archive:
        archive.extractall(folder)
    for variable in (BUILD_VARIABLE, "PYTHONPATH"):
        monkeypatch.delenv(variable, raising=False)
    script = folder / "exported_py" / f"{name}.py"
    script.write_text(f"{script.read_text()}\n{WHERE}\n")
    printed = subprocess.check_output([sys.executable, script], cwd=folder, text=True)
    assert f"package: {folder}" in printed
    own = OutputFolder(SMOKE, folder / "build" / "smoke")
    assert list(own.figures.glob("*.pdf")) and list(own.models.iterdir())
    notebook = nbformat.read(folder / "notebooks" / f"{name}.ipynb", as_version=4)
    assert outputs_of(execute_notebook(notebook, name, own, folder / "notebooks"))


@pytest.mark.stress
@pytest.mark.parametrize("name", NOTEBOOKS)
def test_self_contained_edition_runs_in_an_empty_folder(
    name, tmp_path, monkeypatch, output
):
    """Without the project; CryptoPunks come out of the notebook itself, and MNIST lies
    in data/ beside it, since nothing is downloaded in a test."""
    from latent_arithmetic.publish.self_contained import self_contained

    notebook = self_contained(name)
    folder = tmp_path / "empty"
    (folder / "data").mkdir(parents=True)
    shutil.copy(find_data(MNIST), folder / "data")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    notebook.cells.append(nbformat.v4.new_code_cell(WHERE))
    path = execute_notebook(notebook, name, output, folder)
    printed = "".join(each.get("text", "") for each in outputs_of(path))
    assert f"package: {folder}" in printed
    assert list(output.figures.glob("*.pdf"))
