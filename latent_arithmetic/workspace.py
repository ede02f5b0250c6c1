"""Where a run writes everything it makes."""

import os
from dataclasses import dataclass
from pathlib import Path

from latent_arithmetic.profiles import Profile, get_profile

BUILD_VARIABLE = "LATENT_ARITHMETIC_BUILD"  # replaces <project>/build


@dataclass(frozen=True)
class Workspace:
    """The folders of one profile's build; nothing is written outside them."""

    profile: Profile
    root: Path

    def folder(self, name: str) -> Path:
        """The folder `name` below the build, made if it is not there."""
        path = self.root / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def results(self) -> Path:
        return self.folder("results")

    @property
    def figures(self) -> Path:
        return self.folder("figures")

    @property
    def models(self) -> Path:
        return self.folder("models")


def project_folder() -> Path:
    """The nearest folder that holds the project, seen from the current one.

    A notebook in `notebooks/`, a script in `exported_py/` and a command in the
    project's folder all find the same one; elsewhere it is the current folder.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        if _is_project(folder):
            return folder
    return here


def in_project() -> bool:
    """Whether the current folder is the project, or below it."""
    return _is_project(project_folder())


def _is_project(folder: Path) -> bool:
    return (folder / "latent_arithmetic").is_dir()


def build_folder() -> Path:
    """The folder below which every build is written."""
    return Path(os.environ.get(BUILD_VARIABLE) or project_folder() / "build")


def open_workspace(profile: str | None = None) -> Workspace:
    """The workspace of the named profile (default: the environment's, or quick)."""
    chosen = get_profile(profile)
    return Workspace(chosen, build_folder() / chosen.name)
