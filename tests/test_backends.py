"""The model tests again, in a process of its own, on the other backend.

Left out is what takes minutes there and adds nothing about the backend: recipes that
differ only in a number, and the front door of Task 2, whose models are all trained.
Most of the time goes into compiling, so JAX is asked for little of it.
"""

import os
import subprocess
import sys

import keras
import pytest

MODEL_TESTS = (
    "test_training.py",
    "test_networks.py",
    "test_columns.py",
    "test_images_models.py",
    "test_images_tasks.py",
    "test_arithmetic_models.py",
)
CHOSEN = "not test_every_recipe or ours or course"
OTHER = {"tensorflow": "jax", "jax": "tensorflow"}


@pytest.mark.skipif("OTHER_BACKEND" in os.environ, reason="this is the other backend")
def test_models_on_the_other_backend():
    here = os.path.dirname(__file__)
    files = [os.path.join(here, name) for name in MODEL_TESTS]
    other = OTHER[keras.backend.backend()]
    environment = os.environ | {"KERAS_BACKEND": other, "OTHER_BACKEND": other}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "true"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", CHOSEN]
    run = subprocess.run(
        [*command, *files], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stdout[-3000:]
