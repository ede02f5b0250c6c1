"""Experiments are recorded once, tell their configuration, and are combined."""

from dataclasses import dataclass, field

import numpy as np
import pytest

from latent_arithmetic.config import SMOKE
from latent_arithmetic.experiments import images, runner, seq2seq
from latent_arithmetic.io import UserError
from latent_arithmetic.records import fraction_of, read_groups, records_folder


@dataclass
class Coin:
    """An experiment that trains nothing."""

    seed: int
    bias: float = 0.5
    group: str = "coin"
    measured: list = field(default_factory=list, compare=False)

    @property
    def name(self) -> str:
        return f"{self.group}-seed-{self.seed}"

    @property
    def config(self) -> dict:
        return {"seed": self.seed, "bias": self.bias}

    def measure(self, work, profile) -> runner.Measurement:
        self.measured.append(self.seed)
        hits = np.arange(100) < 100 * self.bias + self.seed
        samples = np.zeros((3, 8, 8, 3), "uint8")
        return runner.Measurement(
            {"exact_match": fraction_of(hits)}, {"parameters": 1}, 1.23, samples
        )


def test_a_recorded_experiment_is_not_run_again(tmp_path, capsys):
    measured = []
    coins = [Coin(seed, measured=measured) for seed in (1, 2)]
    runner.run_experiments(coins[:1], tmp_path, tmp_path / "work", SMOKE)
    runner.run_experiments(coins, tmp_path, tmp_path / "work", SMOKE)
    assert measured == [1, 2]
    record = runner.find_recorded(coins[1], tmp_path)
    assert record.seeds == (2,) and record.seconds == 1.2
    assert record.estimates["exact_match"].value == 0.52
    assert (tmp_path / "coin-seed-2.png").is_file()
    with pytest.raises(UserError, match="bias: there 0.5, wanted 0.7"):
        runner.find_recorded(Coin(1, bias=0.7), tmp_path)
    runner.show_experiments(coins, tmp_path)
    assert "coin: exact_match" in capsys.readouterr().out


def test_experiments_are_selected_by_the_start_of_their_names():
    experiments = images.all_experiments()
    chosen = runner.select(
        experiments, ["cryptopunks-vae-default-seed", "utkface-gan-baseline"]
    )
    assert [each.seed for each in chosen] == [1, 2, 3, 1, 2, 3]
    assert runner.select(experiments, []) == experiments
    with pytest.raises(UserError, match="punks-vae.*cryptopunks-vae-default"):
        runner.select(experiments, ["punks-vae"])


def test_what_is_recorded_belongs_to_the_experiments():
    """No committed record is of another configuration than its experiment."""
    known = [*images.all_experiments(), *seq2seq.all_experiments()]
    asked = {each.name: each for each in known}
    assert len(asked) == len(known)
    found = sorted(path.stem for path in records_folder().glob("*.json"))
    assert found and set(found) <= asked.keys()
    for name in found:
        record = runner.find_recorded(asked[name], records_folder())
        assert record.group == asked[name].group
        assert record.seeds == (asked[name].seed,)
        assert all(each.n > 0 for each in record.estimates.values())
    assert set(read_groups()) == {asked[name].group for name in found}


def test_headline_rows_have_five_seeds_and_none_is_the_chosen_one():
    seeds: dict[str, set[int]] = {}
    for each in seq2seq.all_experiments():
        seeds.setdefault(each.group, set()).add(each.seed)
    for group in (
        "text-to-text-attention-alignment-given-random-10",
        "image-to-text-modular-answers",
        "text-to-image-conditional-vae",
    ):
        assert len(seeds[group]) == 5
    assert {len(found) for found in seeds.values()} == {3, 5}
    assert not any(0 in found for found in seeds.values())
