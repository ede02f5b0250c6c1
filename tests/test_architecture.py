"""The layers of the package are a contract; modules fit on a few screens."""

import subprocess
import sys
from pathlib import Path

from latent_arithmetic.io import project_folder

PACKAGE = project_folder() / "latent_arithmetic"
MOST_LINES = 400


def test_imports_point_one_way():
    """The contracts stand in pyproject.toml."""
    command = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([command], cwd=PACKAGE.parent, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-3000:]


def test_modules_are_short():
    lines = {
        path.relative_to(PACKAGE).as_posix(): len(path.read_text().splitlines())
        for path in PACKAGE.rglob("*.py")
    }
    assert not {name: n for name, n in lines.items() if n > MOST_LINES}
