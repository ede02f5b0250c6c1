"""Budgets. A profile changes how long and how much, never which code runs."""

import os
from dataclasses import dataclass

from latent_arithmetic.errors import expect_one_of

PROFILE_VARIABLE = "LATENT_ARITHMETIC_PROFILE"


@dataclass(frozen=True)
class Budget:
    """How long one model trains.

    epochs: passes over the training pictures or questions; smaller collections are
        gone through more often, so that the profile decides how long it takes.
    batch_size: examples in one step.
    learning_rate: the highest learning rate of the schedule.
    """

    epochs: int
    batch_size: int
    learning_rate: float


@dataclass(frozen=True)
class Profile:
    """The budgets of every model and the sizes of the studies."""

    name: str
    pictures: int  # pictures used at most, training and held out together
    cae: Budget
    vae: Budget
    gan: Budget
    judge: Budget
    epoch_examples: int  # questions or characters shown in an epoch at most
    reader: Budget
    text_to_text: Budget
    image_to_text: Budget
    text_to_image: Budget
    train_fractions: tuple[float, ...]
    depths: tuple[int, ...]  # encoder layers compared in the depth study
    seeds: int  # runs per headline number
    test_questions: int  # questions asked at most when a model is evaluated


SMOKE = Profile(
    name="smoke",
    pictures=192,
    cae=Budget(1, 32, 1e-3),
    vae=Budget(1, 32, 1e-3),
    gan=Budget(1, 32, 2e-4),
    judge=Budget(1, 32, 2e-3),
    epoch_examples=2_048,
    reader=Budget(1, 256, 2e-3),
    text_to_text=Budget(1, 256, 2e-3),
    image_to_text=Budget(1, 256, 2e-3),
    text_to_image=Budget(1, 256, 2e-3),
    train_fractions=(0.9, 0.05),
    depths=(1, 2),
    seeds=1,
    test_questions=100,
)

QUICK = Profile(
    name="quick",
    pictures=10_000,
    cae=Budget(3, 32, 2e-3),
    vae=Budget(4, 32, 2e-3),
    gan=Budget(8, 32, 1.5e-3),
    judge=Budget(3, 64, 2e-3),
    epoch_examples=100_000,
    reader=Budget(2, 256, 3e-3),
    text_to_text=Budget(7, 128, 1e-2),
    image_to_text=Budget(3, 64, 4e-3),
    text_to_image=Budget(4, 128, 3e-3),
    train_fractions=(0.9, 0.5, 0.1, 0.05),
    depths=(1, 2),
    seeds=1,
    test_questions=2_000,
)

FULL = Profile(
    name="full",
    pictures=20_000,
    cae=Budget(10, 32, 2e-3),
    vae=Budget(20, 32, 2e-3),
    gan=Budget(24, 32, 1.5e-3),
    judge=Budget(8, 64, 2e-3),
    epoch_examples=100_000,
    reader=Budget(8, 256, 3e-3),
    text_to_text=Budget(20, 128, 1e-2),
    image_to_text=Budget(20, 64, 4e-3),
    text_to_image=Budget(14, 128, 3e-3),
    train_fractions=(0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.02),
    depths=(1, 2, 3, 4, 5),
    seeds=5,
    test_questions=20_000,
)

PROFILES = {profile.name: profile for profile in (SMOKE, QUICK, FULL)}


def get_profile(name: str | None = None) -> Profile:
    """The named profile, else the one of the environment, else `quick`.

    Raises:
        UserError: the name is none of smoke, quick, full.
    """
    name = name or os.environ.get(PROFILE_VARIABLE, QUICK.name)
    expect_one_of("profile", name, PROFILES)
    return PROFILES[name]
