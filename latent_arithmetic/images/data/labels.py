"""Yes/no attributes of pictures, from where the usual data sets keep them."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from latent_arithmetic.images.data.arrays import ROW, read_array
from latent_arithmetic.images.data.decoding import SkippedPicture
from latent_arithmetic.images.data.folders import ARRAY_SUFFIXES, open_files, printable

MOST = 0.9  # share of the names that have to look alike to be understood
FEWEST_CLASSES, MOST_CLASSES = 2, 100
UTKFACE_NAME = re.compile(r"(\d{1,3})_([01])_([0-4])_\d")  # age, gender, race, time
GENDERS = ("male", "female")
RACES = ("white", "black", "asian", "indian", "other")
AGES = {
    0: "under 10",
    10: "10 to 19",
    20: "20 to 39",
    40: "40 to 59",
    60: "60 and over",
}
YEAR_NAME = re.compile(r"\d+_((?:19|20)\d\d)\.\w+$")  # number, year
YEARS = 5  # in a band
PARTS = {"train", "training", "valid", "validation", "val", "test", "testing"}
PARTS |= {"/", ".."}  # of names in an archive that point outside
TABLE_COLUMNS = {"filename", "label"}


@dataclass(frozen=True)
class Labels:
    """What is known about n pictures: `values` bool [n, k], one column a name."""

    names: tuple[str, ...]
    values: np.ndarray


def read_labels(path: Path, names: Sequence[str]) -> Labels:
    """The attributes of pictures that were read from a path, by their names there.

    The first of these that fits is taken:

    - an .npz with `attributes` bool [n, k] and `attribute_names` beside its pictures;
    - names as UTKFace has them, age_gender_race_time: gender, race, age band;
    - names as number_year: bands of five years;
    - a .csv with the columns filename and label, about files beside it or in train/;
    - subfolders, 2 to 100: the folder a picture is in (train, test and the like are
      no attribute).

    A picture about which its name, the table or the folder does not say all of this
    has no attribute; where nothing fits, k is 0.
    """
    if path.suffix.lower() in ARRAY_SUFFIXES and path.is_file():
        return _labels_of_array(path, names)
    files = [PurePosixPath(name) for name in names]
    faces = [UTKFACE_NAME.match(file.name) for file in files]
    if _fits(faces):
        return _tabulate(map(_face, faces), (*GENDERS, *RACES, *AGES.values()))
    years = [YEAR_NAME.match(file.name) for file in files]
    if _fits(years):
        return _tabulate(map(_years, years))
    table = _read_tables(path)
    if any(name in table for name in names):
        return _tabulate((table.get(name),) for name in names)
    classes = [_class_folder(file) for file in files]
    if FEWEST_CLASSES <= len(set(classes) - {None}) <= MOST_CLASSES:
        return _tabulate((folder,) for folder in classes)
    return _tabulate(() for _ in names)


def _fits(matches: list) -> bool:
    return bool(matches) and sum(map(bool, matches)) >= MOST * len(matches)


def _tabulate(
    said: Iterable[Iterable[str | None]], columns: Sequence[str] = ()
) -> Labels:
    """Labels from the words about every picture; columns in order unless given."""
    said = [{printable(word) for word in words if word} for words in said]
    columns = columns or sorted(set().union(*said))
    values = np.zeros((len(said), len(columns)), bool)
    places = {name: place for place, name in enumerate(columns)}
    for row, words in enumerate(said):
        values[row, [places[word] for word in words]] = True
    return Labels(tuple(columns), values)


def _face(match: re.Match | None) -> tuple[str, ...]:
    if match is None:
        return ()
    age, gender, race = map(int, match.groups())
    band = max(start for start in AGES if start <= age)
    return GENDERS[gender], RACES[race], AGES[band]


def _years(match: re.Match | None) -> tuple[str, ...]:
    if match is None:
        return ()
    first = int(match[1]) // YEARS * YEARS
    return (f"{first} to {first + YEARS - 1}",)


def _class_folder(file: PurePosixPath) -> str | None:
    """The folder a picture is in, but for train, test and the like."""
    folders = (name for name in reversed(file.parts[:-1]) if name.lower() not in PARTS)
    return next(folders, None)


def _read_tables(path: Path) -> dict[str, str]:
    """Label of every picture that a .csv of a folder or zip is about."""
    labels = {}
    for name, read in open_files(path):
        if not name.lower().endswith(".csv"):
            continue
        try:
            rows = list(csv.DictReader(io.StringIO(read().decode("utf-8-sig"))))
        except (SkippedPicture, UnicodeDecodeError, csv.Error):
            continue
        folder = PurePosixPath(name).parent
        if rows and TABLE_COLUMNS <= rows[0].keys():
            for row in rows:
                for place in (folder, folder / "train"):
                    labels[str(place / (row["filename"] or ""))] = row["label"]
    return labels


def _labels_of_array(path: Path, names: Sequence[str]) -> Labels:
    """The attributes beside the pictures of an .npz."""
    nothing = Labels((), np.zeros((len(names), 0), bool))
    try:
        values = read_array(path, "attributes")
        columns = read_array(path, "attribute_names").tolist()
        rows = [int(name.removeprefix(ROW)) for name in names]
        values = values[rows].astype(bool)
    except Exception:  # an .npy, or an array that is missing, short or damaged
        return nothing
    if values.shape != (len(names), len(columns)):
        return nothing
    return Labels(tuple(map(str, columns)), values)
