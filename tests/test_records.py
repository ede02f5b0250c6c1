"""Estimates: intervals by hand, recording once, combining seeds, provenance."""

from dataclasses import replace

import pytest

from latent_arithmetic.io import UserError
from latent_arithmetic.plotting import format_estimate
from latent_arithmetic.records import (
    Estimate,
    Record,
    combine_seeds,
    estimates_by_group,
    find_record,
    mean_of_examples,
    mean_over_seeds,
    proportion,
    provenance,
    read_records,
)


def test_proportion_is_wilsons_interval():
    estimate = proportion(9, 10)  # Wilson score for 9/10: [0.596, 0.982]
    assert estimate.value == 0.9
    assert estimate.low == pytest.approx(0.5958, abs=1e-4)
    assert estimate.high == pytest.approx(0.9821, abs=1e-4)
    assert proportion(10, 10).high == 1.0 and estimate.unit == "%"
    with pytest.raises(ValueError):
        proportion(3, 2)


def test_mean_over_seeds_is_students():
    estimate = mean_over_seeds([1.0, 2.0, 3.0], n=50)  # sd 1, t(2) = 4.303
    assert (estimate.value, estimate.seeds, estimate.n) == (2.0, 3, 50)
    assert estimate.high - estimate.value == pytest.approx(4.303 / 3**0.5, abs=1e-3)
    fractions = mean_over_seeds([0.99, 1.0], n=5, unit="%")
    assert fractions.high == 1.0 and fractions.unit == "%"
    with pytest.raises(ValueError):
        mean_over_seeds([1.0], n=5)


def test_runs_that_agree_keep_the_interval_of_one():
    runs = [
        {"exact_match": proportion(50, 50), "gradient_energy": proportion(hits, 50)}
        for hits in (40, 45, 50)
    ]
    means = combine_seeds(runs)
    assert means["exact_match"] == replace(proportion(50, 50), seeds=3)
    assert means["gradient_energy"] == mean_over_seeds([0.8, 0.9, 1.0], n=50, unit="%")


def test_mean_of_examples():
    estimate = mean_of_examples([1.0, 3.0])  # sd sqrt(2), standard error 1
    assert estimate.value == 2.0
    assert estimate.low == pytest.approx(2 - 1.96, abs=1e-3)


def a_record(seed: int, value: float = 0.5, **config) -> Record:
    return Record(
        name=f"text-seed-{seed}",
        group="text",
        config={"seed": seed, "layers": (1, 2), **config},
        estimates={"exact_match": Estimate(value, value, value, 100, unit="%")},
        seeds=(seed,),
        provenance=provenance("smoke"),
    )


def test_a_recorded_run_is_found_by_its_configuration(tmp_path):
    record, path = a_record(1), tmp_path / "text-seed-1.json"
    assert find_record(path, record.config) is None
    record.write(path)
    found = find_record(path, record.config)
    assert found.estimates == record.estimates and found.seeds == (1,)
    assert found.provenance["profile"] == "smoke"
    assert "keras" in found.provenance["packages"]
    with pytest.raises(UserError, match="fraction: there None, wanted 0.5"):
        find_record(path, record.config | {"fraction": 0.5})


def test_records_are_combined_over_seeds(tmp_path):
    for seed, value in ((1, 0.8), (2, 0.9), (3, 1.0)):
        a_record(seed, value).write(tmp_path / f"text-seed-{seed}.json")
    (tmp_path / "other.json").write_text("{}")
    (group,) = estimates_by_group(read_records(tmp_path)).items()
    assert group == (
        "text",
        {"exact_match": mean_over_seeds([0.8, 0.9, 1.0], 100, "%")},
    )


def test_many_seeds_have_an_interval_too():
    values = [0.90 + 0.005 * seed for seed in range(15)]
    estimate = mean_over_seeds(values, n=100, unit="%")
    assert estimate.seeds == 15 and estimate.low < estimate.value < estimate.high


def test_ratios_may_exceed_one_and_are_printed_as_percentages():
    estimate = mean_over_seeds([1.01, 1.03, 1.02], 100, "% of real")
    assert estimate.low < 1.02 < estimate.high and estimate.high > 1.03
    assert format_estimate(estimate).startswith("102.00%")
    assert mean_over_seeds([0.99, 1.0, 1.0], 100, "%").high == 1.0
