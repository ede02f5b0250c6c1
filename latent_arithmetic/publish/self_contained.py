"""The self-contained edition: one notebook file that brings the package along.

The files of the package that a notebook uses are written by visible cells, each under
its own heading, so that they fold away and can be edited there. CryptoPunks is embedded
(97 kB compressed); MNIST is Keras's own download. Either is taken from data/ beside
the notebook if it is there. The recorded runs come as one compressed file.
"""

import ast
import base64
import json
import lzma
import re
from dataclasses import astuple
from pathlib import Path

import nbformat
import numpy as np
from nbformat.v4 import new_code_cell, new_markdown_cell

from latent_arithmetic.io import CRYPTOPUNKS, project_folder, read_data
from latent_arithmetic.publish.notebooks import (
    NOTEBOOKS,
    project_part,
    read_notebook,
    write_text,
)
from latent_arithmetic.records import read_groups

PACKAGE = "latent_arithmetic"
KEPT_DETAILS = ("error_types", "parameters", "first_gradients", "machine", "added")
KEPT_DETAILS += ("ratio_to_baseline",)  # of a benchmark
# Groups whose details are shown, whose curves are, and whose runs one by one.
WITH_DETAILS = re.compile(
    r"depth|^image-to-text|^text-to-text-encoder-decoder-random-(10|5|2)$|^length|edits$"
)
WITH_CURVES = re.compile(r"depth|^image-to-text")
WITH_RUNS = re.compile(r"^length")
KEPT_CURVES = ("epoch", "exact_match")  # of the validation of recorded runs
SIGNIFICANT_DIGITS = 5
IMAGE_GROUP = re.compile(r"-(cae|vae|gan)-|^image-training|^gan-time")
HIDDEN = {"cellView": "form", "jupyter": {"source_hidden": True}}

INTRODUCTION = """\
*Generated from `notebooks/{name}.ipynb` and the package's files; edit those instead.*

**Self-contained edition.** This one file is enough: on Colab (choose a GPU under
*Runtime > Change runtime type*) or in an empty folder, run every cell from top to
bottom. The notebook begins under the heading *{title}*; before it, each cell under *The
package* writes one file of the package next to this notebook. To change a model, edit
its cell, run it, and restart from the first cell of the notebook."""

MAKE_FOLDERS = """\
from pathlib import Path

for folder in {folders!r}:
    Path(folder).mkdir(parents=True, exist_ok=True)"""

UNPACK_RECORDS = """\
#@title Recorded runs (JSON, LZMA, base 85) {{display-mode: "form"}}
import base64
import lzma
from pathlib import Path

RECORDS = {payload!r}

Path("results").mkdir(exist_ok=True)
for kind, packed in RECORDS.items():
    text = lzma.decompress(base64.b85decode(packed))
    Path("results", f"{{kind}}.json").write_bytes(text)
"""

