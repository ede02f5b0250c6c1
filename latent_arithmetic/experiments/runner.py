"""Run experiments: each is recorded once, and an interrupted list of them is resumed.

A recorded run is a small JSON file below results/experiments/. What is recorded is not
run again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Protocol

import numpy as np
from PIL import Image

from latent_arithmetic.config import Profile
from latent_arithmetic.console import say
from latent_arithmetic.io import UserError, plain, write_atomically
from latent_arithmetic.plotting import format_estimate, show_table
from latent_arithmetic.records import (
    Estimate,
    Record,
    estimates_by_group,
    find_record,
    provenance,
)


@dataclass
class Measurement:
    """What an experiment found.

    Args:
        estimates: what tables show.
        details: anything else worth keeping, in plain values.
        seconds: wall-clock time of the training.
        images: uint8 [n, side, side, 3], a few samples; kept as a .png of one column.
    """

    estimates: dict[str, Estimate]
    details: dict = field(default_factory=dict)
    seconds: float = 0.0
    images: np.ndarray | None = None


class Experiment(Protocol):
    """One run: a configuration, and how it is trained and measured.

    Args:
        name: of the run; its group and its seed.
        group: what the seeds of one table row have in common.
        config: everything that identifies the run, in plain values.
    """

    @property
    def name(self) -> str: ...

    @property
    def group(self) -> str: ...

    @property
    def seed(self) -> int: ...

    @property
    def config(self) -> dict: ...

    def measure(self, work: Path, profile: Profile) -> Measurement:
        """Train below `work`, where a killed run is resumed, and measure."""


def select(experiments: Iterable[Experiment], names: Sequence[str]) -> list[Experiment]:
    """The experiments whose names start with one of `names`; all of them without any.

    Raises:
        UserError: no name starts so.
    """
    experiments = list(experiments)
    for start in names:
        if not any(each.name.startswith(start) for each in experiments):
            groups = {each.group for each in experiments}
            near = ", ".join(get_close_matches(start, groups, n=5, cutoff=0.0))
            raise UserError(
                f"no experiment's name starts with {start!r}; nearest are {near}"
            )
    return [each for each in experiments if each.name.startswith(tuple(names) or "")]


def find_recorded(experiment: Experiment, folder: Path) -> Record | None:
    """The record of this very run, or None if it has to be run.

    Raises:
        UserError: another configuration is recorded under its name.
    """
    return find_record(folder / f"{experiment.name}.json", experiment.config)


def run_and_record(
    experiment: Experiment, folder: Path, work: Path, profile: Profile
) -> Record:
    """Train, measure and record one experiment."""
    found = experiment.measure(work, profile)
    record = Record(
        name=experiment.name,
        group=experiment.group,
        config=plain(experiment.config),
        estimates=found.estimates,
        details=found.details,
        seeds=(experiment.seed,),
        seconds=round(found.seconds, 1),
        provenance=provenance(profile.name),
    )
    if found.images is not None:
        column = Image.fromarray(np.concatenate(list(found.images)))
        path = folder / f"{experiment.name}.png"
        write_atomically(path, lambda file: column.save(file, format="PNG"))
    record.write(folder / f"{experiment.name}.json")
    return record


def run_experiments(
    experiments: Iterable[Experiment], folder: Path, work: Path, profile: Profile
) -> None:
    """Run and record every experiment that is not recorded yet."""
    experiments = list(experiments)
    missing = [each for each in experiments if find_recorded(each, folder) is None]
    done = len(experiments) - len(missing)
    say(f"{done} of {len(experiments)} experiments are recorded in {folder}")
    for number, experiment in enumerate(missing, start=1):
        say(f"{number} of {len(missing)}: {experiment.name}")
        record = run_and_record(experiment, folder, work, profile)
        for name, estimate in list(record.estimates.items())[:1]:
            say(f"  {name} {format_estimate(estimate)}")


def show_experiments(experiments: Iterable[Experiment], folder: Path) -> None:
    """Print a line for every recorded estimate of the experiments."""
    records = [find_recorded(each, folder) for each in experiments]
    groups = estimates_by_group(record for record in records if record is not None)
    rows = [
        (f"{group}: {name}", estimate, estimate.n, estimate.seeds)
        for group, estimates in groups.items()
        for name, estimate in estimates.items()
    ]
    show_table(rows, ("experiment: estimate", "value [95% interval]", "n", "seeds"))
