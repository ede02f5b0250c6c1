"""Run experiments, record each exactly once, and tell how far they are.

Only the driver writes records; a second one on the same folder is turned away. What is
recorded is not run again. A run whose process dies is started again, a few times; one
that ends in an error is kept as failed/NAME.json, and the rest goes on.
"""

import base64
import os
import platform
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from tqdm import tqdm

from latent_arithmetic.config import Profile
from latent_arithmetic.console import say
from latent_arithmetic.experiments.base import Experiment, find_recorded
from latent_arithmetic.experiments.catalog import CATALOG, check_measuring
from latent_arithmetic.experiments.executors import Ended, OnRay, threads
from latent_arithmetic.experiments.worker import Job
from latent_arithmetic.io import (
    UserError,
    locked,
    plain,
    read_json,
    write_atomically,
    write_json,
)
from latent_arithmetic.plotting import format_estimate, show_table
from latent_arithmetic.records import (
    GENERATED,
    Estimate,
    Record,
    estimates_by_group,
    read_records,
)

RETRIES, MEMORY_RETRIES = 3, 1  # of a run whose process died
LOCK_NAME, STATUS_NAME, FAILED_NAME = ".lock", ".status.json", "failed"
POLL_SECONDS = 1.0
SECOND_DRIVER = 3  # exit status


class FolderBusy(UserError):
    """Another driver records into the folder."""

    status = SECOND_DRIVER


