"""How figures and tables are shown."""

import io
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic import plotting
from latent_arithmetic.config import BUILD_VARIABLE
from latent_arithmetic.plotting import (
    PAGE_WIDTH,
    _compact,
    image_grid,
    show_table,
    without_docstrings,
)
from latent_arithmetic.records import proportion


def test_photographs_are_shown_as_jpeg_and_drawings_as_they_are(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype("uint8")
    drawing = np.zeros((64, 64, 3), "uint8")
    drawing[20:40] = 200
    for name, pixels in (("photograph", noise), ("drawing", drawing)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    shown = Image.open(io.BytesIO(_compact((tmp_path / "photograph.png").read_bytes())))
    assert shown.format == "JPEG" and shown.size == (64, 64)
    same = (tmp_path / "drawing.png").read_bytes()
    assert _compact(same) == same


DRAW = """
import numpy as np
from latent_arithmetic.config import open_output_folder
from latent_arithmetic.plotting import image_grid, show_figure, use_style
use_style()
grid = image_grid(np.zeros((4, 8, 8, 3), np.uint8), 2)
show_figure(grid, "four", open_output_folder("smoke"))
"""


@pytest.mark.parametrize("backend", ["module://no.such.backend", "TkAgg"])
def test_figures_are_saved_whatever_mplbackend_says(tmp_path, backend):
    environment = os.environ | {"MPLBACKEND": backend, BUILD_VARIABLE: str(tmp_path)}
    environment.pop("DISPLAY", None)
    subprocess.run([sys.executable, "-c", DRAW], env=environment, check=True)
    figures = {path.name for path in (tmp_path / "smoke" / "figures").iterdir()}
    assert figures == {"four.pdf", "four.png"}


def test_a_table_is_aligned_text_in_a_script_and_html_in_a_notebook(capsys):
    rows = [["text-to-text", proportion(9, 10)], ["digit_accuracy", 3]]
    show_table(rows, ["model", "exact"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["model", "exact"]
    assert lines[2].split() == ["digit", "accuracy", "3"]
    assert lines[1].startswith("text-to-text") and "90.00% [59.58, 98.21]" in lines[1]
    assert len({len(line) for line in lines}) == 1
    table = plotting._html_table([["a < b", "1"]], ["name", "n"])
    assert "a &lt; b" in table and table.startswith("<table>")


def test_source_is_shown_without_docstrings():
    source = '''
    class Model:
        """What it is.

        Args:
            x: something.
        """

        def call(self, x):
            """Its output."""
            # Why.
            return f"""{x}"""
    '''
    shown = without_docstrings(source)
    assert shown.split() == (
        'class Model: def call(self, x): # Why. return f"""{x}"""'.split()
    )


def test_a_grid_is_no_wider_than_a_page():
    images = np.zeros((24, 8, 8, 3), "uint8")
    figure = image_grid(images, 12, row_labels=["a long label\nof two lines", "b"])
    assert figure.get_size_inches()[0] <= PAGE_WIDTH + 1e-6
    assert image_grid(images, 2, cell=0.5).get_size_inches()[0] < 1.2
    plotting.plt.close("all")
