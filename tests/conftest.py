"""Shared by all tests: no screen, no accelerators, nothing written in the project."""

import os

os.environ.setdefault("MPLBACKEND", "Agg")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ["LATENT_ARITHMETIC_PROFILE"] = "smoke"

import pytest  # noqa: E402


@pytest.fixture
def workspace(tmp_path, monkeypatch):
    """A smoke workspace in a scratch folder."""
    from latent_arithmetic.workspace import BUILD_VARIABLE, open_workspace

    monkeypatch.setenv(BUILD_VARIABLE, str(tmp_path / "build"))
    return open_workspace("smoke")
