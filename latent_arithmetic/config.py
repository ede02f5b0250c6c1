"""Profiles, training schedules, output folders, and settings that become flags."""

import os
from dataclasses import dataclass, field, fields, replace
from math import inf
from pathlib import Path
from typing import Any

from latent_arithmetic.io import (
    UserError,
    expect_one_of,
    make_folder,
    project_folder,
)

PROFILE_VARIABLE = "LATENT_ARITHMETIC_PROFILE"
BUILD_VARIABLE = "LATENT_ARITHMETIC_BUILD"  # replaces <project>/build


@dataclass(frozen=True)
class Schedule:
    """How long and how fast one model trains.

    Args:
        epochs: passes over the training examples; a data set of images smaller than
            the profile's `max_images` gets more, for the same number of steps.
        batch_size: examples in one step.
        learning_rate: the peak learning rate, reached after the warm-up.
    """

    epochs: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class Profile:
    """Training schedules of all models, and the sizes of the experiments.

    A profile changes how long and how much, never which code runs.

    Args:
        text_layers: LSTM layers of a text model's encoder, and of its decoder. Three
            answer more from few queries, two are trained in fewer epochs.
        text_weight_decay: decoupled weight decay of AdamW for a text model.
        cnn: convolutions of a model that reads images, see `seq2seq.layers.CNNS`.
        image_layers: LSTM layers of encoder and decoder of an end-to-end image model.
            One decoder layer is learnt in fewer epochs.
        max_images: images used at most, training and held out together.
        epoch_examples: queries or characters shown in an epoch at most.
        train_fractions: fractions of the queries trained on in the notebook.
        depths: numbers of encoder layers compared in the notebook.
        seeds: runs (other seeds) behind each estimate in the notebook.
        max_edits: edits of test images at most with which a model is evaluated.
        max_test_queries: queries at most with which a model is evaluated.
    """

    name: str
    max_images: int
    cae: Schedule
    vae: Schedule
    gan: Schedule
    attribute_classifier: Schedule
    epoch_examples: int
    digit_classifier: Schedule
    text_to_text: Schedule
    text_layers: int
    text_weight_decay: float
    cnn: str
    image_layers: tuple[int, int]
    image_to_text: Schedule
    text_to_image: Schedule
    train_fractions: tuple[float, ...]
    depths: tuple[int, ...]
    seeds: int
    max_edits: int
    max_test_queries: int

    def schedule(self, task: str) -> Schedule:
        """The schedule of a task, such as "vae" or "text-to-text"."""
        return getattr(self, task.replace("-", "_"))


SMOKE = Profile(
    name="smoke",
    max_images=192,
    cae=Schedule(1, 32, 1e-3),
    vae=Schedule(1, 32, 1e-3),
    gan=Schedule(1, 32, 2e-4),
    attribute_classifier=Schedule(1, 32, 2e-3),
    epoch_examples=2_048,
    digit_classifier=Schedule(1, 256, 2e-3),
    text_to_text=Schedule(1, 256, 2e-3),
    text_layers=1,
    text_weight_decay=0.3,
    cnn="small",
    image_layers=(1, 1),
    image_to_text=Schedule(1, 256, 2e-3),
    text_to_image=Schedule(1, 256, 2e-3),
    train_fractions=(0.9, 0.5),
    depths=(1, 2),
    seeds=1,
    max_edits=100,
    max_test_queries=100,
)

QUICK = Profile(
    name="quick",
    max_images=10_000,
    cae=Schedule(2, 32, 2e-3),
    vae=Schedule(3, 32, 2e-3),
    gan=Schedule(5, 32, 1.5e-3),
    attribute_classifier=Schedule(3, 64, 2e-3),
    epoch_examples=100_000,
    digit_classifier=Schedule(1, 256, 3e-3),
    text_to_text=Schedule(8, 128, 1e-2),
    text_layers=2,
    text_weight_decay=0.3,
    cnn="small",
    image_layers=(2, 1),
    image_to_text=Schedule(8, 64, 8e-3),
    text_to_image=Schedule(3, 128, 3e-3),
    train_fractions=(0.9, 0.5, 0.1),
    depths=(1, 2),
    seeds=1,
    max_edits=1_000,
    max_test_queries=2_000,
)

