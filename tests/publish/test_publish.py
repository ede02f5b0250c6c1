"""Scripts, self-contained edition, report, submission come from their sources."""

import copy
import json
import os
import zipfile
from pathlib import Path

import nbformat
import pytest

from latent_arithmetic.config import FULL
from latent_arithmetic.io import UserError, project_folder
from latent_arithmetic.publish import release, report, tables
from latent_arithmetic.publish.notebooks import (
    NOTEBOOKS,
    execute_notebook,
    read_notebook,
    script_source,
)
from latent_arithmetic.publish.self_contained import (
    compact,
    needed_files,
    self_contained,
)
from latent_arithmetic.records import Estimate, Group, record_result

PROJECT = project_folder()
HALF = {"generative_models": "images", "sequence_arithmetic": "seq2seq"}
MOST_BYTES = 853_000  # of both self-contained editions together


@pytest.mark.parametrize("name", NOTEBOOKS)
class TestExports:
    def test_script_is_the_same_before_and_after_execution(self, name):
        bare, run = read_notebook(name), read_notebook(name)
        for count, cell in enumerate(bare.cells):
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
                run.cells[count].execution_count = count
        assert script_source(bare, name) == script_source(run, name)
        assert script_source(bare, name).startswith("# Generated from")

    def test_no_magics(self, name):
        assert "get_ipython" not in script_source(read_notebook(name), name)

    def test_alone_in_a_folder_it_says_what_to_do(self, name, tmp_path, monkeypatch):
        cells = read_notebook(name).cells
        first = next(cell.source for cell in cells if cell.cell_type == "code")
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(ModuleNotFoundError, match="clone.*notebooks/colab/"):
            exec(first, {})

    def test_self_contained_edition_brings_what_it_imports(self, name):
        files = [path.as_posix() for path in needed_files(read_notebook(name))]
        assert "latent_arithmetic/training.py" in files
        assert f"latent_arithmetic/{HALF[name]}/pipeline.py" in files
        for part in ("experiments", "publish", "cli"):
            assert not any(part in file for file in files)


@pytest.mark.slow
def test_self_contained_editions_are_small():
    sizes = [len(compact(self_contained(name)).encode()) for name in NOTEBOOKS]
    assert sum(sizes) < MOST_BYTES


def test_records_of_the_self_contained_edition_are_those_of_the_project(
    tmp_path, monkeypatch
):
    """Its cell writes one file, which reads as the folder of records does."""
    from latent_arithmetic.records import read_groups

    (cell,) = (
        cell
        for cell in self_contained("sequence_arithmetic").cells
        if cell.get("id") == "embedded-records"
    )
    whole = read_groups()
    monkeypatch.chdir(tmp_path)
    exec(cell.source, {})
    brought = json.loads((tmp_path / "results" / "experiments.json").read_text())
    assert len(cell.source) < 60_000
    group = "text-to-text-encoder-decoder-random-50"
    value = brought["groups"][group]["estimates"]["exact_match"][0]
    assert value == pytest.approx(whole[group].estimates["exact_match"].value, rel=1e-4)


def test_the_report_asks_for_recorded_numbers_only():
    notebook = PROJECT / "results" / "notebooks"
    if not notebook.is_dir():
        pytest.skip("nothing is published")
    text = report.macros(report.report_text(), notebook)
    assert text.count("\\def") == len(report.used_keys(report.report_text()))


def test_an_unknown_key_stops_the_report(output):
    record_result(
        output, "exact", {"share": Estimate(0.5, 0.4, 0.6, 2, unit="%")}, config={}
    )
    source = r"\result{notebook/exact/share} \interval{notebook/exact/share}"
    assert "50.00" in report.macros(source, output.results)
    with pytest.raises(UserError, match="notebook/exact/shaer"):
        report.macros(source + r"\result{notebook/exact/shaer}", output.results)


def test_numbers_are_printed_with_unit_interval_and_n(output):
    estimate = Estimate(0.98765, 0.98, 0.99, n=2000, seeds=3, unit="%")
    estimates = {"a": estimate, "b": 12345, "c": "100%_x"}
    record_result(output, "r", estimates, config={})
    texts = report.number_texts(output.results)
    assert texts["notebook/r/a"] == "98.77" and texts["notebook/r/a:n"] == "2,000"
    assert texts["notebook/r/a:interval"] == "[98.00, 99.00]"
    assert texts["notebook/r/a:seeds"] == "3" and texts["notebook/r/b"] == "12,345"
    assert texts["settings/full/vae/epochs"] == str(FULL.vae.epochs)
    assert texts["settings/full/image_layers"] == "2, 2"
    source = r"\result{notebook/r/c}"
    assert r"{100\%\_x}" in report.macros(source, output.results)


