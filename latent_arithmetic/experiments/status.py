"""How far experiments are: what is recorded, running, failed and waiting."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from latent_arithmetic.experiments.base import Experiment, find_recorded
from latent_arithmetic.io import UserError, locked, read_json
from latent_arithmetic.plotting import show_table
from latent_arithmetic.records import Record, estimates_by_group

LOCK_NAME, STATUS_NAME, FAILED_NAME = ".lock", ".status.json", "failed"


def read_recorded(
    experiments: Iterable[Experiment], folder: Path, profile: str | None = None
) -> dict[str, Record]:
    """The records of experiments, by name.

    Raises:
        UserError: one is of another configuration, or of another profile.
    """
    found = {each.name: find_recorded(each, folder) for each in experiments}
    found = {name: record for name, record in found.items() if record is not None}
    for name, record in found.items():
        other = record.provenance.get("profile", profile)
        if profile and other != profile:
            raise UserError(
                f"{name} is recorded in {folder} with the profile {other}, not "
                f"{profile}; choose another folder with --records"
            )
    return found


def describe_driver(folder: Path) -> str:
    """What the driver of a folder is doing, by its own account."""
    try:
        about = read_json(folder / STATUS_NAME)
    except UserError:
        return "it is starting"
    running = ", ".join(about["running"]) or "nothing"
    return (
        f"process {about['process']} on {about['host']} runs {running}, "
        f"{about['waiting']} waiting"
    )


class Durations:
    """How long experiments take: the mean of a group's recorded ones, or of all known
    ones where a group has none."""

    def __init__(self, records: Iterable[Record]):
        self.by_group: dict[str, list[float]] = {}
        for record in records:
            if record.seconds:
                self.add(record.group, record.seconds)

    def add(self, group: str, seconds: float) -> None:
        self.by_group.setdefault(group, []).append(seconds)

    def total(self, groups: list[str], elapsed: list[float]) -> float | None:
        """Seconds of experiments of these groups, less what has elapsed of each; None
        if nothing is known."""
        every = sum(self.by_group.values(), [])
        if not every:
            return None
        known = [self.by_group.get(group, every) for group in groups]
        pairs = zip(known, elapsed, strict=True)
        return sum(max(0.0, sum(k) / len(k) - passed) for k, passed in pairs)


def format_time(seconds: float | None) -> str:
    """A duration to read: "2 h 5 min"."""
    if seconds is None:
        return "unknown time"
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    )


def show_status(
    experiments: Iterable[Experiment], folder: Path, profile: str | None = None
) -> None:
    """Print how many experiments are done, running, failed and waiting, and the time
    left by recorded durations."""
    experiments, running = list(experiments), {}
    records = read_recorded(experiments, folder, profile)
    if (folder / STATUS_NAME).is_file():
        with locked(folder / LOCK_NAME) as free, suppress(UserError):
            running = {} if free else read_json(folder / STATUS_NAME)["running"]
    left = [each for each in experiments if each.name not in records]
    kept = {path.stem for path in (folder / FAILED_NAME).glob("*.json")}
    failed = [e.name for e in left if e.name in kept and e.name not in running]
    waiting = len(left) - len(failed) - len(running)
    counts = f"{len(records)} done, {len(running)} running, {len(failed)} failed"
    print(f"{folder}: {counts}, {waiting} waiting")
    if left:
        durations = Durations(records.values())
        total = durations.total([each.group for each in left], [0.0] * len(left))
        print(f"time left: {format_time(total)}, one at a time")
    for name, since in running.items():
        print(f"running since {since}: {name}")
    for name in failed:
        about = read_json(folder / FAILED_NAME / f"{name}.json")
        print(f"failed: {name}: {about['error']}")


def show_experiments(
    experiments: Iterable[Experiment], folder: Path, profile: str | None = None
) -> None:
    """Print a line for every recorded estimate of the experiments."""
    groups = estimates_by_group(read_recorded(experiments, folder, profile).values())
    rows = [
        (f"{group}: {name}", estimate, estimate.n, estimate.seeds)
        for group, estimates in groups.items()
        for name, estimate in estimates.items()
    ]
    show_table(rows, ("experiment: estimate", "value [95% interval]", "n", "seeds"))
