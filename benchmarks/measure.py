"""A stopwatch, the first check over a threshold, and numbers with their spread."""

import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from latent_arithmetic.provenance import provenance
from latent_arithmetic.results import Number, write_json

MADE_BY = "measured by `make bench`, anew every time it runs; do not edit"


class Stopwatch:
    """Seconds since it was made, without the time it was paused."""

    def __init__(self):
        self._started = time.perf_counter()

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self._started

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Do not count what happens meanwhile."""
        paused_at = time.perf_counter()
        try:
            yield
        finally:
            self._started += time.perf_counter() - paused_at


@dataclass(frozen=True)
class Check:
    """What a model could do at one moment of its training.

    seconds: of training until then. exact: share of exact answers, in [0, 1].
    """

    step: int
    seconds: float
    exact: float


def first_over(checks: Sequence[Check], threshold: float) -> Check | None:
    """The first check that reached the threshold, if any did."""
    return next((check for check in checks if check.exact >= threshold), None)


@dataclass(frozen=True)
class Attempt:
    """One training towards a threshold.

    seconds: until the first check over the threshold, checks not counted; if it was
        not reached, how long was tried, which is a lower bound.
    preparing: seconds of these before the second step: encoding, building, compiling.
    test_exact: share of exact answers to test questions afterwards, in [0, 1].
    """

    seed: int
    seconds: float
    preparing: float
    reached: bool
    steps: int
    validation_exact: float
    test_exact: float

    @property
    def warm_seconds(self) -> float:
        """Seconds without the preparation."""
        return self.seconds - self.preparing


def attempt_from(
    checks: Sequence[Check],
    threshold: float,
    *,
    seed: int,
    preparing: float,
    test_exact: float,
) -> Attempt:
    """What a history of checks comes to."""
    reached = first_over(checks, threshold)
    last = reached or checks[-1]
    return Attempt(
        seed=seed,
        seconds=last.seconds,
        preparing=preparing,
        reached=reached is not None,
        steps=last.step,
        validation_exact=last.exact,
        test_exact=test_exact,
    )


def spread(values: Sequence[float], unit: str, n: int = 1) -> Number:
    """The median of repeats, and the smallest and largest in place of an interval."""
    middle = statistics.median(values)
    return Number(middle, min(values), max(values), n, len(values), unit)


@dataclass(frozen=True)
class Row:
    """A line of the table: what was measured of whom.

    times: how many times better than the baseline. note: what a reader has to know.
    """

    what: str
    who: str
    number: Number
    times: str = ""
    note: str = ""


def ratio_text(ours: Number, baseline: Number, bound: str = "") -> str:
    """The baseline's median over ours; `bound` is '>' where it is a lower bound."""
    return f"{bound}{baseline.value / ours.value:.1f}x"


def print_rows(rows: Sequence[Row]) -> None:
    """Rows as an aligned table; the median, and all repeats lie in min..max."""
    header = ("what", "who", "median", "min..max", "unit", "repeats", "better", "")
    lines = [header] + [_cells(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        cells = zip(line, widths, strict=True)
        print("  ".join(cell.ljust(width) for cell, width in cells).rstrip())


def _cells(row: Row) -> tuple[str, ...]:
    number = row.number
    share = 100 if number.unit == "%" else 1
    value, low, high = (
        f"{share * x:.3g}" if abs(share * x) < 100 else f"{share * x:.0f}"
        for x in (number.value, number.low, number.high)
    )
    between, repeats = f"{low}..{high}", str(number.seeds)
    return row.what, row.who, value, between, number.unit, repeats, row.times, row.note


def record_rows(
    folder: Path, name: str, rows: Sequence[Row], note: str, details: dict
) -> Path:
    """Write `<name>.json`: every row, how it was measured, and each repeat."""
    path = folder / f"{name}.json"
    content = {
        "generated": MADE_BY,
        "name": name,
        "note": note,
        "spread": "value is the median of the repeats; low and high are min and max",
        "numbers": {
            f"{row.what}, {row.who}": vars(row.number)
            | {"repeats": row.number.seeds, "better": row.times, "note": row.note}
            for row in rows
        },
        "details": details,
        "provenance": provenance("benchmarks"),
    }
    write_json(path, content)
    return path
