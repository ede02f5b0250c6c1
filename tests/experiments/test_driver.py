"""Experiments are recorded once, whatever happens to the processes that run them."""

import os
import subprocess
import sys
from importlib.util import find_spec

import pytest

from latent_arithmetic.config import SMOKE
from latent_arithmetic.experiments import catalog, images, seq2seq_runs
from latent_arithmetic.experiments.base import find_recorded
from latent_arithmetic.experiments.driver import (
    Driver,
    FolderBusy,
)
from latent_arithmetic.experiments.executors import InProcess, RayCluster, Subprocesses
from latent_arithmetic.experiments.status import (
    LOCK_NAME,
    format_time,
    show_experiments,
    show_status,
)
from latent_arithmetic.io import UserError, locked, read_json
from latent_arithmetic.records import read_groups, read_record, records_folder
from tests.experiments.coins import CATALOG, PROJECT, Coin, all_coins


@pytest.fixture(autouse=True)
def workers_find_the_coins(monkeypatch):
    known = os.environ.get("PYTHONPATH", "")
    monkeypatch.setenv("PYTHONPATH", f"{PROJECT}{os.pathsep}{known}")
    monkeypatch.setenv("KERAS_BACKEND", "numpy")  # imported faster; coins train nothing


def drive(coins, folder, executor=None):
    executor = executor or InProcess()
    return Driver(executor, folder, folder / "work", SMOKE, CATALOG).run(coins)


def assert_same(folder, name):
    """One run's record in folder/a and folder/b, but for times and provenance."""
    records = [read_json(folder / part / f"{name}.json") for part in "ab"]
    for record in records:
        del record["provenance"], record["note"], record["seconds"]
    assert records[0] == records[1]
    pngs = [(folder / part / f"{name}.png").read_bytes() for part in "ab"]
    assert pngs[0] == pngs[1]


def test_a_recorded_experiment_is_not_run_again(tmp_path, capsys):
    coins = all_coins()[:2]
    assert drive(coins[:1], tmp_path) == drive(coins, tmp_path) == []
    for coin in coins:
        assert (tmp_path / "work" / f"{coin.name}.count").read_text() == "measured\n"
    record = find_recorded(coins[1], tmp_path)
    assert record.seeds == (2,) and record.seconds == 1.2
    assert record.estimates["exact_match"].value == 0.52
    assert record.provenance["concurrent"] == 0
    assert (tmp_path / "coin-seed-2.png").is_file()
    with pytest.raises(UserError, match="bias: there 0.5, wanted 0.7"):
        find_recorded(Coin(1, bias=0.7), tmp_path)
    show_experiments(coins, tmp_path)
    assert "coin: exact match" in capsys.readouterr().out
    show_status(all_coins(), tmp_path)
    assert "2 done, 0 running, 0 failed, 7 waiting" in capsys.readouterr().out


def test_an_error_is_kept_and_the_rest_goes_on(tmp_path, capsys):
    coins = all_coins()[1:3]
    assert drive(coins, tmp_path) == ["coin-seed-3"]
    assert find_recorded(coins[0], tmp_path) and not find_recorded(coins[1], tmp_path)
    about = read_json(tmp_path / "failed" / "coin-seed-3.json")
    assert about["error"] == "ValueError: the coin is lost"
    assert "in measure" in about["traceback"]
    show_status(coins, tmp_path)
    assert "failed: coin-seed-3: ValueError" in capsys.readouterr().out
    assert not list(tmp_path.glob(".status*"))


def test_a_second_driver_changes_nothing(tmp_path):
    with locked(tmp_path / LOCK_NAME):
        other = (
            "from latent_arithmetic.io import locked; from pathlib import Path\n"
            f"with locked(Path({str(tmp_path / LOCK_NAME)!r})) as free: print(free)"
        )
        run = subprocess.run(
            [sys.executable, "-c", other], capture_output=True, text=True
        )
        assert run.stdout == "False\n"
        with pytest.raises(FolderBusy, match="it is starting") as error:
            drive(all_coins()[:1], tmp_path)
    assert error.value.status == 3
    assert [path.name for path in tmp_path.iterdir()] == [LOCK_NAME]


