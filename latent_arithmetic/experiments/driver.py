"""Run experiments, record each exactly once, and tell how far they are.

Only the driver writes records; a second one on the same folder exits with status 3.
What is recorded is not run again. An experiment whose process crashes is started
again, a few times; one that ends in an error is kept as failed/NAME.json, and the rest
goes on.
"""

import base64
import os
import platform
import sys
import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path

from tqdm import tqdm

from latent_arithmetic.config import Profile
from latent_arithmetic.console import say
from latent_arithmetic.experiments.base import Experiment
from latent_arithmetic.experiments.catalog import CATALOG
from latent_arithmetic.experiments.executors import (
    Executor,
    Outcome,
    RayCluster,
    threads,
)
from latent_arithmetic.experiments.images import check_recorded_extractors
from latent_arithmetic.experiments.status import (
    FAILED_NAME,
    LOCK_NAME,
    STATUS_NAME,
    Durations,
    describe_driver,
    format_time,
    read_recorded,
)
from latent_arithmetic.experiments.worker import Job
from latent_arithmetic.io import (
    UserError,
    locked,
    make_folder,
    plain,
    write_atomically,
    write_json,
)
from latent_arithmetic.plotting import format_estimate
from latent_arithmetic.records import (
    GENERATED,
    Estimate,
    Record,
)

