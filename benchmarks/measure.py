"""A stopwatch, and a benchmark's record: medians of repeats with their spread."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from latent_arithmetic.config import setting
from latent_arithmetic.console import say
from latent_arithmetic.io import plain
from latent_arithmetic.records import Estimate, Record, provenance

SPREAD = "value is the median of the repeats; low and high are min and max"


@dataclass(frozen=True)
class BenchmarkConfig:
    """How much is measured."""

    repeats: int = setting(3, "repeats of every measurement", low=1)
    baseline_epochs: int = setting(
        50, "epochs after which training of the text baseline stops", low=1
    )
    baseline_batch_size: int = setting(
        32, "queries in a training step of the text baseline", low=1
    )


class Stopwatch:
    """Seconds since it was made, without the time it was paused."""

    def __init__(self):
        self.set_to(0.0)

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    def set_to(self, seconds: float) -> None:
        """Go on from `seconds`, as if nothing had happened since it showed them."""
        self._started = time.perf_counter() - seconds

    @contextmanager
    def paused(self) -> Iterator[float]:
        """Do not count what happens meanwhile; gives the seconds until then."""
        seconds = self.seconds
        try:
            yield seconds
        finally:
            self.set_to(seconds)


@dataclass(frozen=True)
class Check:
    """A measurement of a model in training.

    Args:
        seconds: of training until then.
        value: such as the exact-match accuracy.
    """

    step: int
    seconds: float
    value: float


@dataclass(frozen=True)
class Attempt:
    """One training toward a threshold of exact-match accuracy.

    Args:
        seconds: until the first check at which the threshold was reached, checks not
            counted; if it was not reached, until the end: a lower bound.
        preparation_seconds: of these, before what the benchmark is about begins.
        validation_exact_match: at the last check, in [0, 1].
        test_exact_match: of test queries afterwards, in [0, 1].
    """

    seed: int
    seconds: float
    preparation_seconds: float
    reached: bool
    steps: int
    validation_exact_match: float
    test_exact_match: float

    @property
    def steady_state_seconds(self) -> float:
        """Seconds without the preparation."""
        return self.seconds - self.preparation_seconds


def finish_attempt(
    title: str,
    seed: int,
    check: Check,
    threshold: float,
    preparation_seconds: float,
    test_exact_match: float,
) -> Attempt:
    """What a training whose last check was `check` comes to; says it, too."""
    reached = check.value >= threshold
    outcome = "reached" if reached else "NOT reached"
    say(
        f"{title}, seed {seed}: {threshold:.0%} {outcome} after {check.seconds:.1f} s "
        f"({preparation_seconds:.1f} s of it preparation), step {check.step}; "
        f"exact match on test queries {test_exact_match:.1%}"
    )
    return Attempt(
        seed,
        check.seconds,
        preparation_seconds,
        reached,
        check.step,
        check.value,
        test_exact_match,
    )


def missed_note(attempts: Sequence[Attempt]) -> str:
    """How many attempts did not reach the threshold; empty if all did."""
    missed = sum(not attempt.reached for attempt in attempts)
    return f"{missed} of {len(attempts)} did not reach the threshold" if missed else ""


@dataclass
class Result:
    """What a benchmark measured.

    Args:
        note: how it was measured.
        config: everything that was chosen for the measurement.
        repeats: every single repeat, in plain values.
        others: more details.
        estimates: medians, by key.
        ratios: how many times better than the baseline, as text.
        notes: what a reader of one estimate has to know.
    """

    note: str
    config: dict
    repeats: dict
    others: dict = field(default_factory=dict)
    estimates: dict[str, Estimate] = field(default_factory=dict)
    ratios: dict[str, str] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)

    def add(
        self, key: str, values: Sequence[float], unit: str, n: int = 1, note: str = ""
    ) -> None:
        """Add the median of repeats, with the smallest and largest as its interval."""
        middle = statistics.median(values)
        self.estimates[key] = Estimate(
            middle, min(values), max(values), n, len(values), unit
        )
        if note:
            self.notes[key] = note

    def add_ratio(
        self, key: str, baseline: str, *, more_is_better: bool = False, bound: str = ""
    ) -> None:
        """Add how many times better an estimate is than that of the baseline.

        Args:
            more_is_better: for a throughput; a time is better if it is smaller.
            bound: ">" where the ratio is a lower bound.
        """
        ratio = self.estimates[baseline].value / self.estimates[key].value
        self.ratios[key] = f"{bound}{1 / ratio if more_is_better else ratio:.1f}x"

    def record(self, name: str, seconds: float = 0.0) -> Record:
        """The record of the benchmark `name`."""
        repeats = max(estimate.seeds for estimate in self.estimates.values())
        details = {
            "ratio_to_baseline": self.ratios,
            "notes": self.notes,
            "repeats": self.repeats,
            "spread": SPREAD,
        }
        return Record(
            name=name,
            group=name,
            config=plain({"repeats": repeats} | self.config),
            estimates=self.estimates,
            details=plain(details | self.others),
            seeds=tuple(range(1, repeats + 1)),
            seconds=round(seconds, 1),
            note=self.note,
            provenance=provenance("benchmarks"),
        )
