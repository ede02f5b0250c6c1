"""The whole run: notebooks, twins, self-contained edition, report, table."""

import os
import time

from latent_arithmetic.errors import UserError
from latent_arithmetic.progress import say
from latent_arithmetic.publishing.execution import execute_notebook
from latent_arithmetic.publishing.numbers import results_table
from latent_arithmetic.publishing.project import (
    NOTEBOOKS,
    project_part,
    read_notebook,
)
from latent_arithmetic.publishing.report import build_report
from latent_arithmetic.publishing.submission import write_exports
from latent_arithmetic.results import read_results
from latent_arithmetic.workspace import Workspace


def run_all(workspace: Workspace) -> None:
    """Make everything of one profile below its build folder.

    Raises:
        UserError: the project is not here, or a notebook or the report failed.
    """
    started = time.perf_counter()
    notebooks = {name: read_notebook(name) for name in NOTEBOOKS}
    # Twins and self-contained edition first: should a notebook fail, they are there.
    write_exports(workspace.root)
    for name, notebook in notebooks.items():
        execute_notebook(notebook, name, workspace, project_part("notebooks"))
    report = build_report(workspace)
    _show(workspace, report, time.perf_counter() - started)


def _show(workspace: Workspace, report, seconds: float) -> None:
    """A short table of results and where things lie."""
    root = os.path.relpath(workspace.root)
    print(results_table(read_results(workspace.results)))
    print(f"\nfinished in {seconds / 60:.1f} minutes, profile {workspace.profile.name}")
    places = {
        "notebooks": "notebooks/",
        "twins": "exported_py/",
        "self-contained": "notebooks/colab/",
        "figures": "figures/",
        "results": "results/",
        "report": "report/report.pdf" if report else "(not built: TeX is missing)",
    }
    for what, place in places.items():
        print(f"  {what:<15} {root}/{place}" if report or "(" not in place else place)


def make_report(workspace: Workspace) -> None:
    """Build the report of a profile whose notebooks have run."""
    if not any(workspace.results.glob("*.json")):
        raise UserError(
            f"no recorded results in {workspace.results}; "
            f"run `latent-arithmetic run --profile {workspace.profile.name}` first"
        )
    if pdf := build_report(workspace):
        say(f"built {os.path.relpath(pdf)}")
