"""Nothing that was recorded is lost or changed by the move to new names."""

import json
from pathlib import Path

import pytest

import migrate_records as migration
from latent_arithmetic.io import project_folder
from latent_arithmetic.records import Estimate, find_record

RESULTS = project_folder() / "results"
# Values of old configurations that have another name, or another form, now.
VALUES = {
    "ours": "default",
    "course": "baseline",
    "summary": "encoder-decoder",
    "attention": "attention-alignment-given",
    "place-aligned": "column-aligned",
    "mirror-clean": "commutative-grouped",
    "eye": "modular",
    "labels": "characters",
    "styles": "conditional-vae",
    "binary": "non-saturating",
    "states": "finite-state",
} | migration.PRESETS


def values_of(config) -> list:
    """All plain values of a configuration, nested ones included."""
    if isinstance(config, dict):
        return [value for each in config.values() for value in values_of(each)]
    return [config]


@pytest.mark.parametrize("folder", ["study", "replication"])
def test_every_run_keeps_its_numbers_and_its_configuration(folder, tmp_path):
    paths = sorted((RESULTS / folder).glob("*-seed-*.json"))
    assert migration.move_runs(RESULTS / folder, tmp_path) == len(paths) > 0
    known = migration.experiments_by_name()
    for path in paths:
        old, name = json.loads(path.read_text()), migration.new_name(path.stem)
        record = find_record(tmp_path / f"{name}.json", known[name].config)
        before = [Estimate(**each) for each in old["numbers"].values()]
        assert list(record.estimates.values()) == before
        assert record.provenance == old["provenance"]
        assert record.previous == {
            "name": old["name"],
            "config_hash": old["config_hash"],
        }
        kept = values_of(record.config)
        for value in values_of(old["config"]):
            assert value in kept or VALUES[value] in kept, (name, value)
        samples = path.with_suffix(".png")
        if samples.exists():
            moved = tmp_path / f"{name}.png"
            assert moved.read_bytes() == samples.read_bytes()


def test_every_benchmark_keeps_its_numbers():
    names = Path(__file__).with_name("benchmark-migration.json")
    for place, entry in json.loads(names.read_text()).items():
        old = json.loads((RESULTS.parent / place).read_text())
        record = migration.new_benchmark(old, entry["name"], entry["rows"])
        assert len(record.estimates) == len(old["numbers"])
        for row, each in old["numbers"].items():
            estimate = record.estimates[entry["rows"][row]]
            assert (estimate.value, estimate.low, estimate.high) == (
                each["value"],
                each["low"],
                each["high"],
            )
        assert record.details["repeats"] == old["details"]
