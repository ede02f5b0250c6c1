"""Generated files are in step with their sources; the report is whole."""

import copy
import json
import re
import zipfile

import nbformat
import pytest
from pypdf import PdfReader

from latent_arithmetic.errors import UserError
from latent_arithmetic.publishing import report, submission
from latent_arithmetic.publishing.colab import needed_files, self_contained
from latent_arithmetic.publishing.execution import execute_notebook
from latent_arithmetic.publishing.numbers import (
    format_interval,
    format_value,
    macros,
    number_texts,
    results_table,
    used_keys,
    write_macros,
)
from latent_arithmetic.publishing.project import NOTEBOOKS, read_notebook
from latent_arithmetic.publishing.twins import twin_source
from latent_arithmetic.results import Number, proportion, read_results, record
from latent_arithmetic.workspace import project_folder

PROJECT = project_folder()
# Results that no build makes: by `make study` and by `make bench`, with their profiles.
RECORDED_APART = {"study": "full", "picture-study": "full", "speed": "benchmarks"}


def report_source() -> str:
    sources = sorted((PROJECT / "report").glob("*.tex"))
    return "".join(p.read_text() for p in sources if p.name != "numbers.tex")


@pytest.mark.parametrize("name", NOTEBOOKS)
class TestExports:
    def test_twin_is_in_step(self, name):
        twin = (PROJECT / "exported_py" / f"{name}.py").read_text()
        assert twin == twin_source(read_notebook(name), name)
        assert twin.startswith("# Generated from")

    def test_twin_is_the_same_before_and_after_execution(self, name):
        bare, run = read_notebook(name), read_notebook(name)
        codes = [cell for cell in run.cells if cell.cell_type == "code"]
        assert all(cell.execution_count for cell in codes if cell.source)
        for cell in bare.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
        assert twin_source(bare, name) == twin_source(run, name)

    def test_no_magics(self, name):
        assert "get_ipython" not in twin_source(read_notebook(name), name)

    def test_committed_notebook_was_executed_without_errors(self, name):
        for cell in read_notebook(name).cells:
            for output in cell.get("outputs", ()):
                assert output.output_type != "error"

    def test_self_contained_edition_is_in_step(self, name):
        path = PROJECT / "notebooks" / "colab" / f"{name}.ipynb"
        assert path.read_text() == nbformat.writes(self_contained(name)) + "\n"

    def test_self_contained_edition_brings_what_it_imports(self, name):
        files = [path.as_posix() for path in needed_files(read_notebook(name))]
        wing = "images" if name == "generative_models" else "arithmetic"
        assert "latent_arithmetic/training.py" in files
        assert f"latent_arithmetic/{wing}/tasks.py" in files
        assert not any("cli" in file or "publishing" in file for file in files)


def test_published_files_are_as_they_were_published():
    manifest = json.loads((PROJECT / "results" / submission.MANIFEST).read_text())
    for place, expected in manifest["sha256"].items():
        assert submission.checksum(PROJECT / place) == expected, place
    committed = {
        path.relative_to(PROJECT).as_posix()
        for folder in ("results", "figures")
        for path in (PROJECT / folder).iterdir()
        if path.is_file()  # results/study/ is recorded, not published
    }
    committed.discard(f"results/{submission.MANIFEST}")
    assert committed == {
        place for place in manifest["sha256"] if not place.startswith("report/")
    }


def test_macros_are_in_step_with_results():
    results = submission.published_results(PROJECT / "results")
    assert (PROJECT / "report" / "numbers.tex").read_text() == macros(results)
    assert used_keys(report_source()) <= number_texts(results).keys()


def test_readme_table_is_in_step_with_results():
    table = results_table(submission.published_results(PROJECT / "results"))
    assert table in (PROJECT / "README.md").read_text()


def test_results_are_of_one_profile_and_say_where_they_come_from():
    profiles = set()
    for name, content in submission.published_results(PROJECT / "results").items():
        profile = content["provenance"]["profile"]
        if name in RECORDED_APART:
            assert profile == RECORDED_APART[name]
        else:
            profiles.add(profile)
        assert content["seeds"], name
        for key, entry in content["numbers"].items():
            if "low" in entry:
                assert entry["low"] <= entry["value"] <= entry["high"], (name, key)
                assert entry["n"] > 0 and entry["seeds"] > 0
    assert len(profiles) == 1


def test_figures_are_those_the_notebooks_save():
    code = "\n".join(
        cell.source
        for name in NOTEBOOKS
        for cell in read_notebook(name).cells
        if cell.cell_type == "code"
    )
    figures = {path.stem for path in (PROJECT / "figures").iterdir()}
    # Names as the code writes them; {data} within one stands for any data set.
    written = re.findall(r'"([a-z][\w-]+(?:\{\w+\})?)"', code)
    saved = [re.sub(r"\{\w+\}", r"[\\w-]+", name) for name in written]
    for figure in figures:
        assert any(re.fullmatch(name, figure) for name in saved), figure
    used = re.findall(r"\\includegraphics(?:\[[^]]*\])?\{([^}]+)\}", report_source())
    assert used and set(used) <= figures
    readme = (PROJECT / "README.md").read_text()
    shown = re.findall(r"\(figures/([\w-]+)\.png\)", readme)
    assert shown and set(shown) <= figures


