"""What `make bench` recorded, as one result that the notebook and the report show."""

import re
from pathlib import Path

from latent_arithmetic.provenance import config_hash
from latent_arithmetic.results import GENERATED, read_results
from latent_arithmetic.workspace import project_folder


def benchmark_folder() -> Path:
    """Where `make bench` records; its files are committed."""
    return project_folder() / "results" / "benchmarks"


def recorded_speed(folder: Path, only: tuple[str, ...] = ()) -> dict | None:
    """All rows of all benchmarks as one result, or None if there is none.

    only: names of benchmarks; without, all of them.
    Its numbers are named after the rows, in small letters, digits and hyphens;
    `<row>-better` says how many times better than the course baseline.
    """
    found = read_results(folder)
    contents = [found[name] for name in found if name in (only or found)]
    if not contents:
        return None
    numbers = {}
    for content in contents:
        for row, entry in content["numbers"].items():
            name = re.sub(r"[^a-z0-9]+", "-", row.lower()).strip("-")
            numbers[name] = entry
            if entry["better"]:
                numbers[f"{name}-better"] = {"value": entry["better"]}
    return {
        "generated": GENERATED,
        "name": "speed",
        "numbers": numbers,
        "seeds": list(range(1, 1 + max(e.get("seeds", 1) for e in numbers.values()))),
        "seconds": 0,
        "note": " ".join(content["note"] for content in contents),
        "config": {},
        "config_hash": config_hash({}),
        "provenance": max(
            (content["provenance"] for content in contents),
            key=lambda origin: origin["finished"],
        ),
    }


def print_speed(measured: dict | None) -> None:
    """A line a row: median, smallest and largest of the repeats, times better."""
    if measured is None:
        print(f"nothing is recorded in {benchmark_folder()}; `make bench` records it")
        return
    numbers = measured["numbers"]
    for row, entry in numbers.items():
        if row.endswith("-better"):
            continue
        scale = 100 if entry["unit"] == "%" else 1
        value, low, high = (scale * entry[key] for key in ("value", "low", "high"))
        better = numbers.get(f"{row}-better", {"value": ""})["value"]
        print(
            f"{row.replace('-', ' '):58s}{value:9.4g} {entry['unit']:11s}"
            f"[{low:.4g}, {high:.4g}]{entry['repeats']:3d} repeats{better:>9s}"
        )