UNPACK_PUNKS = """\
#@title CryptoPunks (palette indices, LZMA, base 85) {{display-mode: "form"}}
import base64
import lzma
from pathlib import Path

import numpy as np

PUNKS = "{payload}"

path = Path("data/cryptopunks.npz")
if not path.exists():
    data = lzma.decompress(base64.b85decode(PUNKS))
    count, side, colors, attributes = {count}, {side}, {colors}, {attributes}
    sizes = [colors * 4, count * side * side, count * attributes // 8]
    palette, indices, bits, order = np.split(
        np.frombuffer(data, "uint8"), np.cumsum(sizes)
    )
    places = np.argsort(order.copy().view("<u2"))  # of the images, before sorting
    path.parent.mkdir(exist_ok=True)
    np.savez_compressed(
        path,
        images=palette.reshape(-1, 4)[indices].reshape(count, side, side, 4)[places],
        attributes=np.unpackbits(bits).reshape(-1, count).T[places].astype(bool),
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


def _pack(data: bytes) -> str:
    packed = lzma.compress(data, preset=9 | lzma.PRESET_EXTREME)
    return base64.b85encode(packed).decode()


def _rounded(value):
    return (
        float(f"{value:.{SIGNIFICANT_DIGITS}g}") if isinstance(value, float) else value
    )


def packed_records(kind: str, code: str) -> str:
    """The recorded estimates of one kind that a notebook's code names, compressed.

    Values are rounded to five digits; groups of the other half, and estimates that
    the code does not show, are left out.
    """
    names = set(re.findall(r"\w+", code))
    groups, of_images = {}, f"{PACKAGE}.images" in code
    for group, entry in read_groups(kind).items():
        if bool(IMAGE_GROUP.search(group)) != of_images or group.startswith("tuning"):
            continue
        kept = {
            name: [_rounded(value) for value in astuple(estimate)]
            for name, estimate in entry.estimates.items()
            if kind == "benchmarks" or _is_named(name, names)
        }
        details, runs = [], []
        if kind == "benchmarks" or WITH_DETAILS.search(group):
            curves = bool(WITH_CURVES.search(group))
            details = [_kept_details(run, curves) for run in entry.details]
        if WITH_RUNS.search(group):
            runs = [{name: _rounded(run[name]) for name in kept} for run in entry.runs]
        groups[group] = {"estimates": kept, "details": details, "runs": runs}
    return _pack(json.dumps({"groups": groups}, separators=(",", ":")).encode())


def _kept_details(run: dict, with_curves: bool) -> dict:
    """The details of a recorded run that the notebooks show."""
    kept = {key: run[key] for key in KEPT_DETAILS if key in run}
    curves = run.get("validation", {})
    if with_curves and "exact_match" in curves:
        kept["validation"] = {
            key: [_rounded(value) for value in curves[key]] for key in KEPT_CURVES
        }
    return kept


def _is_named(estimate: str, names: set[str]) -> bool:
    """Whether code names an estimate, whole or without a number or prefix before it."""
    parts = estimate.split("_")
    return any("_".join(parts[start:]) in names for start in range(len(parts)))


def _punks_cell() -> nbformat.NotebookNode:
    """The cell that unpacks the embedded CryptoPunks."""
    data = read_data(CRYPTOPUNKS)
    images, attributes = data["images"], data["attributes"]
    colors = np.ascontiguousarray(images.reshape(-1, 4)).view(np.uint32).ravel()
    palette, indices = np.unique(colors, return_inverse=True)
    # Sorted by attributes, similar images are neighbors and take less room.
    order = np.lexsort(attributes.T[::-1])
    indices = indices.astype(np.uint8).reshape(len(images), -1)[order]
    raw = palette.tobytes() + indices.tobytes()
    raw += np.packbits(attributes[order].T).tobytes() + order.astype("<u2").tobytes()
    source = UNPACK_PUNKS.format(
        payload=_pack(raw),
        count=len(images),
        side=images.shape[1],
        colors=len(palette),
        attributes=attributes.shape[1],
        names=data["attribute_names"].tolist(),
    )
    return new_code_cell(source, id="embedded-cryptopunks", metadata=HIDDEN)


def _records_cell(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """The cell that writes the recorded runs that the notebook's tables need."""
    code = "\n".join(c.source for c in notebook.cells if c.cell_type == "code")
    payload = {
        kind: packed_records(kind, code)
        for kind in ("experiments", "earlier", "benchmarks")
    }
    source = UNPACK_RECORDS.format(payload=payload)
    return new_code_cell(source, id="embedded-records", metadata=HIDDEN)


def self_contained(name: str) -> nbformat.NotebookNode:
    """The self-contained edition of a source notebook, without outputs."""
    notebook = read_notebook(name)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    files = needed_files(notebook)
    folders = sorted({path.parent.as_posix() for path in files})
    introduction = INTRODUCTION.format(name=name, title=title)
    cells = [
        new_markdown_cell(introduction, id="self-contained"),
        new_markdown_cell("# The package", id="the-package"),
        new_code_cell(MAKE_FOLDERS.format(folders=folders), id="make-folders"),
    ]
    for path in files:
        cells += _file_cells(path)
    if any("images" in path.parts for path in files):
        cells.append(_punks_cell())
    cells.append(_records_cell(notebook))
    notebook.cells = cells + notebook.cells
    notebook.metadata["colab"] = {"provenance": [], "toc_visible": True}
    notebook.metadata["accelerator"] = "GPU"
    notebook.metadata["language_info"] = {"name": "python", "file_extension": ".py"}
    return notebook


def compact(notebook: nbformat.NotebookNode) -> str:
    """A notebook file without indentation, its sources as single strings."""
    nbformat.validate(notebook)
    options = {"split_lines": False, "indent": None, "separators": (",", ":")}
    return nbformat.writes(notebook, **options) + "\n"


def write_self_contained(folder: Path) -> list[Path]:
    """Write the self-contained edition of both notebooks into `folder`."""
    return [
        write_text(folder / f"{name}.ipynb", compact(self_contained(name)))
        for name in NOTEBOOKS
    ]