@dataclass
class Driver:
    """Runs experiments and records them in one folder.

    Args:
        executor: where they run, see `executors`.
        records: folder of the records.
        work: folder below which models are trained.
        catalog: "module:function" that returns all experiments, for the workers.
    """

    executor: object
    records: Path
    work: Path
    profile: Profile
    catalog: str = CATALOG

    def run(self, experiments: Iterable[Experiment]) -> list[str]:
        """Run and record every experiment that is not recorded yet.

        Returns:
            The names of those that failed.

        Raises:
            FolderBusy: another driver records into the folder.
        """
        experiments = list(experiments)
        with only_driver(self.records):
            missing = [e for e in experiments if not find_recorded(e, self.records)]
            done = len(experiments) - len(missing)
            say(f"{done} of {len(experiments)} runs are recorded in {self.records}")
            if missing and not isinstance(self.executor, OnRay):
                check_measuring(missing, self.records, self.work, self.profile)
            self.experiments = {each.name: each for each in missing}
            self.waiting, self.failed = deque(self.experiments), []
            self.running: dict[str, float] = {}
            self.deaths: Counter = Counter()
            self.neighbors: Counter = Counter()  # most runs beside each
            self.durations = Durations(self.records, experiments)
            display = Display(len(missing), self)
            try:
                while self.waiting or self.running:
                    self._start()
                    for ended in self.executor.wait(POLL_SECONDS):
                        self._end(ended)
                        display.finished(ended.job.name)
                    display.refresh()
            finally:
                display.close()
                self.executor.stop()
                (self.records / STATUS_NAME).unlink(missing_ok=True)
        return self.failed

    def _start(self) -> None:
        while self.waiting and len(self.running) < self.executor.slots:
            name = self.waiting.popleft()
            self.running[name] = time.time()
            for each in self.running:
                beside = len(self.running) - 1
                self.neighbors[each] = max(self.neighbors[each], beside)
            self._write_status()
            self.executor.start(self._job(name))

    def _job(self, name: str) -> Job:
        work = str(self.work.resolve())
        return Job(name, self.profile.name, work, self.catalog, threads())

    def _end(self, ended: Ended) -> None:
        name = ended.job.name
        seconds = time.time() - self.running.pop(name)
        if ended.answer is None:
            self.deaths[name] += 1
            most = MEMORY_RETRIES if ended.out_of_memory else RETRIES
            say(f"{name}: {ended.death}")
            if self.deaths[name] <= most:
                self.waiting.append(name)
            else:
                self._fail(name, {"error": ended.death, "traceback": ""})
        elif "error" in ended.answer:
            self._fail(name, ended.answer)
        else:
            experiment, result = self.experiments[name], ended.answer["result"]
            self.durations.add(experiment.group, seconds)
            problem = experiment.conflict(result["details"], self.records)
            if problem:
                self._fail(name, {"error": problem, "traceback": ""})
            else:
                self._record(experiment, result)
        self._write_status()

    def _fail(self, name: str, answer: dict) -> None:
        """Keep what went wrong with a run, beside the records."""
        self.failed.append(name)
        path = self.records / FAILED_NAME / f"{name}.json"
        about = {"name": name, "deaths": self.deaths[name], "host": platform.node()}
        write_json(path, {"generated": GENERATED, **about, **answer})
        say(f"{name} failed: {answer['error']} ({path})")

    def _record(self, experiment: Experiment, result: dict) -> None:
        """Write the samples, then the record, atomically."""
        name, beside = experiment.name, self.neighbors[experiment.name]
        record = Record(
            name=name,
            group=experiment.group,
            config=plain(experiment.config),
            estimates={k: Estimate(**v) for k, v in result["estimates"].items()},
            details=result["details"],
            seeds=(experiment.seed,),
            seconds=result["seconds"],
            note=f"{beside} other runs beside it: no time to quote" if beside else "",
            provenance=result["provenance"] | {"runs_beside": beside},
        )
        warn_of_processors(record, self.records)
        if result["images"]:
            png = base64.b64decode(result["images"])
            write_atomically(self.records / f"{name}.png", lambda file: file.write(png))
        record.write(self.records / f"{name}.json")
        (self.records / FAILED_NAME / f"{name}.json").unlink(missing_ok=True)
        with suppress(OSError):
            (self.records / FAILED_NAME).rmdir()  # if it is empty now
        first = next(iter(record.estimates.items()), None)
        if first:
            say(f"{name}: {first[0]} {format_estimate(first[1])}")

    def _write_status(self) -> None:
        about = {
            "process": os.getpid(),
            "host": platform.node(),
            "on": type(self.executor).__name__,
            "running": {name: _iso(start) for name, start in self.running.items()},
            "waiting": list(self.waiting),
        }
        write_json(self.records / STATUS_NAME, about)

    def seconds_left(self) -> float | None:
        """Expected time until all are done; None where nothing is known."""
        now = time.time()
        left = [
            self.durations.expected(self.experiments[n].group) for n in self.waiting
        ]
        for name, start in self.running.items():
            expected = self.durations.expected(self.experiments[name].group)
            left.append(expected and max(0.0, expected - (now - start)))
        if any(each is None for each in left):
            return None
        return sum(left) / max(1, min(self.executor.slots, len(left)))


def _iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="seconds")


