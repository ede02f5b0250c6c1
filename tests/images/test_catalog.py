"""Data sets by name: cards, where they are found, how they are downloaded."""

import sys
import types

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.images.catalog import (
    CARDS,
    KAGGLE_FOLDER_VARIABLE,
    describe_datasets,
    find_images,
)
from latent_arithmetic.images.dataset import load_images
from latent_arithmetic.io import DATA_VARIABLE, UserError, project_folder

NOISE = np.random.default_rng(0)


def write_images(folder, count: int = 60):
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(count):
        image = NOISE.integers(0, 256, (9, 9, 3)).astype("uint8")
        Image.fromarray(image).save(folder / f"{index:03d}.png")
    return folder


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """Neither data nor downloads of this machine are seen."""
    monkeypatch.setenv(KAGGLE_FOLDER_VARIABLE, str(tmp_path / "kagglehub"))
    monkeypatch.setenv(DATA_VARIABLE, str(tmp_path / "data"))


def replace_kagglehub(monkeypatch, download) -> None:
    """A kagglehub that needs no network."""
    kagglehub = types.SimpleNamespace(dataset_download=download)
    monkeypatch.setitem(sys.modules, "kagglehub", kagglehub)


def test_the_readme_of_the_data_agrees_with_the_cards():
    readme = (project_folder() / "data" / "README.md").read_text("utf-8")
    for card in CARDS.values():
        for fact in (card.name, f"<{card.link}>", card.license):
            assert fact in readme
        assert card.name == "cryptopunks" or f"| {card.labels} |" in readme


def test_every_card_is_described():
    listed = describe_datasets()
    for card in CARDS.values():
        assert f"{card.name}: {card.what}" in listed and card.link in listed
    assert "data/cryptopunks.npz" in listed and "no; by kagglehub" in listed


@pytest.mark.parametrize("file_name", ["anime-faces-64.zip", "anime-faces"])
def test_a_data_set_is_found_in_the_data_folder(tmp_path, file_name):
    place = write_images(tmp_path / "data" / file_name)
    assert find_images("anime-faces") == place.resolve()
    assert load_images("anime-faces", 9).name == "anime-faces"


def test_a_data_set_is_downloaded_with_its_license_shown(tmp_path, monkeypatch, capsys):
    card = CARDS["utkface"]
    keep = tmp_path / "kagglehub" / "datasets" / card.kaggle
    requested = []

    def download(handle):
        assert card.license in capsys.readouterr().err
        requested.append(handle)
        write_images(keep / "versions" / "10")
        (keep / "10.complete").touch()
        return str(keep / "versions" / "10")

    replace_kagglehub(monkeypatch, download)
    (keep / "versions" / "9").mkdir(parents=True)
    (keep / "versions" / "11").mkdir()  # an interrupted download
    assert len(load_images("utkface", 9).train) > 30
    assert find_images("utkface") == keep / "versions" / "10"
    assert requested == [card.kaggle]  # the second time it is on this machine


def test_a_failed_download_is_one_clear_error(monkeypatch):
    def no_network(handle):
        raise OSError("name resolution failed\nand more")

    monkeypatch.setitem(sys.modules, "kagglehub", None)
    for name, advice in (
        ("rijksmuseum-portraits", "--data PATH"),
        ("butterflies", 'pip install -e ".[fetch]"'),
    ):
        with pytest.raises(UserError, match="not on this machine") as error:
            load_images(name)
        assert CARDS[name].link in str(error.value) and advice in str(error.value)
    replace_kagglehub(monkeypatch, no_network)
    with pytest.raises(UserError, match="OSError: name resolution failed") as error:
        load_images("butterflies")
    assert CARDS["butterflies"].link in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "data", ["utkfaces", "a\0b", "x" * 5000, "~nobody-here/a", "a\n.zip"]
)
def test_an_unknown_name_or_path_is_one_clear_error(data):
    with pytest.raises(UserError, match="no images.*expected one of cryptopunks") as e:
        find_images(data)
    assert len(str(e.value)) < 400