RETRIES, MEMORY_RETRIES = 3, 1  # of an experiment whose process crashed
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
        folder: of the records.
        work: folder below which models are trained.
        catalog: "module:function" that returns all experiments, for the workers.
    """

    executor: Executor
    folder: Path
    work: Path
    profile: Profile
    catalog: str = CATALOG
    records: dict[str, Record] = field(init=False, default_factory=dict)
    missing: dict[str, Experiment] = field(init=False, default_factory=dict)
    waiting: deque[str] = field(init=False, default_factory=deque)
    running: dict[str, float] = field(init=False, default_factory=dict)  # since when
    failed: list[str] = field(init=False, default_factory=list)
    crashes: Counter = field(init=False, default_factory=Counter)
    concurrent: Counter = field(init=False, default_factory=Counter)  # others, at most

    def run(self, experiments: Iterable[Experiment]) -> list[str]:
        """Run and record every experiment that is not recorded yet.

        Returns:
            The names of those that failed.

        Raises:
            FolderBusy: another driver records into the folder.
        """
        experiments = list(experiments)
        try:
            with exclusive_driver(self.folder):
                self._write_status()
                name = self.profile.name
                self.records = read_recorded(experiments, self.folder, name)
                left = [each for each in experiments if each.name not in self.records]
                self.missing = {each.name: each for each in left}
                done = len(self.records)
                say(f"{done} of {len(experiments)} are recorded in {self.folder}")
                if left and not isinstance(self.executor, RayCluster):
                    arguments = (self.folder, self.work, self.profile)
                    check_recorded_extractors(left, *arguments)
                self._run_missing()
        finally:
            self.executor.stop()
        return self.failed

    def _run_missing(self) -> None:
        self.waiting = deque(self.missing)
        self.durations = Durations(self.records.values())
        display = Display(self)
        try:
            while self.waiting or self.running:
                self._start()
                for outcome in self.executor.wait(POLL_SECONDS):
                    self._end(outcome)
                    display.ended()
                display.refresh()
        finally:
            display.close()
            (self.folder / STATUS_NAME).unlink(missing_ok=True)

    def _start(self) -> None:
        while self.waiting and len(self.running) < self.executor.slots:
            name = self.waiting.popleft()
            self.running[name] = time.time()
            for each in self.running:
                others = len(self.running) - 1
                self.concurrent[each] = max(self.concurrent[each], others)
            self._write_status()
            work = str(self.work.resolve())
            job = Job(name, self.profile.name, work, self.catalog, threads())
            self.executor.start(job)

    def _end(self, outcome: Outcome) -> None:
        name = outcome.name
        seconds = time.time() - self.running.pop(name)
        reply = outcome.reply or {}
        if outcome.reply is None:
            self.crashes[name] += 1
            most = MEMORY_RETRIES if outcome.out_of_memory else RETRIES
            say(f"{name}: {outcome.crash}")
            if self.crashes[name] <= most:
                self.waiting.append(name)
            else:
                self._fail(name, outcome.crash)
        elif "error" in reply:
            self._fail(name, reply["error"], reply)
        else:
            self.durations.add(self.missing[name].group, seconds)
            self._record(self.missing[name], reply["result"])
        self._write_status()

    def _fail(self, name: str, error: str, reply: dict | None = None) -> None:
        """Keep what went wrong with an experiment, beside the records."""
        self.failed.append(name)
        path = self.folder / FAILED_NAME / f"{name}.json"
        about = {"generated": GENERATED, "name": name, "crashes": self.crashes[name]}
        write_json(path, about | {"error": error} | (reply or {}))
        say(f"{name} failed: {error} ({path})")

    def _record(self, experiment: Experiment, result: dict) -> None:
        """Write the samples, then the record, atomically."""
        name, config = experiment.name, plain(experiment.config)
        if result["config"] != config:
            self._fail(name, "the code was changed since the driver was started")
            return
        problem = experiment.incompatibility(result["details"], self.folder)
        if problem:
            self._fail(name, problem)
            return
        others = self.concurrent[name]
        record = Record(
            name=name,
            group=experiment.group,
            config=config,
            estimates={k: Estimate(**v) for k, v in result["estimates"].items()},
            details=result["details"],
            seeds=(experiment.seed,),
            seconds=result["seconds"],
            note=f"up to {others} others ran at the same time" if others else "",
            provenance=result["provenance"] | {"concurrent": others},
        )
        if result["png"]:
            png = base64.b64decode(result["png"])
            write_atomically(self.folder / f"{name}.png", lambda file: file.write(png))
        record.write(self.folder / f"{name}.json")
        self.records[name] = record
        experiment.clean(self.work)
        with suppress(OSError):
            (self.folder / FAILED_NAME / f"{name}.json").unlink(missing_ok=True)
            (self.folder / FAILED_NAME).rmdir()  # if it is empty now
        warn_if_devices_differ(record, self.records.values())
        for key, estimate in list(record.estimates.items())[:1]:
            say(f"{name}: {key} {format_estimate(estimate)}")

    def _write_status(self) -> None:
        """Tell others what runs; without it the work goes on."""
        about = {
            "process": os.getpid(),
            "host": platform.node(),
            "running": {name: _iso(start) for name, start in self.running.items()},
            "waiting": len(self.waiting),
        }
        with suppress(UserError):
            write_json(self.folder / STATUS_NAME, about)

    def seconds_left(self) -> float | None:
        """Expected time until all are done; None where nothing is known."""
        now = time.time()
        elapsed = {name: now - start for name, start in self.running.items()}
        names = [*self.waiting, *self.running]
        groups = [self.missing[name].group for name in names]
        total = self.durations.total(groups, [elapsed.get(name, 0) for name in names])
        return total and total / max(1, min(self.executor.slots, len(names)))


def _iso(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, timezone.utc)
    return moment.isoformat(timespec="seconds")


@contextmanager
def exclusive_driver(folder: Path) -> Iterator[None]:
    """Hold the folder's lock, which the system releases even if we are killed.

    Raises:
        FolderBusy: another driver holds it; the message says what it does.
    """
    make_folder(folder)
    with locked(folder / LOCK_NAME) as free:
        if not free:
            raise FolderBusy(
                f"another driver records into {folder}: {describe_driver(folder)}; "
                "wait for it, or choose another folder with --records"
            )
        yield


def warn_if_devices_differ(record: Record, records: Iterable[Record]) -> None:
    """Say so if a table row has runs of different processors."""
    group = [each for each in records if each.group == record.group]
    devices = sorted({each.provenance.get("device", "") for each in group})
    if len(devices) > 1:
        say(
            f"warning: {record.group} now has runs of different processors "
            f"({'; '.join(devices)}), which round differently; its row says so"
        )


class Display:
    """On a terminal a bar with the time left and a line for each experiment that runs;
    else a line for each that has ended."""

    def __init__(self, driver: Driver):
        self.driver, self.total = driver, len(driver.missing)
        slots = min(self.total, driver.executor.slots)
        self.bar, self.lines = None, []
        if sys.stderr.isatty() and slots > 1:
            form = "{n_fmt}/{total_fmt} |{bar}| {elapsed}{postfix}"
            self.bar = tqdm(total=self.total, bar_format=form, ncols=100)
            self.lines = [
                tqdm(bar_format="{desc}", position=place + 1, leave=False, ncols=100)
                for place in range(slots)
            ]

    def ended(self) -> None:
        """Count what is done, and say how long the rest will take."""
        done = self.total - len(self.driver.waiting) - len(self.driver.running)
        left = format_time(self.driver.seconds_left())
        if self.bar is None:
            say(f"{done} of {self.total} done, {left} left")
            return
        self.bar.n = done
        self.bar.set_postfix_str(f"{left} left")

    def refresh(self) -> None:
        """Show the last line of every experiment that runs."""
        names = [*self.driver.running, *[""] * len(self.lines)]
        for line, name in zip(self.lines, names, strict=False):
            text = f"  {name}: {self.driver.executor.last_line(name)}" if name else ""
            line.set_description_str(text[:100])

    def close(self) -> None:
        for line in (*self.lines, self.bar):
            if line is not None:
                line.close()
