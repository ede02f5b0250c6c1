"""The self-contained edition: one notebook that brings the package along.

The files of the package that the story uses are written by visible cells, each
under its own heading, so that they fold away and can be edited there. CryptoPunks
is embedded (115 kB compressed, the reason it can be); MNIST is Keras's own download.
Either is taken from data/ beside the notebook if it is there.
"""

import ast
import base64
import lzma
from pathlib import Path

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell

from latent_arithmetic.data_files import CRYPTOPUNKS, read_data
from latent_arithmetic.publishing.project import (
    NOTEBOOKS,
    project_part,
    read_notebook,
    write_notebook,
)
from latent_arithmetic.workspace import project_folder

PACKAGE = "latent_arithmetic"

INTRODUCTION = """\
*Generated from `notebooks/{name}.ipynb` and the package's files; edit those instead.*

**Self-contained edition.** This one file is enough: on Colab (choose a GPU under
*Runtime > Change runtime type*) or in an empty folder, run every cell from top to
bottom. The story begins under the heading *{title}*; before it, each cell under *The
package* writes one file of the package next to this notebook. To change a model, edit
its cell, run it, and restart from the first cell of the story."""

MAKE_FOLDERS = """\
from pathlib import Path

for folder in {folders!r}:
    Path(folder).mkdir(parents=True, exist_ok=True)"""

UNPACK_PUNKS = """\
#@title CryptoPunks, embedded (palette indices, LZMA, base 85) {{display-mode: "form"}}
import base64
import lzma
from pathlib import Path

import numpy as np

PUNKS = "{payload}"

path = Path("data/cryptopunks.npz")
if not path.exists():
    data = lzma.decompress(base64.b85decode(PUNKS))
    count, side, colours, attributes = {count}, {side}, {colours}, {attributes}
    sizes = [colours * 4, count * side * side, count * attributes // 8]
    palette, indices, bits = (
        np.frombuffer(part, "uint8")
        for part in np.split(np.frombuffer(data, "uint8"), np.cumsum(sizes)[:-1])
    )
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        path,
        images=palette.reshape(-1, 4)[indices].reshape(count, side, side, 4),
        attributes=np.unpackbits(bits).astype(bool).reshape(count, attributes),
        attribute_names=np.array({names!r}),
    )
"""


def _imported_modules(source: str) -> set[str]:
    """The package's modules that a piece of code imports, as dotted names."""
    names = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return {name for name in names if name.split(".")[0] == PACKAGE}


def _module_path(module: str) -> Path | None:
    """The file of a module, relative to the project; None if it is no module."""
    path = Path(*module.split("."))
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if (project_folder() / candidate).is_file():
            return candidate
    return None


def needed_files(notebook: nbformat.NotebookNode) -> list[Path]:
    """The package's files that the notebook needs, relative to the project."""
    code = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    waiting, found = _imported_modules(code), set()
    while waiting:
        module = waiting.pop()
        path = _module_path(module)
        if path is None or path in found:
            continue
        found.add(path)
        parents = module.split(".")[:-1]
        waiting |= {".".join(parents[: i + 1]) for i in range(len(parents))}
        waiting |= _imported_modules(project_part(str(path)).read_text("utf-8"))
    return sorted(found)


def _file_cells(path: Path) -> list[nbformat.NotebookNode]:
    """A heading and the cell that writes one file."""
    source = project_part(str(path)).read_text(encoding="utf-8")
    key = path.with_suffix("").as_posix().replace("/", "-").replace("_", "-")
    return [
        new_markdown_cell(f"### {path.as_posix()}", id=f"head-{key}"[:64]),
        new_code_cell(
            f"%%writefile {path.as_posix()}\n{source.rstrip()}",
            id=f"file-{key}"[:64],
            metadata={"jupyter": {"source_hidden": True}},
        ),
    ]


def _punks_cell() -> nbformat.NotebookNode:
    """The cell that unpacks the embedded CryptoPunks."""
    data = read_data(CRYPTOPUNKS)
    images, attributes = data["images"], data["attributes"]
    colours = np.ascontiguousarray(images.reshape(-1, 4)).view(np.uint32).ravel()
    palette, indices = np.unique(colours, return_inverse=True)
    raw = palette.tobytes() + indices.astype(np.uint8).tobytes()
    raw += np.packbits(attributes).tobytes()
    packed = lzma.compress(raw, preset=9 | lzma.PRESET_EXTREME)
    source = UNPACK_PUNKS.format(
        payload=base64.b85encode(packed).decode(),
        count=len(images),
        side=images.shape[1],
        colours=len(palette),
        attributes=attributes.shape[1],
        names=data["attribute_names"].tolist(),
    )
    hidden = {"cellView": "form", "jupyter": {"source_hidden": True}}
    return new_code_cell(source, id="embedded-cryptopunks", metadata=hidden)


def self_contained(name: str) -> nbformat.NotebookNode:
    """The self-contained edition of a source notebook, without outputs."""
    notebook = read_notebook(name)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    files = needed_files(notebook)
    folders = sorted({path.parent.as_posix() for path in files})
    cells = [
        new_markdown_cell(
            INTRODUCTION.format(name=name, title=title), id="self-contained"
        ),
        new_markdown_cell("# The package", id="the-package"),
        new_code_cell(MAKE_FOLDERS.format(folders=folders), id="make-folders"),
    ]
    for path in files:
        cells += _file_cells(path)
    if any("images" in path.parts for path in files):
        cells.append(_punks_cell())
    notebook.cells = cells + notebook.cells
    notebook.metadata["colab"] = {"provenance": [], "toc_visible": True}
    notebook.metadata["accelerator"] = "GPU"
    notebook.metadata.pop("language_info", None)
    return notebook


def write_self_contained(folder: Path) -> list[Path]:
    """Write the self-contained edition of both notebooks into `folder`."""
    return [
        write_notebook(folder / f"{name}.ipynb", self_contained(name))
        for name in NOTEBOOKS
    ]
