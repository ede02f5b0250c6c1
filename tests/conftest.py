"""Shared by all tests: no screen, no accelerators, nothing written in the project."""

import os
from contextlib import contextmanager

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ["LATENT_ARITHMETIC_PROFILE"] = "smoke"

import pytest  # noqa: E402

import latent_arithmetic  # noqa: E402, F401  before Keras, so that its settings hold

LONGEST = ("test_run.py", "test_backends.py", "test_cli.py")


TRAINED = {"trained_models", "measured", "folders"}  # whole models


def pytest_collection_modifyitems(items):
    """The longest files first, lest one process be left alone with one at the end.

    What needs trained models is slow.
    """
    items.sort(key=lambda item: item.path.name not in LONGEST)
    for item in items:
        if TRAINED.intersection(item.fixturenames):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session", autouse=True)
def build_in_scratch(tmp_path_factory):
    """The image cache, and all else below build/, in a temporary folder."""
    from latent_arithmetic.config import BUILD_VARIABLE

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BUILD_VARIABLE, str(tmp_path_factory.mktemp("build")))
        yield


def _run_eagerly(eagerly: bool) -> None:
    import keras

    if keras.backend.backend() == "tensorflow":
        import tensorflow

        tensorflow.config.run_functions_eagerly(eagerly)


@contextmanager
def _compiling():
    _run_eagerly(False)
    try:
        yield
    finally:
        _run_eagerly(True)


@pytest.fixture(scope="session", autouse=True)
def compiling():
    """A context in which steps are compiled, as they are for users.

    Outside of it they are not: that takes longer than the few steps of most tests.
    """
    _run_eagerly(True)
    return _compiling


@pytest.fixture
def compiled(compiling):
    """Steps are compiled; for tests of training itself."""
    with compiling():
        yield


@pytest.fixture(scope="module")
def small_sequence_models():
    """Sequence models with few units, trained for few steps."""
    from latent_arithmetic.seq2seq import layers, tasks

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tasks, "EPOCH_QUERIES", 128)
        patch.setattr(layers, "LSTM_UNITS", 16)
        yield


@pytest.fixture
def output(tmp_path, monkeypatch):
    """A smoke output folder in a temporary folder."""
    from latent_arithmetic.config import BUILD_VARIABLE, open_output_folder

    monkeypatch.setenv(BUILD_VARIABLE, str(tmp_path / "build"))
    return open_output_folder("smoke")