@contextmanager
def only_driver(records: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system releases even if we are killed.

    Raises:
        FolderBusy: another driver holds it; the message says what it does.
    """
    records.mkdir(parents=True, exist_ok=True)
    with locked(records / LOCK_NAME) as free:
        if not free:
            raise FolderBusy(
                f"another driver records into {records}: {describe_driver(records)}; "
                "wait for it, or choose another folder with --records"
            )
        yield


def describe_driver(records: Path) -> str:
    """What the driver of a folder is doing, by its own account."""
    try:
        about = read_json(records / STATUS_NAME)
    except UserError:
        return "it is starting"
    running = ", ".join(about["running"]) or "no run"
    return (
        f"process {about['process']} on {about['host']}, running {running}, "
        f"{len(about['waiting'])} waiting"
    )


def warn_of_processors(record: Record, folder: Path) -> None:
    """Say so if a table row gets runs of different processors."""
    others = [each for each in read_records(folder) if each.group == record.group]
    devices = {each.provenance.get("device", "") for each in (*others, record)}
    if len(devices) > 1:
        say(
            f"warning: {record.group} now has runs of different processors "
            f"({'; '.join(sorted(devices))}), which round differently; its row says so"
        )


class Durations:
    """How long runs take: by recorded runs of a group, else by those seen so far."""

    def __init__(self, records: Path, experiments: Sequence[Experiment]):
        self.by_group: dict[str, list[float]] = {}
        wanted = {each.group for each in experiments}
        for record in read_records(records):
            if record.group in wanted and record.seconds:
                self.add(record.group, record.seconds)

    def add(self, group: str, seconds: float) -> None:
        self.by_group.setdefault(group, []).append(seconds)

    def expected(self, group: str) -> float | None:
        """Seconds that a run of the group takes; None if nothing is known."""
        known = self.by_group.get(group) or sum(self.by_group.values(), [])
        return sum(known) / len(known) if known else None


class Display:
    """On a terminal a bar with the time left and a line a run; else single lines."""

    def __init__(self, total: int, driver: Driver):
        self.driver, self.total, self.done = driver, total, 0
        self.live = sys.stderr.isatty() and driver.executor.slots > 1 and total > 0
        self.lines: list[tqdm] = []
        if self.live:
            form = "{n_fmt}/{total_fmt} runs |{bar}| {elapsed}{postfix}"
            self.bar = tqdm(total=total, bar_format=form, ncols=100)
            self.lines = [
                tqdm(bar_format="{desc}", position=place + 1, leave=False, ncols=100)
                for place in range(min(total, driver.executor.slots))
            ]

    def finished(self, name: str) -> None:
        self.done = self.total - len(self.driver.waiting) - len(self.driver.running)
        left = format_time(self.driver.seconds_left())
        if self.live:
            self.bar.n = self.done
            self.bar.set_postfix_str(f"{left} left")
        else:
            say(f"{self.done} of {self.total} done, {left} left")

    def refresh(self) -> None:
        """Show the last line of every run."""
        names = list(self.driver.running)
        for place, line in enumerate(self.lines):
            text = ""
            if place < len(names):
                said = self.driver.executor.last_line(self.driver._job(names[place]))
                text = f"  {names[place]}: {said}"[:100]
            line.set_description_str(text)

    def close(self) -> None:
        for line in self.lines:
            line.close()
        if self.live:
            self.bar.close()


def format_time(seconds: float | None) -> str:
    """A duration to read: "2 h 5 min"."""
    if seconds is None:
        return "unknown time"
    minutes = round(seconds / 60)
    return (
        f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min"
    )


def show_status(experiments: Iterable[Experiment], records: Path) -> None:
    """Print how many experiments are done, running, failed and waiting, and the time
    left by recorded durations."""
    experiments = list(experiments)
    done = [each for each in experiments if find_recorded(each, records)]
    running: dict[str, str] = {}
    if records.is_dir():
        with locked(records / LOCK_NAME) as free:
            if not free:
                with suppress(UserError):
                    running = read_json(records / STATUS_NAME)["running"]
    recorded = {each.name for each in done}
    failed = {path.stem for path in (records / FAILED_NAME).glob("*.json")}
    durations = Durations(records, experiments)
    left = [e for e in experiments if e.name not in recorded]
    waiting = [e for e in left if e.name not in running and e.name not in failed]
    expected = [durations.expected(each.group) for each in left]
    known = [each for each in expected if each is not None]
    total = sum(known) if len(known) == len(expected) else None
    counts = f"{len(done)} done, {len(running)} running, {len(failed)} failed"
    print(f"{records}: {counts}, {len(waiting)} waiting")
    if left:
        print(f"time left: {format_time(total)}, one run at a time")
    for name, since in running.items():
        print(f"running since {since}: {name}")
    for name in sorted(failed):
        about = read_json(records / FAILED_NAME / f"{name}.json")
        print(f"failed: {name}: {about['error']}")


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
