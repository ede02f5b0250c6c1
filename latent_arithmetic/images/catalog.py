"""Data sets that are known by name: what they are, where they lie, how to get them."""

import importlib
import os
from dataclasses import dataclass
from pathlib import Path

from latent_arithmetic.console import say
from latent_arithmetic.images.labels import printable
from latent_arithmetic.io import UserError, data_folders, first_line

CRYPTOPUNKS_NAME = "cryptopunks"
KAGGLE_FOLDER_VARIABLE = "KAGGLEHUB_CACHE"  # where kagglehub keeps its downloads


@dataclass(frozen=True)
class DatasetCard:
    """What a data set is, and where it comes from.

    Args:
        labels: the binary attributes of its images, and how they are read.
        kaggle: its handle (owner/name) on Kaggle, if it can be downloaded.
        archive: a file in the data folder that holds it, beside `<name>.zip` and the
            folder `<name>`.
    """

    name: str
    what: str
    license: str
    link: str
    labels: str
    kaggle: str | None = None
    archive: str | None = None

    @property
    def file_names(self) -> tuple[str, ...]:
        """What it may be called in the data folder."""
        usual = (f"{self.name}.zip", self.name)
        return (self.archive, *usual) if self.archive else usual


_CARDS = (
    DatasetCard(
        CRYPTOPUNKS_NAME,
        what="10,000 CryptoPunks, 24 x 24 pixels",
        license="the designs are (c) Larva Labs / Yuga Labs; used here for teaching",
        link="https://www.larvalabs.com/cryptopunks",
        labels="92 attributes: 5 types, 87 accessories; in the file",
        archive="cryptopunks.npz",
    ),
    DatasetCard(
        "utkface",
        what="more than 20,000 aligned faces, 200 x 200 pixels",
        license="non-commercial research only",
        link="https://susanqq.github.io/UTKFace/",
        labels="gender, race and age band, from the name age_gender_race_time.jpg",
        kaggle="jangedoo/utkface-new",
        archive="utkface-64.zip",
    ),
    DatasetCard(
        "anime-faces",
        what="21,551 faces of drawn characters, 64 x 64 pixels",
        license="educational use",
        link="https://www.kaggle.com/datasets/soumikrakshit/anime-faces",
        labels="the year in bands of five, where files are named number_year.jpg",
        kaggle="soumikrakshit/anime-faces",
        archive="anime-faces-64.zip",
    ),
    DatasetCard(
        "butterflies",
        what="6,499 labeled butterflies of 75 species and others without a label, "
        "224 x 224 pixels",
        license="see the page",
        link="https://www.kaggle.com/datasets/phucthaiv02/butterfly-image-classification",
        labels="the species: from Training_set.csv, or from subfolders",
        kaggle="phucthaiv02/butterfly-image-classification",
    ),
    DatasetCard(
        "rijksmuseum-portraits",
        what="portraits of your choice from the museum's collection",
        license="public domain, see the page",
        link="https://www.rijksmuseum.nl/en/rijksstudio",
        labels="yours: from subfolders",
    ),
)
CARDS = {card.name: card for card in _CARDS}


def find_images(data: str | Path) -> Path:
    """The path of a data set, or of images of one's own.

    A data set is taken from the data folder, else from what kagglehub downloaded
    before, else downloaded by it. A file in the data folder is found by its name.

    Raises:
        UserError: there are no such images; it says where to get a data set.
    """
    name = str(data)
    if not name.strip():
        raise UserError(
            f"received an empty name of images; expected one of {', '.join(CARDS)}, or "
            "the path of a folder, .zip, .npz or .npy of images"
        )
    if name in CARDS:
        return find_local(CARDS[name]) or _download(CARDS[name])
    path = Path(os.path.expanduser(name))
    found = path if os.path.exists(path) else _in_data_folders(name)
    if found is None:
        raise UserError(
            f"there are no images at {printable(name)}; expected one of "
            f"{', '.join(CARDS)}, or the path of a folder, .zip, .npz or .npy of images"
        )
    return found


def find_local(card: DatasetCard) -> Path | None:
    """Where a data set lies on this machine; None if it has to be downloaded."""
    return _in_data_folders(*card.file_names) or _downloaded_before(card)


def describe_datasets() -> str:
    """Every card, and whether its data set is on this machine."""
    return "\n\n".join(
        f"{card.name}: {card.what}\n"
        f"  license  {card.license}\n"
        f"  link     {card.link}\n"
        f"  labels   {card.labels}\n"
        f"  local    {find_local(card) or _way_to_get(card)}"
        for card in CARDS.values()
    )


def _way_to_get(card: DatasetCard) -> str:
    return f"no; by kagglehub, {card.kaggle}" if card.kaggle else "no; see the link"


def _in_data_folders(*names: str) -> Path | None:
    places = (folder / name for folder in data_folders() for name in names)
    return next((place for place in places if os.path.exists(place)), None)


def _downloaded_before(card: DatasetCard) -> Path | None:
    """The newest version that kagglehub keeps; it asks the network even for that."""
    if card.kaggle is None:
        return None
    usual = os.path.expanduser("~/.cache/kagglehub")
    root = Path(os.environ.get(KAGGLE_FOLDER_VARIABLE) or usual)
    folder = root / "datasets" / card.kaggle
    marks = [mark.stem for mark in folder.glob("*.complete") if mark.stem.isdecimal()]
    newest = folder / "versions" / max(marks, key=int, default="none")
    return newest if newest.is_dir() else None


def _download(card: DatasetCard) -> Path:
    """Let kagglehub download a data set into its own folder, under the user's name."""
    by_hand = (
        f"get it from {card.link} (license: {card.license}), then give its path as the "
        f"data (--data PATH) or put it into {data_folders()[0]} as {card.name}.zip or "
        f"as a folder {card.name}"
    )
    if card.kaggle is None:
        raise UserError(f"{card.name} is not on this machine; {by_hand}")
    try:
        kagglehub = importlib.import_module("kagglehub")
    except ImportError:
        raise UserError(
            f"{card.name} is not on this machine; {by_hand}; or have it downloaded: "
            'python -m pip install -e ".[fetch]" in the project\'s folder'
        ) from None
    say(f"downloading {card.name} from Kaggle: {card.what}")
    say(f"  license: {card.license}; {card.link}")
    try:
        return Path(kagglehub.dataset_download(card.kaggle))
    except Exception as error:  # no network, no account, no space, ...
        raise UserError(
            f"{card.name} could not be downloaded from Kaggle ({first_line(error)}); "
            f"{by_hand}"
        ) from None
