"""The two notebooks: read, run from top to bottom, export as scripts."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert import PythonExporter
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from tqdm import tqdm

from latent_arithmetic.config import BUILD_VARIABLE, PROFILE_VARIABLE, OutputFolder
from latent_arithmetic.io import UserError, project_folder, write_atomically

NOTEBOOKS = ("generative_models", "sequence_arithmetic")
FIRST_LINE = "# Generated from notebooks/{name}.ipynb by nbconvert; edit the notebook."
LOG_SECONDS = 15.0  # between lines when the output is not a terminal
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
TERMINAL_CODES = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


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
    """Write a text file atomically, its folder included."""
    write_atomically(path, lambda file: file.write(text.encode("utf-8")))
    return path


def write_notebook(path: Path, notebook: nbformat.NotebookNode) -> Path:
    """Write a valid notebook, its folder included."""
    nbformat.validate(notebook)
    return write_text(path, nbformat.writes(notebook) + "\n")


def script_source(notebook: nbformat.NotebookNode, name: str) -> str:
    """The notebook as a plain script; outputs and execution counts leave no trace."""
    exporter = PythonExporter(exclude_input_prompt=True)
    source, _ = exporter.from_notebook_node(notebook)
    lines = source.splitlines()
    while lines and (lines[0].startswith(("#!", "# coding")) or not lines[0].strip()):
        lines.pop(0)
    return "\n".join([FIRST_LINE.format(name=name), "", *lines]).rstrip() + "\n"


def write_scripts(folder: Path) -> list[Path]:
    """Write both notebooks as scripts into `folder`."""
    return [
        write_text(folder / f"{name}.py", script_source(read_notebook(name), name))
        for name in NOTEBOOKS
    ]


class _LiveClient(NotebookClient):
    """A notebook client that shows which cell runs and what it prints last."""

    title = "notebook"

    def start_showing(self) -> None:
        codes = [cell for cell in self.nb.cells if cell.cell_type == "code"]
        self.interactive, self.said_at = sys.stderr.isatty(), time.monotonic()
        self.bar = tqdm(
            total=len(codes),
            desc=self.title,
            unit="cell",
            ncols=100,
            mininterval=0.5 if self.interactive else LOG_SECONDS,
        )
        self.line = tqdm(bar_format="{desc}", position=1, leave=False, ncols=100)
        self.on_cell_executed = lambda **_: self.bar.update()

    def stop_showing(self) -> None:
        self.line.close()
        self.bar.close()

    def process_message(self, msg, cell, cell_index):
        if msg["msg_type"] == "stream":
            self.show_line(msg["content"]["text"])
        return super().process_message(msg, cell, cell_index)

    def show_line(self, text: str) -> None:
        """Repeat the last line that the running cell printed."""
        lines = [part.strip() for part in re.split(r"[\r\n]", text) if part.strip()]
        if not lines:
            return
        if self.interactive:
            self.line.set_description_str("  " + lines[-1][:96])
        elif time.monotonic() - self.said_at > LOG_SECONDS:
            self.said_at = time.monotonic()
            print(f"  {self.title}: {lines[-1]}", file=sys.stderr, flush=True)


def _tidy(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Resolve the carriage returns of progress bars; drop what bars left behind."""
    notebook, _ = CoalesceStreamsPreprocessor(enabled=True)(notebook, {})
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        for output in cell.outputs:
            if output.output_type == "stream":
                lines = [line.rstrip() for line in output.text.splitlines()]
                output.text = "\n".join(filter(None, lines)) + "\n"
        cell.outputs = [
            output
            for output in cell.outputs
            if output.output_type != "stream"
            or (output.name == "stdout" and output.text.strip())
        ]
    return notebook


def execute_notebook(
    notebook: nbformat.NotebookNode, name: str, output: OutputFolder, folder: Path
) -> Path:
    """Run every cell in `folder`; write the executed notebook below the build.

    Raises:
        UserError: a cell failed; the notebook up to there is written all the same.
    """
    environment = os.environ | QUIET
    environment |= {
        PROFILE_VARIABLE: output.profile.name,
        BUILD_VARIABLE: str(output.root.parent.resolve()),
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    }
    client = _LiveClient(
        notebook,
        timeout=None,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.title = name
    path = output.folder("notebooks") / f"{name}.ipynb"
    client.start_showing()
    try:
        # What the kernel's compiled code says at its start is of no use to anyone;
        # warnings and errors of Python come through the notebook's own channels.
        client.execute(env=environment, stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        message = TERMINAL_CODES.sub("", str(error)).strip().splitlines()
        raise UserError(
            f"a cell of {name} failed: {message[-1]}; everything up to it, with the "
            f"whole error, is in {path}; correct it and run again: what is recorded "
            "is not run twice"
        ) from None
    except Exception as error:  # such as a kernel that was killed
        raise UserError(
            f"{name} stopped: {type(error).__name__}: {error}; everything up to there "
            f"is in {path}; run again: what is trained is not trained twice"
        ) from None
    finally:
        client.stop_showing()
        write_notebook(path, _tidy(notebook))
    return path
