"""Copy a finished build to the committed places; pack what is handed in."""

import hashlib
import re
import shutil
import zipfile
from pathlib import Path

import nbformat

from latent_arithmetic.errors import UserError
from latent_arithmetic.publishing.colab import write_self_contained
from latent_arithmetic.publishing.numbers import results_table
from latent_arithmetic.publishing.project import (
    NOTEBOOKS,
    read_notebook,
    write_text,
)
from latent_arithmetic.publishing.report import report_sources
from latent_arithmetic.publishing.twins import write_twins
from latent_arithmetic.results import GENERATED, read_results, write_json
from latent_arithmetic.workspace import Workspace, project_folder

MANIFEST = "published.json"
TABLE = re.compile(r"(<!-- results: generated -->\n).*?(<!-- end of results -->)", re.S)
HIDDEN = {"__pycache__", ".ipynb_checkpoints"}
BUILT = ("notebooks", "exported_py", "report/report.pdf")
ALONGSIDE = (
    "latent_arithmetic",
    "README.md",
    "requirements.txt",
    "pyproject.toml",
    "LICENSE",
)


def write_exports(folder: Path) -> None:
    """Write twins and self-contained edition below `folder`."""
    write_twins(folder / "exported_py")
    write_self_contained(folder / "notebooks" / "colab")


def _missing_parts(workspace: Workspace) -> list[Path]:
    """What a finished build has and this one lacks."""
    names = [f"notebooks/{name}.ipynb" for name in NOTEBOOKS]
    names += ["report/numbers.tex", "report/report.pdf"]
    paths = [workspace.root / name for name in names]
    return [path for path in paths if not path.exists()]


def check_build(workspace: Workspace) -> None:
    """Refuse a build that is not finished, or not of the present notebooks and report.

    Raises:
        UserError: says what is missing or changed.
    """
    run = f"run `latent-arithmetic run --profile {workspace.profile.name}`"
    if missing := _missing_parts(workspace):
        raise UserError(f"the build is not finished: no {missing[0]}; {run}")
    for name in NOTEBOOKS:
        executed = workspace.root / "notebooks" / f"{name}.ipynb"
        built = nbformat.read(executed, as_version=4).cells
        present = read_notebook(name).cells
        if [cell.source for cell in built] != [cell.source for cell in present]:
            raise UserError(f"notebooks/{name}.ipynb changed since the build; {run}")
    for path in report_sources():
        built = workspace.root / "report" / path.name
        if not built.exists() or built.read_bytes() != path.read_bytes():
            again = f"run `latent-arithmetic report --profile {workspace.profile.name}`"
            raise UserError(f"report/{path.name} changed since the build; {again}")


def checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def publish(workspace: Workspace) -> None:
    """Copy one finished build to notebooks/, results/, figures/ and report/.

    results/published.json lists every figure, result and PDF, and what the report was
    written in, with its checksum.
    """
    check_build(workspace)
    parts = [workspace.root / "notebooks" / f"{name}.ipynb" for name in NOTEBOOKS]
    written = ["numbers.tex", "report.pdf", *(path.name for path in report_sources())]
    parts += [workspace.root / "report" / name for name in written]
    kinds = ("*.pdf", "*.png", "*.gif")
    parts += sorted(path for kind in kinds for path in workspace.figures.glob(kind))
    parts += sorted(workspace.results.glob("*.json"))
    project = project_folder()
    for folder in ("results", "figures"):  # what lies below them was not built here
        for path in (project / folder).glob("*.*"):
            path.unlink()
    checksums = {}
    for path in parts:
        place = path.relative_to(workspace.root)
        (project / place).parent.mkdir(exist_ok=True)
        shutil.copy(path, project / place)
        if place.parts[0] != "notebooks":  # their sources may be edited
            checksums[place.as_posix()] = checksum(path)
    write_exports(project)
    update_readme(project / "README.md", project / "results")
    write_json(
        project / "results" / MANIFEST,
        {
            "generated": GENERATED,
            "profile": workspace.profile.name,
            "sha256": checksums,
        },
    )


def published_results(folder: Path) -> dict[str, dict]:
    """The committed results, without the manifest."""
    results = read_results(folder)
    results.pop(Path(MANIFEST).stem, None)
    return results


def update_readme(readme: Path, results: Path) -> None:
    """Put the results table between its two marks."""
    table = results_table(published_results(results))
    text = readme.read_text(encoding="utf-8")
    write_text(readme, TABLE.sub(lambda m: f"{m[1]}{table}\n{m[2]}", text))


def pack_submission(workspace: Workspace, path: Path) -> Path:
    """Write one zip with notebooks, twins, package and report; return its origin.

    A finished build of your own is packed, else what the project came with.
    """
    project = project_folder()
    origin = project if _missing_parts(workspace) else workspace.root
    parts = [(origin, name) for name in BUILT] + [(project, name) for name in ALONGSIDE]
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for root, name in parts:
            part = root / name
            if not part.exists():
                raise UserError(f"{part} not found; restore it or run everything again")
            files = [part] if part.is_file() else sorted(part.rglob("*.*"))
            for file in files:
                if file.is_file() and not HIDDEN & set(file.parts):
                    archive.write(file, file.relative_to(root))
    return origin
