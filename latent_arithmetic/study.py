"""A study: the runs behind the tables, every one recorded once.

A recorded run is a small file below results/study/. What is recorded is not run
again, so a study that was interrupted goes on where it stopped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from latent_arithmetic.checkpoints import write_atomically
from latent_arithmetic.errors import UserError
from latent_arithmetic.profiles import Profile
from latent_arithmetic.progress import say
from latent_arithmetic.provenance import config_hash, plain, provenance
from latent_arithmetic.results import (
    GENERATED,
    Number,
    over_seeds,
    read_json,
    write_json,
)
from latent_arithmetic.workspace import project_folder


@dataclass
class Measured:
    """What a run found.

    numbers: what a table shows. details: anything else worth keeping, plain values.
    pictures: uint8 [n, side, side, 3], a few that the model made; kept as a .png of
        one column.
    """

    numbers: dict[str, Number]
    details: dict
    pictures: np.ndarray | None = None


class StudyRun(Protocol):
    """One run of a study.

    group: what the seeds of one table row have in common. config: what makes this
    run this one; a changed config is another run.
    """

    @property
    def group(self) -> str: ...

    @property
    def seed(self) -> int: ...

    @property
    def config(self) -> dict: ...

    def measure(self, work: Path, profile: Profile) -> Measured:
        """Train below `work`, where a killed run is resumed, and measure."""


def study_folder() -> Path:
    """Where recorded runs are kept; they are committed."""
    return project_folder() / "results" / "study"


def name_of(run: StudyRun) -> str:
    """The run's name, and that of its file."""
    return f"{run.group}-seed-{run.seed}"


def named(runs: Iterable[StudyRun], starts: Sequence[str]) -> list[StudyRun]:
    """The runs whose names start with one of ``starts``; all of them without any.

    Raises:
        UserError: no name starts so.
    """
    runs = list(runs)
    for start in starts:
        if not any(name_of(run).startswith(start) for run in runs):
            groups = {run.group for run in runs}
            near = ", ".join(get_close_matches(start, groups, n=5, cutoff=0.0))
            raise UserError(f"no run's name starts with {start!r}; nearest are {near}")
    return [run for run in runs if name_of(run).startswith(tuple(starts) or "")]


def recorded_run(run: StudyRun, folder: Path) -> dict | None:
    """What was recorded of this very run, or None if it has to be run.

    Raises:
        UserError: another run is recorded under its name.
    """
    path = folder / f"{name_of(run)}.json"
    if not path.is_file():
        return None
    content, wanted = read_json(path), plain(run.config)
    if content["config_hash"] != config_hash(wanted):
        raise UserError(
            f"{path} records a run with the settings {content['config']}, expected "
            f"{wanted}; remove the file to run it again"
        )
    return content


def record_run(run: StudyRun, folder: Path, work: Path, profile: Profile) -> dict:
    """Run it and record what came out."""
    measured = run.measure(work, profile)
    content = {
        "generated": GENERATED,
        "name": name_of(run),
        "numbers": {name: vars(number) for name, number in measured.numbers.items()},
        **measured.details,
        "config": plain(run.config),
        "config_hash": config_hash(plain(run.config)),
        "provenance": provenance(profile.name),
    }
    if measured.pictures is not None:
        column = Image.fromarray(np.concatenate(list(measured.pictures)))
        path = folder / f"{name_of(run)}.png"
        write_atomically(path, lambda file: column.save(file, format="PNG"))
    write_json(folder / f"{name_of(run)}.json", content)
    return content


def recorded_pictures(run: StudyRun, folder: Path) -> np.ndarray:
    """The pictures that were kept of a recorded run: uint8 [n, side, side, 3]."""
    column = np.asarray(Image.open(folder / f"{name_of(run)}.png"))
    return column.reshape(-1, column.shape[1], column.shape[1], 3)


def run_study(
    runs: Iterable[StudyRun], folder: Path, work: Path, profile: Profile
) -> None:
    """Record every run that is not recorded yet."""
    runs = list(runs)
    missing = [run for run in runs if recorded_run(run, folder) is None]
    say(f"{len(runs) - len(missing)} of {len(runs)} runs are recorded in {folder}")
    for number, run in enumerate(missing, start=1):
        say(f"{number} of {len(missing)}: {name_of(run)}")
        content = record_run(run, folder, work, profile)
        for name, found in list(content["numbers"].items())[:1]:
            scale = 100 if found["unit"].startswith("%") else 1
            say(f"  {name} {scale * found['value']:.2f}{found['unit'][:1]}")


def study_contents(runs: Iterable[StudyRun], folder: Path) -> dict[str, list[dict]]:
    """What is recorded, by group, seed after seed."""
    groups: dict[str, list[dict]] = {}
    for run in runs:
        content = recorded_run(run, folder)
        if content is not None:
            groups.setdefault(run.group, []).append(content)
    return groups


def study_table(runs: Iterable[StudyRun], folder: Path) -> dict[str, dict[str, Number]]:
    """Every group's numbers: one seed's as they are, of several the mean over seeds."""
    return {
        group: over_seeds(
            [
                {name: Number(**number) for name, number in found["numbers"].items()}
                for found in contents
            ]
        )
        for group, contents in study_contents(runs, folder).items()
    }


def summary(runs: Iterable[StudyRun], folder: Path, name: str = "study") -> dict:
    """All numbers of the runs as one result; they are named `<group>.<number>`.

    Its provenance is that of the run recorded last.
    """
    runs = list(runs)
    contents = [c for group in study_contents(runs, folder).values() for c in group]
    origins = [content["provenance"] for content in contents]
    return {
        "generated": GENERATED,
        "name": name,
        "numbers": {
            f"{group}.{name}": vars(number)
            for group, numbers in study_table(runs, folder).items()
            for name, number in numbers.items()
        },
        "seeds": sorted({run.seed for run in runs}),
        "seconds": round(sum(content["seconds"] for content in contents), 1),
        "note": f"{len(contents)} runs of {len(runs)} are recorded",
        "config": {},
        "config_hash": config_hash({}),
        "provenance": max(origins, key=lambda origin: origin["finished"]),
    }


def print_study(runs: Iterable[StudyRun], folder: Path) -> None:
    """One line a number: value, interval, examples and seeds."""
    print(f"{'unseen questions':72s}{'value':>8}  95% interval")
    for group, numbers in study_table(runs, folder).items():
        for name, number in numbers.items():
            scale = 100 if number.unit.startswith("%") else 1
            value, low, high = (
                scale * x for x in (number.value, number.low, number.high)
            )
            about = f"n = {number.n}, seeds {number.seeds}"
            label = f"{group}: {name}"
            print(f"{label:72s}{value:8.2f}  [{low:.2f}, {high:.2f}]  {about}")
