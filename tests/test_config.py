"""Typed configurations and the flags that come from them; profiles."""

import argparse
from dataclasses import dataclass

import pytest

from latent_arithmetic.config import (
    Schedule,
    check_settings,
    get_profile,
    open_output_folder,
    resolve_schedule,
    setting,
)
from latent_arithmetic.flags import add_flags, config_from_flags
from latent_arithmetic.io import UserError


@dataclass(frozen=True)
class Example:
    """A configuration with a setting of every kind."""

    latent_dim: int = setting(64, "length of the latent vector", low=1)
    train_fraction: float = setting(
        0.9, "fraction trained on", low=0, high=1, low_open=True, high_open=True
    )
    split: str = setting("random", "which split", choices=("random", "grouped"))
    conditional: bool = setting(True, "given attributes")
    epochs: int | None = setting(None, "passes over the examples", low=1)
    batch_size: int | None = setting(None, "examples in a step", low=1)
    learning_rate: float | None = setting(None, "highest rate", low=0, low_open=True)


def parse(*arguments: str) -> Example:
    parser = argparse.ArgumentParser()
    add_flags(parser, Example)
    return config_from_flags(Example, parser.parse_args(arguments))


def test_flags_change_what_is_given_and_nothing_else():
    assert parse() == Example()
    changed = parse("--latent-dim", "8", "--no-conditional", "--split", "grouped")
    assert changed == Example(latent_dim=8, conditional=False, split="grouped")
    assert parse("--epochs", "3").epochs == 3


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--latent-dim", "0"], "at least 1"),
        (["--latent-dim", "many"], "a whole number"),
        (["--train-fraction", "1"], "above 0 and below 1"),
        (["--train-fraction", "nan"], "above 0 and below 1"),
        (["--train-fraction", "0,5"], "a number"),
        (["--learning-rate", "inf"], "above 0"),
        (["--learning-rate", "nan"], "above 0"),
        (["--split", "odd"], "grouped"),
        (["--kernel-size", "3"], "unrecognized"),
    ],
)
def test_a_wrong_flag_is_one_clear_error(arguments, message, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(*arguments)
    assert stop.value.code == 2
    assert message in capsys.readouterr().err


def test_settings_are_checked_in_python_too():
    with pytest.raises(UserError, match="latent_dim is -1; expected .* at least 1"):
        check_settings(Example(latent_dim=-1))


def test_a_schedule_takes_what_the_configuration_names():
    usual = Schedule(4, 32, 1e-3)
    assert resolve_schedule(Example(), usual) == usual
    assert resolve_schedule(Example(epochs=9), usual) == Schedule(9, 32, 1e-3)


def test_an_unknown_profile_is_refused(monkeypatch):
    with pytest.raises(UserError, match="smoke, quick, full"):
        get_profile("fast")
    monkeypatch.setenv("LATENT_ARITHMETIC_PROFILE", "full")
    assert get_profile().name == "full" and get_profile("smoke").name == "smoke"


def test_outputs_stay_below_the_build_folder(output):
    assert output.figures.is_relative_to(output.root)
    assert open_output_folder("smoke").root == output.root
