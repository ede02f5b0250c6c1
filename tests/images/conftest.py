"""Shared by the tests of Task 1: small datasets, and a trained model of each task."""

import dataclasses

import pytest

from latent_arithmetic.config import get_profile
from latent_arithmetic.images.dataset import load_images
from latent_arithmetic.images.pipeline import TASKS, train

SIZE, LIMIT = 32, 160


@pytest.fixture(scope="session")
def smoke():
    """The smoke profile with fewer images."""
    return dataclasses.replace(get_profile("smoke"), max_images=LIMIT)


@pytest.fixture(scope="session")
def few_punks():
    """160 CryptoPunks of 32 x 32 pixels."""
    return load_images(size=SIZE, limit=LIMIT)


@pytest.fixture(scope="session")
def trained_models(tmp_path_factory, smoke, few_punks):
    """A model of each task, trained for three steps."""
    folder = tmp_path_factory.mktemp("models")
    return {
        task: train(task, folder / task, profile=smoke, data=few_punks)
        for task in TASKS
    }
