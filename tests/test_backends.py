"""The model tests again, in a process of its own, on the other backend.

Most of the time goes into compiling, so JAX is asked for little of it.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

TESTS = Path(__file__).parent
MODEL_TESTS = (
    "test_training.py",
    "images/test_gan.py",
    "seq2seq/test_text_to_text.py",
)
MORE_TESTS = (
    "images/test_vae.py",
    "images/test_networks.py",
    "images/test_autoencoder.py",
    "images/test_likelihoods.py",
    "seq2seq/test_layers.py",
    "seq2seq/test_image_to_text.py",
    "seq2seq/test_text_to_image.py",
    "seq2seq/test_digit_classifier.py",
    "seq2seq/test_length_generalization.py",
)
OTHER = {"tensorflow": "jax", "jax": "tensorflow", "torch": "jax"}


@pytest.mark.slow
@pytest.mark.skipif("OTHER_BACKEND" in os.environ, reason="this is the other backend")
@pytest.mark.parametrize(
    "files", [MODEL_TESTS, pytest.param(MORE_TESTS, marks=pytest.mark.stress)]
)
def test_models_on_the_other_backend(files):
    other = OTHER[keras.backend.backend()]
    environment = os.environ | {"KERAS_BACKEND": other, "OTHER_BACKEND": other}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "true"
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    run = subprocess.run(
        [*command, *(TESTS / name for name in files)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stdout[-3000:]


ANSWER = """
import numpy as np
from latent_arithmetic.seq2seq import queries, text_to_text
model = text_to_text.build_text_model(
    text_to_text.TextToTextConfig(encoder_layers=1, decoder_layers=1)
)
if weights:
    model.load_weights(weights)
codes = queries.encode_queries(queries.all_queries()[::997])
logits = np.array(model.predict_on_batch(queries.one_hot(codes)))
"""


@pytest.mark.slow
@pytest.mark.skipif("OTHER_BACKEND" in os.environ, reason="this is the other backend")
def test_saved_weights_give_the_same_answers_on_the_other_backend(tmp_path):
    here = {"weights": None}
    exec(ANSWER, here)
    here["model"].save_weights(tmp_path / "a.weights.h5")
    environment = os.environ | {"KERAS_BACKEND": OTHER[keras.backend.backend()]}
    environment["JAX_DISABLE_MOST_OPTIMIZATIONS"] = "true"
    script = f"weights = 'a.weights.h5'{ANSWER}np.save('logits.npy', logits)"
    command = [sys.executable, "-c", script]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True)
    there = np.load(tmp_path / "logits.npy")
    np.testing.assert_allclose(there, here["logits"], atol=1e-4)


@pytest.mark.stress
@pytest.mark.parametrize("task", ["text-to-text", "gan"])
def test_two_devices_train_as_one_does(task, tmp_path):
    """Batches split among two virtual devices of JAX: the losses of one device."""
    losses = []
    for devices in (1, 2):
        out = tmp_path / str(devices)
        flags = f"--xla_force_host_platform_device_count={devices}"
        environment = os.environ | {"KERAS_BACKEND": "jax", "XLA_FLAGS": flags}
        command = [sys.executable, "-m", "latent_arithmetic", "train", task]
        command += ["--profile", "smoke", "--out", str(out)]
        command += ["--size", "32"] if task == "gan" else []
        command += ["--data-parallel"] if devices > 1 else []
        subprocess.run(command, env=environment, check=True, cwd=TESTS.parent)
        details = json.loads((out / "run.json").read_text())["details"]
        losses.append([values[-1] for values in details["losses"].values()])
    assert losses[0] == pytest.approx(losses[1], rel=2e-2)
