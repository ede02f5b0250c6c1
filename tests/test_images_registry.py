"""Data sets by name: cards, where they are found, how they are fetched, the cache."""

import sys
import types
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.cli import main
from latent_arithmetic.data_files import DATA_VARIABLE
from latent_arithmetic.errors import UserError
from latent_arithmetic.images.data import cache
from latent_arithmetic.images.data.datasets import load_pictures
from latent_arithmetic.images.data.fetching import KAGGLE_FOLDER_VARIABLE, find_pictures
from latent_arithmetic.images.data.registry import CARDS
from latent_arithmetic.workspace import BUILD_VARIABLE

NOISE = np.random.default_rng(0)


def write_pictures(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        picture = NOISE.integers(0, 256, (9, 9, 3)).astype("uint8")
        Image.fromarray(picture).save(folder / f"{index:03d}.png")
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Neither data nor downloads of this machine are seen; its own build folder."""
    monkeypatch.setenv(KAGGLE_FOLDER_VARIABLE, str(tmp_path / "kagglehub"))
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))
    monkeypatch.setenv(BUILD_VARIABLE, str(tmp_path / "build"))


def stand_in(monkeypatch, download) -> None:
    """A kagglehub that needs no network."""
    kagglehub = types.SimpleNamespace(dataset_download=download)
    monkeypatch.setitem(sys.modules, "kagglehub", kagglehub)


def test_the_readme_of_the_data_agrees_with_the_cards():
    readme = (Path(__file__).parent.parent / "data" / "README.md").read_text("utf-8")
    for card in CARDS.values():
        for fact in (card.name, f"<{card.link}>", card.licence):
            assert fact in readme
        assert card.name == "cryptopunks" or f"| {card.labels} |" in readme


def test_the_command_lists_every_card(capsys):
    assert main(["datasets"]) == 0
    listed = capsys.readouterr().out
    for card in CARDS.values():
        assert f"{card.name}: {card.what}" in listed and card.link in listed
    assert "data/cryptopunks.npz" in listed and "no; by kagglehub" in listed


@pytest.mark.parametrize("file_name", ["anime-faces-64.zip", "anime-faces"])
def test_a_data_set_is_found_in_the_data_folder(tmp_path, file_name):
    place = write_pictures(tmp_path / "data" / file_name, 60)
    assert find_pictures("anime-faces") == place.resolve()
    assert load_pictures("anime-faces", 9).name == "anime-faces"


def test_a_data_set_is_fetched_with_its_licence_shown(tmp_path, monkeypatch, capsys):
    card = CARDS["utkface"]
    keep = tmp_path / "kagglehub" / "datasets" / card.kaggle
    asked = []

    def download(handle):
        assert card.licence in capsys.readouterr().err
        asked.append(handle)
        write_pictures(keep / "versions" / "10", 60)
        (keep / "10.complete").touch()
        return str(keep / "versions" / "10")

    stand_in(monkeypatch, download)
    (keep / "versions" / "9").mkdir(parents=True)
    (keep / "versions" / "11").mkdir()  # an interrupted download
    assert len(load_pictures("utkface", 9).train) > 30
    assert find_pictures("utkface") == keep / "versions" / "10"
    assert asked == [card.kaggle]  # the second time it is at hand


def test_what_cannot_be_fetched_is_one_clear_error(monkeypatch):
    def no_network(handle):
        raise OSError("name resolution failed\nand more")

    monkeypatch.setitem(sys.modules, "kagglehub", None)
    for name, advice in (
        ("rijksmuseum-portraits", "--data PATH"),
        ("butterflies", "latent-arithmetic[fetch]"),
    ):
        with pytest.raises(UserError, match=r"not at hand") as error:
            load_pictures(name)
        assert CARDS[name].link in str(error.value) and advice in str(error.value)
    stand_in(monkeypatch, no_network)
    with pytest.raises(UserError, match="OSError: name resolution failed") as error:
        load_pictures("butterflies")
    assert CARDS["butterflies"].link in str(error.value)
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="expected one of cryptopunks, utkface"):
        load_pictures("utkfaces")


def test_pictures_are_read_once_and_again_when_they_change(
    tmp_path, monkeypatch, capsys
):
    folder = write_pictures(tmp_path / "pictures", 60)
    (folder / "bad.png").write_bytes(b"words")
    first = load_pictures(folder, 9)
    reads = []
    real = cache.read_pictures
    monkeypatch.setattr(
        cache, "read_pictures", lambda *given: reads.append(given) or real(*given)
    )
    capsys.readouterr()
    again = load_pictures(folder, 9)
    assert not reads and "from the cache" in capsys.readouterr().err
    np.testing.assert_array_equal(first.train, again.train)
    assert first.report == again.report and again.report.skipped
    load_pictures(folder, 9, limit=55)
    load_pictures(folder, 18)
    assert len(reads) == 2  # another limit, another size
    (folder / "bad.png").unlink()
    assert not load_pictures(folder, 9).report.skipped and len(reads) == 3
    files = sorted((tmp_path / "build" / "cache").iterdir())
    assert len(files) == 3  # the old one was replaced
    for file in files:
        file.write_bytes(file.read_bytes()[:-500])
    np.testing.assert_array_equal(load_pictures(folder, 9).train, first.train)
    assert len(reads) == 4


def test_without_a_place_to_write_there_is_no_cache(tmp_path, monkeypatch):
    folder = write_pictures(tmp_path / "pictures", 60)
    (tmp_path / "build").write_bytes(b"no folder")
    load_pictures(folder, 9)
    monkeypatch.setenv(BUILD_VARIABLE, str(folder / "build"))
    load_pictures(folder, 9)
    monkeypatch.delenv(BUILD_VARIABLE)
    monkeypatch.chdir(tmp_path)  # no project here
    load_pictures("pictures", 9)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["build", "pictures"]
    assert not (folder / "build").exists()
