"""Code and prose use the field's words, none of those in refused_words.txt."""

import json
import re
from pathlib import Path

import pytest

from latent_arithmetic.io import project_folder

PROJECT = project_folder()
REFUSED = (
    (PROJECT / "tests" / "refused_words.txt").read_text(encoding="utf-8").split("\n")
)
PRIVATE = re.compile(rf"\b({'|'.join(filter(None, REFUSED))})\b", re.I)
SUFFIXES = {".py", ".md", ".tex", ".ipynb", ".toml", ".bib"}
GENERATED = (
    "notebooks/colab/",
    "report/numbers.tex",
)
SKIPPED = ("build", ".venv", ".git")


def prose(path: Path) -> str:
    """A file's text; of a notebook its sources."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


def files() -> list[str]:
    tops = [path for path in PROJECT.iterdir() if path.name not in SKIPPED]
    found = [path for top in tops for path in (top, *top.rglob("*"))]
    found = [path for path in found if path.suffix in SUFFIXES]
    names = [path.relative_to(PROJECT).as_posix() for path in found]
    hidden = re.compile(r"(^|/)(\.|__pycache__|[\w.-]+\.egg-info)")
    return sorted(
        name
        for name in names
        if not name.startswith(GENERATED) and not hidden.search(name)
    )


@pytest.mark.parametrize("folder", sorted({name.split("/")[0] for name in files()}))
def test_words_are_the_fields(folder):
    found = []
    for name in files():
        if name.split("/")[0] != folder:
            continue
        for number, line in enumerate(prose(PROJECT / name).splitlines(), start=1):
            words = [match[0] for match in PRIVATE.finditer(line)]
            found += [f"{name}:{number}: {word}" for word in words]
    assert not found, "\n".join(found)
