"""Files: atomic writes; shipped data complete, checked, refused when damaged."""

import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

from latent_arithmetic import io
from latent_arithmetic.io import (
    CRYPTOPUNKS,
    MNIST,
    PROCESS,
    UserError,
    find_data,
    read_arrays,
    read_data,
    read_json,
    save_arrays,
)


def test_shipped_data_passes_its_checksum():
    assert read_data(MNIST)["x_train"].shape == (60_000, 28, 28)
    assert read_data(CRYPTOPUNKS)["images"].shape == (10_000, 24, 24, 4)


def test_damaged_file_is_named_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv(io.DATA_VARIABLE, str(tmp_path))
    shutil.copy(find_data(CRYPTOPUNKS), tmp_path)
    damaged = bytearray((tmp_path / CRYPTOPUNKS).read_bytes())
    damaged[5_000:5_010] = bytes(10)
    (tmp_path / CRYPTOPUNKS).write_bytes(damaged)
    with pytest.raises(UserError, match=r"cryptopunks.npz is damaged.*git checkout"):
        read_data(CRYPTOPUNKS)


def test_missing_file_says_where_it_was_looked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(io, "data_folders", lambda: [tmp_path])
    with pytest.raises(UserError, match=f"{CRYPTOPUNKS} not found.*{tmp_path.name}"):
        read_data(CRYPTOPUNKS)

    def no_network():
        raise OSError("no network")

    monkeypatch.setattr(keras.datasets.mnist, "load_data", no_network)
    with pytest.raises(UserError, match="no network.*put the file"):
        read_data(MNIST)


def test_where_no_folder_holds_mnist_keras_fetches_it(tmp_path, monkeypatch):
    shipped = read_data(MNIST)
    monkeypatch.setattr(io, "data_folders", lambda: [tmp_path])
    pairs = [(shipped[f"x_{part}"], shipped[f"y_{part}"]) for part in ("train", "test")]
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: pairs)
    fetched = read_data(MNIST)
    assert fetched.keys() == shipped.keys()
    assert all((fetched[name] == shipped[name]).all() for name in shipped)


def test_pickled_arrays_are_refused(tmp_path):
    np.savez(tmp_path / "evil.npz", images=np.array([{"a": 1}], dtype=object))
    with pytest.raises(UserError, match="plain arrays"):
        read_arrays(tmp_path / "evil.npz")


def test_a_full_disk_leaves_the_last_good_file_complete(tmp_path, monkeypatch):
    path = tmp_path / "weights.npz"
    save_arrays(path, {"kept": np.arange(3)})

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(io.os, "fsync", full)
    with pytest.raises(UserError, match="No space left.*unchanged"):
        save_arrays(path, {"kept": np.zeros(3)})
    assert read_arrays(path)["kept"].tolist() == [0, 1, 2]
    assert [file.name for file in tmp_path.iterdir()] == ["weights.npz"]


@pytest.mark.parametrize("name", ["folder.npz", "file/a.npz"])
def test_a_place_where_no_file_can_be_is_one_clear_error(tmp_path, name):
    (tmp_path / "folder.npz").mkdir()
    (tmp_path / "file").write_bytes(b"kept")
    with pytest.raises(UserError, match="could not write") as error:
        save_arrays(tmp_path / name, {"x": np.zeros(1)})
    assert "\n" not in str(error.value)
    assert (tmp_path / "file").read_bytes() == b"kept"
    assert {path.name for path in tmp_path.iterdir()} == {"file", "folder.npz"}


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_damaged_json_is_one_clear_error(tmp_path, text):
    path = tmp_path / "run.json"
    path.write_text(text)
    with pytest.raises(UserError, match="run.json"):
        read_json(path)
    path.write_text('\ufeff{"a": 1}', encoding="utf-8")
    assert read_json(path) == {"a": 1}


@pytest.mark.skipif(os.name != "posix", reason="signals tell whether a process runs")
def test_what_a_killed_process_left_is_removed(tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    left = tmp_path / f"a.npz.{PROCESS}{ended.pid}.unfinished"
    running = tmp_path / f"a.npz.{PROCESS}{os.getppid()}.unfinished"
    elsewhere = tmp_path / f"a.npz.other-host-{ended.pid}.unfinished"
    for path in (left, running, elsewhere):
        path.touch()
    save_arrays(tmp_path / "a.npz", {"x": np.zeros(1)})
    assert not left.exists() and running.exists() and elsewhere.exists()
