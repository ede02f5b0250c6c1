"""Run notebooks from top to bottom, with live progress in the terminal."""

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError
from nbconvert.preprocessors import CoalesceStreamsPreprocessor
from tqdm import tqdm

from latent_arithmetic.errors import UserError
from latent_arithmetic.profiles import PROFILE_VARIABLE
from latent_arithmetic.publishing.project import write_notebook
from latent_arithmetic.workspace import BUILD_VARIABLE, Workspace

LOG_SECONDS = 15.0  # between lines when the output is not a terminal
QUIET = {"TF_CPP_MIN_LOG_LEVEL": "3"}
NOT_IN_SCRIPTS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")


class _LiveClient(NotebookClient):
    """A notebook client that shows which cell runs and what it prints last."""

    title = "notebook"

    def start_showing(self) -> None:
        codes = [cell for cell in self.nb.cells if cell.cell_type == "code"]
        interactive = sys.stderr.isatty()
        self.bar = tqdm(
            total=len(codes),
            desc=self.title,
            unit="cell",
            ncols=100,
            mininterval=0.5 if interactive else LOG_SECONDS,
        )
        self.line = tqdm(bar_format="{desc}", position=1, leave=False, ncols=100)
        self.interactive, self.said_at = interactive, time.monotonic()
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
    notebook: nbformat.NotebookNode,
    name: str,
    workspace: Workspace,
    folder: Path,
) -> Path:
    """Run every cell in `folder`; write the executed notebook below the build.

    Raises:
        UserError: a cell failed; the notebook up to there is written all the same.
    """
    environment = (
        os.environ
        | QUIET
        | {
            PROFILE_VARIABLE: workspace.profile.name,
            BUILD_VARIABLE: str(workspace.root.parent.resolve()),
        }
    )
    client = _LiveClient(
        notebook,
        timeout=None,
        record_timing=False,
        resources={"metadata": {"path": str(folder)}},
    )
    client.title = name
    path = workspace.folder("notebooks") / f"{name}.ipynb"
    client.start_showing()
    try:
        # What the kernel's compiled code says at its start is of no use to anyone;
        # warnings and errors of Python come through the notebook's own channels.
        client.execute(env=environment, stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        message = NOT_IN_SCRIPTS.sub("", str(error)).strip().splitlines()
        raise UserError(
            f"a cell of {name} failed: {message[-1]}; everything up to it, with the "
            f"whole error, is in {path}; mend it and run again: what is recorded is "
            "not run twice"
        ) from None
    finally:
        client.stop_showing()
        write_notebook(path, _tidy(notebook))
    return path