@pytest.mark.slow
def test_processes_give_the_same_records_and_survive_accidents(tmp_path, capsys):
    """Seed 3 ends in an error, 4 is killed each time, 5 once."""
    coins = all_coins()[1:6]
    failed = drive(coins, tmp_path / "a", Subprocesses(2, tmp_path / "logs"))
    assert sorted(failed) == ["coin-seed-3", "coin-seed-4"]
    said = capsys.readouterr().err
    assert (
        "coin-seed-4: it was stopped by signal 9 (Killed), most likely for lack of"
        in said
    )
    for seed, times in ((3, 1), (4, 2), (5, 2)):
        count = (tmp_path / "a" / "work" / f"coin-seed-{seed}.count").read_text()
        assert count.count("measured") == times
    assert read_json(tmp_path / "a" / "failed" / "coin-seed-4.json")["crashes"] == 2
    drive([coins[0]], tmp_path / "b")
    assert_same(tmp_path, "coin-seed-2")
    beside = read_record(tmp_path / "a" / "coin-seed-6.json")
    assert beside.provenance["concurrent"] <= 1


@pytest.mark.slow
@pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed")
def test_ray_gives_the_same_records(tmp_path, capsys):
    """Seed 3 ends in an error, 5 is killed once."""
    coins = [coin for coin in all_coins() if coin.seed in (2, 3, 5)]
    executor = RayCluster(None, 2, num_cpus=4)
    assert drive(coins, tmp_path / "a", executor) == ["coin-seed-3"]
    assert "coin-seed-5: its node or worker died" in capsys.readouterr().err
    for seed, times in ((3, 1), (5, 2)):
        count = (tmp_path / "a" / "work" / f"coin-seed-{seed}.count").read_text()
        assert count.count("measured") == times
    drive([coins[0]], tmp_path / "b")
    assert_same(tmp_path, "coin-seed-2")


def test_times_are_readable():
    assert format_time(None) == "unknown time"
    assert format_time(3_700) == "1 h 2 min" and format_time(90) == "2 min"


def test_experiments_are_selected_by_the_start_of_their_names():
    experiments = images.all_experiments()
    chosen = catalog.select(
        experiments, ["cryptopunks-vae-default-seed", "utkface-gan-baseline"]
    )
    assert [each.seed for each in chosen] == [1, 2, 3, 1, 2, 3]
    assert catalog.select(experiments, []) == experiments
    with pytest.raises(UserError, match="punks-vae.*cryptopunks-vae-default"):
        catalog.select(experiments, ["punks-vae"])


def test_what_is_recorded_belongs_to_the_experiments():
    """No committed record is of another configuration than its experiment."""
    known = catalog.all_experiments()
    asked = {each.name: each for each in known}
    assert len(asked) == len(known)
    found = sorted(path.stem for path in records_folder().glob("*.json"))
    assert found and set(found) <= asked.keys()
    for name in found:
        record = find_recorded(asked[name], records_folder())
        assert record.group == asked[name].group
        assert record.seeds == (asked[name].seed,)
        assert all(each.n > 0 for each in record.estimates.values())
    assert set(read_groups()) == {asked[name].group for name in found}


def test_headline_rows_have_five_seeds_and_none_is_the_chosen_one():
    seeds: dict[str, set[int]] = {}
    for each in seq2seq_runs.all_experiments():
        seeds.setdefault(each.group, set()).add(each.seed)
    for percent in (90, 50, 10):
        assert len(seeds[f"text-to-text-encoder-decoder-random-{percent}"]) == 5
    assert all(found == {0} for group, found in seeds.items() if "tuning" in group)
    compared = seq2seq_runs.image_depth_experiments()
    compared += seq2seq_runs.image_fraction_experiments()
    single = {each.group for each in compared}
    assert all(seeds[group] == {1} for group in single)
    assert all(
        len(found) in (3, 5) and 0 not in found
        for group, found in seeds.items()
        if "tuning" not in group and group not in single
    )
