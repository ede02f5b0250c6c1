"""Shared by all tests: no screen, no accelerators, nothing written in the project."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ["LATENT_ARITHMETIC_PROFILE"] = "smoke"

import pytest  # noqa: E402

import latent_arithmetic  # noqa: E402, F401  before Keras, so that its settings hold


def pytest_collection_modifyitems(items):
    """The longest file first, lest one process be left alone with it at the end."""
    items.sort(key=lambda item: item.path.name != "test_notebooks.py")


@pytest.fixture(scope="session", autouse=True)
def build_in_scratch(tmp_path_factory):
    """The cache of read pictures, and all else below build/, in a scratch folder."""
    from latent_arithmetic.workspace import BUILD_VARIABLE

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(BUILD_VARIABLE, str(tmp_path_factory.mktemp("build")))
        yield


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A smoke workspace in a scratch folder."""
    from latent_arithmetic.workspace import BUILD_VARIABLE, open_workspace

    monkeypatch.setenv(BUILD_VARIABLE, str(tmp_path / "build"))
    return open_workspace("smoke")
