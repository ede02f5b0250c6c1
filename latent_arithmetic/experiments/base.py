"""What an experiment is: one run of a table, how it is measured and recorded."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np

from latent_arithmetic.config import Profile
from latent_arithmetic.records import Estimate, Record, find_record


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
        purpose: what the run is for, in a few words.
        config: everything that identifies the run, in plain values.
    """

    @property
    def name(self) -> str: ...

    @property
    def group(self) -> str: ...

    @property
    def purpose(self) -> str: ...

    @property
    def seed(self) -> int: ...

    @property
    def config(self) -> dict: ...

    def conflict(self, details: dict, folder: Path) -> str | None:
        """Why a run with such details cannot stand beside those recorded in a folder;
        None if it can."""

    def measure(self, work: Path, profile: Profile) -> Measurement:
        """Train below `work`, where a killed run is resumed, and measure."""


def find_recorded(experiment: Experiment, folder: Path) -> Record | None:
    """The record of this very run, or None if it has to be run.

    Raises:
        UserError: another configuration is recorded under its name.
    """
    return find_record(folder / f"{experiment.name}.json", experiment.config)
