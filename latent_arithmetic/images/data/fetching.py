"""Find the pictures of a data set or a path; fetch them where that is possible."""

import importlib
import os
from pathlib import Path

from latent_arithmetic.data_files import data_folders
from latent_arithmetic.errors import UserError, first_line
from latent_arithmetic.images.data.registry import CARDS, Card
from latent_arithmetic.progress import say

KAGGLE_FOLDER_VARIABLE = "KAGGLEHUB_CACHE"  # where kagglehub keeps what it fetches


def find_pictures(data: str | Path) -> Path:
    """The path of a data set, or of pictures of one's own.

    A data set is taken from the data folder, else from what kagglehub fetched
    before, else fetched by it. A file in the data folder is found by its name alone.

    Raises:
        UserError: there are no such pictures; it says where to get a data set.
    """
    name = str(data)
    if name in CARDS:
        return at_hand(CARDS[name]) or _fetch(CARDS[name])
    path = Path(os.path.expanduser(name))
    found = path if os.path.exists(path) else _in_data_folders(name)
    if found is None:
        raise UserError(
            f"there are no pictures at {name}; expected one of {', '.join(CARDS)}, or "
            "the path of a folder, .zip, .npz or .npy of pictures"
        )
    return found


def at_hand(card: Card) -> Path | None:
    """Where a data set lies on this machine; None if it has to be fetched."""
    return _in_data_folders(*card.file_names) or _fetched_before(card)


def describe_data_sets() -> str:
    """Every card, and whether its data set is at hand."""
    return "\n\n".join(
        f"{card.name}: {card.what}\n"
        f"  licence  {card.licence}\n"
        f"  link     {card.link}\n"
        f"  labels   {card.labels}\n"
        f"  at hand  {at_hand(card) or _way_to_get(card)}"
        for card in CARDS.values()
    )


def _way_to_get(card: Card) -> str:
    return f"no; by kagglehub, {card.kaggle}" if card.kaggle else "no; see the link"


def _in_data_folders(*names: str) -> Path | None:
    places = (folder / name for folder in data_folders() for name in names)
    return next((place for place in places if os.path.exists(place)), None)


def _fetched_before(card: Card) -> Path | None:
    """The newest version that kagglehub keeps; it asks the network even for that."""
    if card.kaggle is None:
        return None
    usual = os.path.expanduser("~/.cache/kagglehub")
    root = Path(os.environ.get(KAGGLE_FOLDER_VARIABLE) or usual)
    folder = root / "datasets" / card.kaggle
    marks = [mark.stem for mark in folder.glob("*.complete") if mark.stem.isdecimal()]
    newest = folder / "versions" / max(marks, key=int, default="none")
    return newest if newest.is_dir() else None


def _fetch(card: Card) -> Path:
    """Let kagglehub download a data set into its own folder, under the user's name."""
    by_hand = (
        f"get it from {card.link} (licence: {card.licence}), then give its path as the "
        f"data (--data PATH) or put it into {data_folders()[0]} as {card.file_names[0]}"
    )
    if card.kaggle is None:
        raise UserError(f"{card.name} is not at hand; {by_hand}")
    try:
        kagglehub = importlib.import_module("kagglehub")
    except ImportError:
        raise UserError(
            f"{card.name} is not at hand; {by_hand}; or have it fetched: "
            'pip install "latent-arithmetic[fetch]"'
        ) from None
    say(f"fetching {card.name} from Kaggle: {card.what}")
    say(f"  licence: {card.licence}; {card.link}")
    try:
        return Path(kagglehub.dataset_download(card.kaggle))
    except Exception as error:  # no network, no account, no space, ...
        raise UserError(
            f"{card.name} could not be fetched from Kaggle ({first_line(error)}); "
            f"{by_hand}"
        ) from None