def test_the_range_of_runs_is_printed(output, monkeypatch):
    runs = ({"a": 0.25}, {"a": 0.75})
    estimates = {"a": Estimate(0.5, 0, 1, n=9, seeds=2, unit="%")}
    several, one = (Group(estimates, runs=some) for some in (runs, runs[:1]))
    found = {"experiments": {"group": several, "one": one}}
    monkeypatch.setattr(report, "read_groups", lambda kind: found.get(kind, {}))
    texts = report.number_texts(output.results)
    assert texts["experiments/group/a:range"] == "25.00 to 75.00"
    assert "experiments/one/a:range" not in texts


def test_an_undefined_reference_is_an_error():
    log = "LaTeX Warning: Reference `fig:x' on page 1 undefined on input line 9."
    with pytest.raises(UserError, match="fig:x"):
        report.check_log(log + " Output written on report.pdf (3 pages, 9 bytes).")
    assert report.check_log("Output written on report.pdf (3 pages, 9 bytes).") == 3


def test_headlines_say_what_a_model_is_given():
    rows = tables.headline_rows()
    assert 0 < len(rows) <= 10
    table = tables.results_readme(PROJECT / "results")
    assert "text-to-text-encoder-decoder-random-10" in table


def test_a_failing_cell_is_one_clear_error_and_keeps_the_rest(output, tmp_path):
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_code_cell("print('10%\\r20%\\rdone')"),
            nbformat.v4.new_code_cell("raise ValueError('what went wrong')"),
        ]
    )
    with pytest.raises(UserError, match="what went wrong"):
        execute_notebook(copy.deepcopy(notebook), "bad", output, tmp_path)
    kept = nbformat.read(output.root / "notebooks" / "bad.ipynb", as_version=4)
    assert kept.cells[0].outputs[0].text == "done\n"


def test_a_kernel_that_dies_is_one_clear_error(output, tmp_path):
    sources = ("print('done')", "import os; os._exit(1)")
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(source) for source in sources]
    )
    with pytest.raises(UserError, match="stopped: .*[Kk]ernel died.*run again"):
        execute_notebook(notebook, "bad", output, tmp_path)
    kept = nbformat.read(output.root / "notebooks" / "bad.ipynb", as_version=4)
    assert kept.cells[0].outputs[0].text == "done\n"


def test_the_submission_holds_what_is_handed_in(output, tmp_path):
    origin = release.pack_submission(output, tmp_path / "submission.zip")
    assert origin == PROJECT  # the temporary build is not finished
    names = zipfile.ZipFile(tmp_path / "submission.zip").namelist()
    for expected in (
        "report/report.pdf",
        "data/mnist.npz",
        "figures/queries-overview.png",
        "latent_arithmetic/training.py",
        *(f"notebooks/{name}.ipynb" for name in NOTEBOOKS),
        *(f"exported_py/{name}.py" for name in NOTEBOOKS),
    ):
        assert expected in names
    assert not any("__pycache__" in name for name in names)


def test_a_submission_has_files_of_any_date_but_not_itself(
    output, tmp_path, monkeypatch
):
    folders = ("notebooks", "exported_py", "latent_arithmetic")
    names = [f"{folder}/a.py" for folder in folders]
    names += ["report/report.pdf", *release.ALONGSIDE[1:]]
    for name, seconds in zip(names, (1, 4_733_510_400, *range(9)), strict=False):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (seconds, seconds))
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        release.pack_submission(output, Path("notebooks/own.zip"))
        with zipfile.ZipFile("notebooks/own.zip") as archive:
            assert archive.testzip() is None
            assert sorted(archive.namelist()) == sorted(names)
    with pytest.raises(UserError, match="is a folder"):
        release.pack_submission(output, tmp_path)


def test_an_unfinished_build_is_not_published(output):
    with pytest.raises(UserError, match="not finished"):
        release.publish(output)


def test_a_report_of_other_words_is_not_published(output):
    """Else an older PDF would lie beside sources that it was not made of."""
    (output.root / "notebooks").mkdir(parents=True)
    for name in NOTEBOOKS:
        built = output.root / "notebooks" / f"{name}.ipynb"
        built.write_text(nbformat.writes(read_notebook(name)))
    folder = output.folder("report")
    for name in ("numbers.tex", "report.pdf", "supplement.pdf"):
        (folder / name).touch()
    for path in report.report_sources():
        (folder / path.name).write_bytes(path.read_bytes())
    release.check_build(output)
    (folder / "generative.tex").write_text("other words")
    with pytest.raises(UserError, match=r"report/generative.tex changed"):
        release.check_build(output)


def test_a_row_of_several_processors_says_so():
    estimate = Estimate(0.5, 0.4, 0.6, 100, seeds=2)
    groups = {
        "text-to-text-a": Group({"exact_match": estimate}),
        "text-to-text-b": Group(
            {"exact_match": estimate}, devices=frozenset({"one", "another"})
        ),
    }
    table = tables._section("text-to-text-", ("exact_match",), groups)
    assert table.count("processors") == 1 and "| 2 (2 processors) |" in table
