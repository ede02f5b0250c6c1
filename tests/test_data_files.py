"""Shipped data: whole, checked, and refused when damaged or missing."""

import shutil

import keras
import pytest

from latent_arithmetic import data_files
from latent_arithmetic.data_files import CRYPTOPUNKS, MNIST, find_data, read_data
from latent_arithmetic.errors import UserError


def test_shipped_data_passes_its_checksum():
    assert read_data(MNIST)["x_train"].shape == (60_000, 28, 28)
    assert read_data(CRYPTOPUNKS)["images"].shape == (10_000, 24, 24, 4)


def test_damaged_file_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv(data_files.DATA_VARIABLE, str(tmp_path))
    shutil.copy(find_data(CRYPTOPUNKS), tmp_path)
    damaged = bytearray((tmp_path / CRYPTOPUNKS).read_bytes())
    damaged[5_000:5_010] = bytes(10)
    (tmp_path / CRYPTOPUNKS).write_bytes(damaged)
    with pytest.raises(UserError, match=r"cryptopunks.npz is damaged.*git checkout"):
        read_data(CRYPTOPUNKS)


def test_missing_file_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(data_files, "data_folders", lambda: [tmp_path])
    with pytest.raises(UserError, match=f"{CRYPTOPUNKS} not found.*{tmp_path.name}"):
        read_data(CRYPTOPUNKS)

    def no_network():
        raise OSError("no network")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", no_network)
    with pytest.raises(UserError, match="no network.*put the file"):
        read_data(MNIST)


def test_where_no_folder_holds_mnist_keras_fetches_it(tmp_path, monkeypatch):
    shipped = read_data(MNIST)
    monkeypatch.setattr(data_files, "data_folders", lambda: [tmp_path])
    pairs = [(shipped[f"x_{part}"], shipped[f"y_{part}"]) for part in ("train", "test")]
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: pairs)
    fetched = read_data(MNIST)
    assert fetched.keys() == shipped.keys()
    assert all((fetched[name] == shipped[name]).all() for name in shipped)