def test_report_is_whole():
    pages = PdfReader(PROJECT / "report" / "report.pdf").pages
    assert 1 <= len(pages) <= 10
    text = "\n".join(page.extract_text() for page in pages)
    assert "??" not in text and "[?]" not in text


@pytest.mark.skipif(not report.has_latex(), reason="TeX is not installed")
def test_report_builds_from_committed_results(workspace):
    for path in (PROJECT / "results").glob("*.json"):
        if path.name != submission.MANIFEST:
            (workspace.results / path.name).write_bytes(path.read_bytes())
    for path in (PROJECT / "figures").iterdir():
        (workspace.figures / path.name).write_bytes(path.read_bytes())
    pdf = report.build_report(workspace)
    assert len(PdfReader(pdf).pages) <= 10


def test_undefined_reference_is_an_error():
    log = "LaTeX Warning: Reference `fig:x' on page 1 undefined on input line 9."
    with pytest.raises(UserError, match="fig:x"):
        report.check_log(log + " Output written on report.pdf (3 pages, 9 bytes).")
    assert report.check_log("Output written on report.pdf (3 pages, 9 bytes).") == 3


def test_an_unknown_key_stops_the_report(workspace, tmp_path):
    record(workspace, "exact", {"share": proportion(1, 2)}, config={})
    source = r"\result{exact/share} \interval{exact/share} \result{exact/shaer}"
    with pytest.raises(UserError, match="exact/shaer"):
        write_macros(workspace.results, source, tmp_path / "numbers.tex")


def test_numbers_are_printed_with_unit_interval_and_n(workspace):
    number = Number(0.98765, 0.98, 0.99, n=2000, seeds=3, unit="%")
    record(workspace, "r", {"a": number, "b": 12345, "c": "100%_x"}, config={})
    results = read_results(workspace.results)
    texts = number_texts(results)
    assert texts["r/a"] == "98.77" and texts["r/a:n"] == "2,000"
    assert texts["r/a:interval"] == "[98.00, 99.00]" and texts["r/a:seeds"] == "3"
    assert texts["r/b"] == "12,345"
    assert r"{100\%\_x}" in macros(results)
    record(workspace, "image-to-text", {"exact": number}, config={})
    table = results_table(read_results(workspace.results))
    assert "| 98.77 % | [98.00, 99.00] | 2,000 | 3 | smoke, " in table
    entry = results["r"]["numbers"]["a"]
    assert (format_value(entry), format_interval(entry)) == ("98.77", "[98.00, 99.00]")


def test_failing_cell_is_one_clear_error_and_keeps_the_rest(workspace, tmp_path):
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("print('10%\\r20%\\rdone')"),
            nbformat.v4.new_code_cell("raise ValueError('what went wrong')"),
        ]
    )
    with pytest.raises(UserError, match="what went wrong"):
        execute_notebook(copy.deepcopy(notebook), "bad", workspace, tmp_path)
    kept = nbformat.read(workspace.root / "notebooks" / "bad.ipynb", as_version=4)
    assert kept.cells[0].outputs[0].text == "done\n"


def test_submission_holds_what_is_handed_in(workspace, tmp_path):
    origin = submission.pack_submission(workspace, tmp_path / "submission.zip")
    assert origin == PROJECT  # the scratch build is not finished
    names = zipfile.ZipFile(tmp_path / "submission.zip").namelist()
    for expected in (
        "report/report.pdf",
        "latent_arithmetic/training.py",
        *(f"notebooks/{name}.ipynb" for name in NOTEBOOKS),
        *(f"exported_py/{name}.py" for name in NOTEBOOKS),
    ):
        assert expected in names
    assert not any("__pycache__" in name for name in names)


def test_an_unfinished_build_is_not_published(workspace):
    with pytest.raises(UserError, match="not finished"):
        submission.publish(workspace)


def test_a_report_of_other_words_is_not_published(workspace):
    """Else an older PDF would lie beside sources that it was not made of."""
    (workspace.root / "notebooks").mkdir(parents=True)
    for name in NOTEBOOKS:
        built = workspace.root / "notebooks" / f"{name}.ipynb"
        built.write_text(nbformat.writes(read_notebook(name)))
    folder = workspace.folder("report")
    for name in ("numbers.tex", "report.pdf"):
        (folder / name).touch()
    for path in report.report_sources():
        (folder / path.name).write_bytes(path.read_bytes())
    submission.check_build(workspace)
    (folder / "generative.tex").write_text("other words")
    with pytest.raises(UserError, match=r"report/generative.tex changed"):
        submission.check_build(workspace)
