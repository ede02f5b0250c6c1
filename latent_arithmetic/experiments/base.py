"""What an experiment is: one run of a table, how it is measured and recorded."""

from dataclasses import dataclass, field
from pathlib import Path

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


class Experiment:
    """A configuration with a seed, and how it is trained and measured.

    Attributes:
        name: GROUP-seed-SEED.
        group: what the seeds of one table row have in common.
        purpose: what it is for, in a few words.
        config: everything that identifies it, in plain values.
    """

    group: str
    purpose: str
    seed: int
    config: dict

    @property
    def name(self) -> str:
        return f"{self.group}-seed-{self.seed}"

    def measure(self, work: Path, profile: Profile) -> Measurement:
        """Train below `work`, where a killed training is resumed, and measure."""
        raise NotImplementedError

    def incompatibility(self, details: dict, folder: Path) -> str | None:
        """Why a result with such details cannot be compared with the records in a
        folder; None if it can."""

    def clean(self, work: Path) -> None:
        """Remove what is of no use once the result is recorded."""


def find_recorded(experiment: Experiment, folder: Path) -> Record | None:
    """The record of this very run, or None if it has to be run.

    Raises:
        UserError: another configuration is recorded under its name.
    """
    return find_record(folder / f"{experiment.name}.json", experiment.config)