FULL = Profile(
    name="full",
    max_images=20_000,
    cae=Schedule(10, 32, 2e-3),
    vae=Schedule(20, 32, 2e-3),
    gan=Schedule(24, 32, 1.5e-3),
    attribute_classifier=Schedule(8, 64, 2e-3),
    epoch_examples=100_000,
    digit_classifier=Schedule(8, 256, 3e-3),
    text_to_text=Schedule(40, 128, 7e-3),
    text_layers=3,
    text_weight_decay=0.3,
    cnn="medium",
    image_layers=(2, 2),
    image_to_text=Schedule(45, 64, 4e-3),
    text_to_image=Schedule(14, 128, 3e-3),
    train_fractions=(0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.02),
    depths=(1, 2, 3, 4, 5),
    seeds=5,
    max_edits=1_000,
    max_test_queries=20_000,
)

PROFILES = {profile.name: profile for profile in (SMOKE, QUICK, FULL)}


def get_profile(name: str | None = None) -> Profile:
    """The named profile, else the environment's, else `quick`.

    Raises:
        UserError: the name is none of smoke, quick, full.
    """
    name = name or os.environ.get(PROFILE_VARIABLE) or QUICK.name
    expect_one_of("profile", name, PROFILES)
    return PROFILES[name]


@dataclass(frozen=True)
class OutputFolder:
    """The folders of one profile's build; nothing is written outside them."""

    profile: Profile
    root: Path

    def folder(self, name: str) -> Path:
        """The folder `name` below the build, made if it is not there."""
        return make_folder(self.root / name)

    @property
    def results(self) -> Path:
        return self.folder("results")

    @property
    def figures(self) -> Path:
        return self.folder("figures")

    @property
    def models(self) -> Path:
        return self.folder("models")


def build_folder() -> Path:
    """The folder below which every build is written."""
    return Path(os.environ.get(BUILD_VARIABLE) or project_folder() / "build")


def open_output_folder(profile: str | None = None) -> OutputFolder:
    """The output folder of the named profile (default: the environment's, or quick)."""
    chosen = get_profile(profile)
    return OutputFolder(chosen, build_folder() / chosen.name)


def setting(
    default: Any,
    help: str,
    *,
    choices: tuple | None = None,
    low: float | None = None,
    high: float | None = None,
    low_open: bool = False,
    high_open: bool = False,
) -> Any:
    """A field of a typed configuration, which is also a flag of the command line.

    Args:
        help: meaning and unit.
        choices: the allowed values.
        low, high: the smallest and the largest value; `low_open` and `high_open`
            exclude them.
    """
    about = dict(help=help, choices=choices, low=low, high=high)
    return field(
        default=default,
        metadata=about | dict(low_open=low_open, high_open=high_open),
    )


@dataclass(frozen=True)
class ScheduleConfig:
    """A model's schedule, part of every typed configuration; None: the profile's."""

    epochs: int | None = setting(
        None, "passes over the training examples (default: the profile's)", low=1
    )
    batch_size: int | None = setting(
        None, "examples in a training step (default: the profile's)", low=1
    )
    learning_rate: float | None = setting(
        None, "peak learning rate (default: the profile's)", low=0, low_open=True
    )

    def __post_init__(self):
        check_settings(self)

    def resolve(self, profile: Profile = FULL) -> "ScheduleConfig":
        """The same with values in place of None, beside those of the schedule."""
        return self


def _number_range(about: dict) -> str:
    low, high = about["low"], about["high"]
    above = f"{'above' if about['low_open'] else 'at least'} {low}"
    below = f"{'below' if about['high_open'] else 'at most'} {high}"
    return " and ".join(
        text for text, end in ((above, low), (below, high)) if end is not None
    )


def expect_in_range(name: str, value: Any, about: dict) -> None:
    """Raise a `UserError` if a setting's value is outside what `setting` declares."""
    if value is None:
        return
    if about["choices"] is not None:
        expect_one_of(name, value, about["choices"])
    low, high = about["low"], about["high"]
    outside = (
        low is not None and (value <= low if about["low_open"] else value < low)
    ) or (high is not None and (value >= high if about["high_open"] else value > high))
    if outside or value in (inf, -inf) or value != value:
        wanted = _number_range(about) or "that is finite"
        raise UserError(f"{name} is {value}; expected a number {wanted}")


def check_settings(config: Any) -> None:
    """Check every field of a typed configuration against its declaration.

    Raises:
        UserError: names the field, the value and what was expected.
    """
    for each in fields(config):
        if "help" in each.metadata:
            expect_in_range(each.name, getattr(config, each.name), each.metadata)


def resolve_schedule(config: Any, usual: Schedule) -> Schedule:
    """A configuration's epochs, batch size and learning rate; None means the usual."""
    names = [each.name for each in fields(Schedule)]
    given = {name: getattr(config, name) for name in names}
    return replace(usual, **{k: v for k, v in given.items() if v is not None})
