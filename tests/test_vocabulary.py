"""Code and prose use the field's words, not private ones; see the list below."""

import json
import re
from pathlib import Path

import pytest

from latent_arithmetic.io import project_folder

PROJECT = project_folder()
PRIVATE = re.compile(
    r"\b(pictures?|recipes?|judges?|the eye|an eye|painters?|lessons?|contest|twins?"
    r"|counterparts?|mirror-clean|null models?|place-aligned|columns given|calculator"
    r"|canvas|untold|told attributes|drawn again|read back|the course's|nats of choices"
    r"|kernels of \d|junk|standoff|restored|workspace)\b",
    re.I,
)
SUFFIXES = {".py", ".md", ".tex", ".ipynb", ".toml", ".bib"}
GENERATED = (
    "notebooks/colab/",
    "report/numbers.tex",
)
SKIPPED = ("build", ".venv", ".git")
# (file, the words that may stand in it, why)
EXCEPTIONS = (
    ("tests/test_vocabulary.py", PRIVATE.pattern, "lists the words"),
    ("latent_arithmetic/publish/report.py", "pictures", "a TeX package's name"),
)


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
    allowed = {name: re.compile(words, re.I) for name, words, _ in EXCEPTIONS}
    found = []
    for name in files():
        if name.split("/")[0] != folder:
            continue
        for number, line in enumerate(prose(PROJECT / name).splitlines(), start=1):
            words = [match[0] for match in PRIVATE.finditer(line)]
            known = allowed.get(name)
            words = [word for word in words if not (known and known.search(word))]
            found += [f"{name}:{number}: {word}" for word in words]
    assert not found, "\n".join(found)
