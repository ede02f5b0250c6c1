"""The .py twins of the notebooks, exported by nbconvert."""

from pathlib import Path

import nbformat
from nbconvert import PythonExporter

from latent_arithmetic.publishing.project import NOTEBOOKS, read_notebook, write_text

FIRST_LINE = "# Generated from notebooks/{name}.ipynb by nbconvert; edit the notebook."


def twin_source(notebook: nbformat.NotebookNode, name: str) -> str:
    """The notebook as a plain script; outputs and execution counts leave no trace."""
    exporter = PythonExporter(exclude_input_prompt=True)
    source, _ = exporter.from_notebook_node(notebook)
    lines = source.splitlines()
    while lines and (lines[0].startswith(("#!", "# coding")) or not lines[0].strip()):
        lines.pop(0)
    return "\n".join([FIRST_LINE.format(name=name), "", *lines]).rstrip() + "\n"


def write_twins(folder: Path) -> list[Path]:
    """Write the twins of both notebooks into `folder`."""
    return [
        write_text(folder / f"{name}.py", twin_source(read_notebook(name), name))
        for name in NOTEBOOKS
    ]
