"""All experiments, by name."""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches

from latent_arithmetic.experiments import images, seq2seq_runs
from latent_arithmetic.experiments.base import Experiment
from latent_arithmetic.io import UserError

CATALOG = f"{__name__}:all_experiments"  # what a worker in another process looks up


def all_experiments() -> list[Experiment]:
    """Every experiment of the tables, in the order in which they are run."""
    return [*seq2seq_runs.all_experiments(), *images.all_experiments()]


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
