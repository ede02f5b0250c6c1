"""Run everything; publish a finished build; check what is published; pack it."""

import hashlib
import os
import re
import shutil
import time
import zipfile
from pathlib import Path

import nbformat

from latent_arithmetic.config import OutputFolder
from latent_arithmetic.io import (
    UserError,
    project_folder,
    read_json,
    write_atomically,
    write_json,
)
from latent_arithmetic.plotting import show_table
from latent_arithmetic.publish.notebooks import (
    NOTEBOOKS,
    execute_notebook,
    project_part,
    read_notebook,
    script_source,
    write_scripts,
    write_text,
)
from latent_arithmetic.publish.report import (
    DOCUMENTS,
    build_report,
    macros,
    report_sources,
    report_text,
)
from latent_arithmetic.publish.self_contained import (
    compact,
    self_contained,
    write_self_contained,
)
from latent_arithmetic.publish.tables import (
    headline_rows,
    headline_table,
    results_readme,
)
from latent_arithmetic.records import GENERATED

MANIFEST = "published.json"
TABLE = re.compile(r"(<!-- results: generated -->\n).*?(<!-- end of results -->)", re.S)
HIDDEN = {"__pycache__", ".ipynb_checkpoints"}
BUILT = ("notebooks", "exported_py", "report/report.pdf")
ALONGSIDE = (
    "latent_arithmetic",
    "data",
    "results",
    "figures",
    "README.md",
    "requirements.txt",
    "pyproject.toml",
    "LICENSE",
)


def export(folder: Path | None = None) -> None:
    """Write scripts and self-contained edition below `folder` (or the project)."""
    folder = folder or project_folder()
    write_scripts(folder / "exported_py")
    write_self_contained(folder / "notebooks" / "colab")


def run_all(output: OutputFolder) -> None:
    """Make everything of one profile below its build folder.

    Raises:
        UserError: the project is not here, or a notebook or the report failed.
    """
    started = time.perf_counter()
    notebooks = {name: read_notebook(name) for name in NOTEBOOKS}
    # Scripts and self-contained edition first: should a notebook fail, they are there.
    export(output.root)
    for name, notebook in notebooks.items():
        execute_notebook(notebook, name, output, project_part("notebooks"))
    report = build_report(output)
    rows = [(label, what, each, each.n) for label, what, each in headline_rows()]
    columns = ("headline results (recorded)", "given to the model", "value", "n")
    show_table(rows, columns)
    minutes = (time.perf_counter() - started) / 60
    print(f"\nfinished in {minutes:.1f} minutes, profile {output.profile.name}")
    built = "report/report.pdf" if report else "report/ (no PDF: TeX is missing)"
    for place in ("notebooks/", "exported_py/", "figures/", "results/", built):
        print(f"  {os.path.relpath(output.root)}/{place}")


def _missing_parts(output: OutputFolder) -> list[Path]:
    """What a finished build has and this one lacks."""
    names = [f"notebooks/{name}.ipynb" for name in NOTEBOOKS]
    names += ["report/numbers.tex", *(f"report/{name}.pdf" for name in DOCUMENTS)]
    paths = [output.root / name for name in names]
    return [path for path in paths if not path.exists()]


def check_build(output: OutputFolder) -> None:
    """Refuse a build that is not finished, or not of the present notebooks and report.

    Raises:
        UserError: says what is missing or changed.
    """
    run = f"run `latent-arithmetic run --profile {output.profile.name}`"
    if missing := _missing_parts(output):
        raise UserError(f"the build is not finished: no {missing[0]}; {run}")
    for name in NOTEBOOKS:
        executed = output.root / "notebooks" / f"{name}.ipynb"
        built = nbformat.read(executed, as_version=4).cells
        present = read_notebook(name).cells
        if [cell.source for cell in built] != [cell.source for cell in present]:
            raise UserError(f"notebooks/{name}.ipynb changed since the build; {run}")
    for path in report_sources():
        built = output.root / "report" / path.name
        if not built.exists() or built.read_bytes() != path.read_bytes():
            again = f"run `latent-arithmetic report --profile {output.profile.name}`"
            raise UserError(f"report/{path.name} changed since the build; {again}")


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _built_files(output: OutputFolder) -> dict[Path, str]:
    """Every file that is published, and its place in the project."""
    root = output.root
    names = ["numbers.tex", *(f"{name}.pdf" for name in DOCUMENTS)]
    names += [path.name for path in report_sources()]
    places = {root / "report" / name: f"report/{name}" for name in names}
    for name in NOTEBOOKS:
        places[root / "notebooks" / f"{name}.ipynb"] = f"notebooks/{name}.ipynb"
    for path in sorted(output.figures.iterdir()):
        places[path] = f"figures/{path.name}"
    for path in sorted(output.results.glob("*.json")):
        places[path] = f"results/notebooks/{path.name}"
    return places


