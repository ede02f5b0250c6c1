"""Numbers: intervals by hand, recording once, provenance."""

import json
from dataclasses import replace

import pytest

from latent_arithmetic.publishing.numbers import format_value
from latent_arithmetic.results import (
    Number,
    mean_interval,
    mean_of_examples,
    over_seeds,
    proportion,
    record,
    recorded,
)


def test_proportion_is_wilsons_interval():
    number = proportion(9, 10)  # Wilson score for 9/10: [0.596, 0.982]
    assert number.value == 0.9
    assert number.low == pytest.approx(0.5958, abs=1e-4)
    assert number.high == pytest.approx(0.9821, abs=1e-4)
    assert proportion(10, 10).high == 1.0 and number.unit == "%"
    with pytest.raises(ValueError):
        proportion(3, 2)


def test_mean_interval_is_students():
    number = mean_interval([1.0, 2.0, 3.0], n=50)  # sd 1, t(2) = 4.303
    assert (number.value, number.seeds, number.n) == (2.0, 3, 50)
    assert number.high - number.value == pytest.approx(4.303 / 3**0.5, abs=1e-3)
    shares = mean_interval([0.99, 1.0], n=5, unit="%")
    assert shares.high == 1.0 and shares.unit == "%"
    with pytest.raises(ValueError):
        mean_interval([1.0], n=5)


def test_runs_that_agree_keep_the_interval_of_one():
    runs = [
        {"exact": proportion(50, 50), "sharp": proportion(hits, 50)}
        for hits in (40, 45, 50)
    ]
    means = over_seeds(runs)
    assert means["exact"] == replace(proportion(50, 50), seeds=3)
    assert means["sharp"] == mean_interval([0.8, 0.9, 1.0], n=50, unit="%")


def test_mean_of_examples():
    number = mean_of_examples([1.0, 3.0])  # sd sqrt(2), standard error 1
    assert number.value == 2.0
    assert number.low == pytest.approx(2 - 1.96, abs=1e-3)


def test_a_recorded_run_is_found_by_its_config(workspace):
    config = {"fraction": 0.9, "layers": (1, 2)}
    assert recorded(workspace, "exact", config) is None
    record(
        workspace,
        "exact",
        {"exact": Number(0.5, 0.4, 0.6, 100)},
        config=config,
        seconds=1.5,
    )
    again = recorded(workspace, "exact", config)
    assert again["numbers"]["exact"]["n"] == 100
    assert recorded(workspace, "exact", config | {"fraction": 0.5}) is None
    on_disk = json.loads((workspace.results / "exact.json").read_text())
    assert on_disk["provenance"]["profile"] == "smoke"
    assert "keras" in on_disk["provenance"]["packages"]


def test_ratios_may_exceed_one_and_are_printed_as_percentages():
    number = mean_interval([1.01, 1.03, 1.02], 100, "% of real")
    assert number.low < 1.02 < number.high and number.high > 1.03
    assert format_value(vars(number)) == "102.00"
    assert mean_interval([0.99, 1.0, 1.0], 100, "%").high == 1.0