def publish(output: OutputFolder) -> None:
    """Copy one finished build to notebooks/, results/notebooks/, figures/ and report/.

    results/published.json lists every figure, result and PDF, and what the report was
    written in, with its checksum. Afterwards everything is checked.
    """
    check_build(output)
    project = project_folder()
    for folder in ("results/notebooks", "figures"):
        shutil.rmtree(project / folder, ignore_errors=True)
    checksums = {}
    for path, place in _built_files(output).items():
        (project / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, project / place)
        if not place.startswith("notebooks/"):  # their sources may be edited
            checksums[place] = _checksum(path)
    export(project)
    write_tables(project)
    manifest = {"generated": GENERATED, "profile": output.profile.name}
    write_json(project / "results" / MANIFEST, manifest | {"sha256": checksums})
    print(release_check())


def write_tables(project: Path) -> None:
    """Write results/README.md and the headline table of the README."""
    write_text(project / "results" / "README.md", results_readme(project / "results"))
    readme = project / "README.md"
    text, table = readme.read_text(encoding="utf-8"), headline_table()
    write_text(readme, TABLE.sub(lambda m: f"{m[1]}{table}\n{m[2]}", text))


def _differences(project: Path) -> list[str]:
    """Every published file that is not in step with its source."""
    found = []
    for name in NOTEBOOKS:
        notebook = read_notebook(name)
        script = project / "exported_py" / f"{name}.py"
        if script.read_text(encoding="utf-8") != script_source(notebook, name):
            found.append(f"exported_py/{name}.py is not the notebook's script")
        edition = project / "notebooks" / "colab" / f"{name}.ipynb"
        if edition.read_text(encoding="utf-8") != compact(self_contained(name)):
            found.append(f"notebooks/colab/{name}.ipynb is not of the present files")
        outputs = [o for cell in notebook.cells for o in cell.get("outputs", ())]
        if any(each.output_type == "error" for each in outputs) or not outputs:
            found.append(f"notebooks/{name}.ipynb was not run, or a cell failed")
    manifest = read_json(project / "results" / MANIFEST)["sha256"]
    for place, checksum in manifest.items():
        path = project / place
        if not path.is_file() or _checksum(path) != checksum:
            found.append(f"{place} is not as it was published")
    present = {
        path.relative_to(project).as_posix()
        for folder in ("results/notebooks", "figures")
        for path in (project / folder).iterdir()
    }
    extra = present - manifest.keys()
    found += [f"{place} was not published" for place in sorted(extra)]
    numbers = macros(report_text(), project / "results" / "notebooks")
    if (project / "report" / "numbers.tex").read_text(encoding="utf-8") != numbers:
        found.append("report/numbers.tex is not of the present records")
    if headline_table() not in (project / "README.md").read_text(encoding="utf-8"):
        found.append("README.md: the table of results is not of the present records")
    tables = project / "results" / "README.md"
    if tables.read_text(encoding="utf-8") != results_readme(project / "results"):
        found.append("results/README.md is not of the present records")
    return found + _unknown_figures(project)


def _unknown_figures(project: Path) -> list[str]:
    """Figures that report or README use and no build saved."""
    saved = {path.stem for path in (project / "figures").iterdir()}
    pattern = r"\\includegraphics(?:\[[^]]*\])?\{([^}]+)\}"
    used = set(re.findall(pattern, report_text()))
    readme = (project / "README.md").read_text(encoding="utf-8")
    used |= set(re.findall(r"\(figures/([\w-]+)\.png\)", readme))
    return [f"figure {name} is used and not there" for name in sorted(used - saved)]


def release_check() -> str:
    """Check every published file against its source.

    Raises:
        UserError: lists what is not in step.
    """
    if found := _differences(project_folder()):
        listed = "\n  ".join(found)
        raise UserError(
            f"{len(found)} published files are not in step:\n  {listed}\nrun "
            "`make run`, then `make publish`, or `latent-arithmetic export`"
        )
    return "published files are in step with their sources"


def pack_submission(output: OutputFolder, path: Path) -> Path:
    """Write one zip with notebooks, scripts, package and report; return its origin.

    A finished build of your own is packed, else what the project came with.
    """
    if path.is_dir():
        raise UserError(f"{path} is a folder; expected the name of a .zip file")
    project = project_folder()
    origin = project if _missing_parts(output) else output.root
    parts = [(origin, name) for name in BUILT] + [(project, name) for name in ALONGSIDE]
    members = {}
    for root, name in parts:
        part = root / name
        if not part.exists():
            raise UserError(f"{part} not found; restore it or run everything again")
        for file in [part] if part.is_file() else sorted(part.rglob("*.*")):
            if file.is_file() and not HIDDEN & set(file.parts):
                members[file.relative_to(root)] = file
    own = path.resolve()

    def write(stream) -> None:
        options = {"compression": zipfile.ZIP_DEFLATED, "strict_timestamps": False}
        with zipfile.ZipFile(stream, "w", **options) as archive:
            for name, file in members.items():
                if file.resolve() != own:
                    archive.write(file, name)

    write_atomically(path, write)
    return origin
