"""Binary attributes of images: from tables, file names, subfolders and arrays."""

import codecs
import csv
import io
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np

MAX_CHARACTERS = 80  # of a name that is shown
NAME_FRACTION = 0.9  # of the names that have to follow a pattern
MIN_CLASSES, MAX_CLASSES = 2, 100
FEW_CLASSES = 10  # more must occur twice each, or they are no classes
UTKFACE_NAME = re.compile(
    r"(\d{1,3})_([01])_([0-4])_20\d{6}"
)  # age, gender, race, date
GENDERS = ("male", "female")
RACES = ("white", "black", "asian", "indian", "other")
AGES = {
    0: "under 10",
    10: "10 to 19",
    20: "20 to 39",
    40: "40 to 59",
    60: "60 and over",
}
YEAR_NAME = re.compile(r"\d{1,6}_((?:19|20)\d\d)\.\w+$")  # number, year
YEARS = 5  # in a band
PARTS = {"train", "training", "valid", "validation", "val", "test", "testing"}
NO_CLASSES = PARTS | {"/", ".."}  # the latter of paths that lead out of an archive
TABLE_SUFFIXES = (".csv", ".tsv")
LABEL_COLUMNS = ("label", "class", "category", "target", "species")
LABEL_COLUMNS += ("labels", "classname", "labelname", "classlabel", "categoryname")
SPLIT_COLUMNS = PARTS | {"split", "partition", "set", "subset", "fold", "dataset"}
YES, NO = {"1", "1.0", "true", "yes", "y"}, {"0", "0.0", "-1", "false", "no", "n", ""}
EXPECTED_TABLE = "expected the columns filename and label"


@dataclass(frozen=True)
class Labels:
    """What is known of n images: `values` bool [n, k], one column for each name."""

    names: tuple[str, ...]
    values: np.ndarray


def printable(name: str) -> str:
    """A name as it can safely be shown, whatever it consists of."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    return shown if len(shown) <= MAX_CHARACTERS else f"…{shown[-MAX_CHARACTERS:]}"


def read_labels(
    names: Sequence[str],
    files: Sequence[str] = (),
    tables: Mapping[str, bytes] | None = None,
) -> tuple[Labels, list[str]]:
    """The attributes of images, by their names in a folder or archive.

    The first of these that fits is taken:

    - a .csv or .tsv: one column names the files, another the class ("label" or the
      like), or all others say yes or no (as CelebA's do);
    - names as UTKFace has them, age_gender_race_time: gender, race, age band;
    - names as number_year: bands of five years;
    - subfolders, 2 to 100: the folder that an image is in (train, test and the like
      are no attribute).

    An image of which table, name or folder does not say this has no attribute; where
    nothing fits, k is 0.

    Args:
        names: of the n images.
        files: the names of all files there, whether they were read or not.
        tables: the content of every table by its name there.

    Returns:
        The labels, and notes: where they are from, and why a table was not used.
    """
    table, notes = _read_tables(names, files or names, tables or {})
    if table is not None:
        return table, notes
    paths = [PurePosixPath(name) for name in names]
    faces = [UTKFACE_NAME.match(path.name) for path in paths]
    if _most(faces):
        columns = (*GENDERS, *RACES, *AGES.values())
        notes.append("labels from the names, as UTKFace has them: gender, race, age")
        return _tabulate(map(_face, faces), columns), notes
    years = [YEAR_NAME.match(path.name) for path in paths]
    if _most(years):
        notes.append(f"labels from the names (number_year): bands of {YEARS} years")
        return _tabulate(map(_year_band, years)), notes
    folders = [_class_folder(path) for path in paths]
    found = len(set(folders) - {None})
    if MIN_CLASSES <= found <= MAX_CLASSES:
        notes.append(f"labels from the {found} subfolders")
        return _tabulate((folder,) for folder in folders), notes
    if found > MAX_CLASSES:
        notes.append(f"no labels from {found} subfolders: more than {MAX_CLASSES}")
    return _tabulate(() for _ in names), notes


def class_labels(words: Sequence[str], origin: str) -> tuple[Labels, list[str]]:
    """Labels from one class for each image ("" where it is unknown).

    Words that are hardly classes, such as measurements or captions, are not taken.
    """
    problem = _no_classes(words)
    if problem:
        return no_labels(len(words)), [f"{origin}: {problem}; no labels from it"]
    return _tabulate((word,) for word in words), [f"labels from {origin}"]


def no_labels(count: int) -> Labels:
    """The labels of images about which nothing is known."""
    return Labels((), np.zeros((count, 0), bool))


def _most(matches: list) -> bool:
    return bool(matches) and sum(map(bool, matches)) >= NAME_FRACTION * len(matches)


def _tabulate(
    said: Iterable[Iterable[str | None]], columns: Sequence[str] = ()
) -> Labels:
    """Labels from the words about every image; columns in order unless given."""
    said = [{printable(word) for word in words if word} for words in said]
    columns = list(dict.fromkeys(map(printable, columns)))
    columns = columns or sorted(set().union(*said))
    values = np.zeros((len(said), len(columns)), bool)
    positions = {name: position for position, name in enumerate(columns)}
    for row, words in enumerate(said):
        values[row, [positions[word] for word in words]] = True
    return Labels(tuple(columns), values)


def _no_classes(words: Iterable[str]) -> str | None:
    """Why words are not the classes of images; None if they are."""
    words = [word for word in words if word]
    distinct = set(words)
    if len(distinct) < MIN_CLASSES:
        return f"{len(distinct)} classes, where at least {MIN_CLASSES} are needed"
    if any(_number(word) is not None and _number(word) % 1 for word in distinct):
        return "numbers with decimals, no classes"
    repeated = len(distinct) <= FEW_CLASSES or 2 * len(distinct) <= len(words)
    if len(distinct) > MAX_CLASSES or not repeated:
        return f"{len(distinct)} different values for {len(words)} images, no classes"
    return None


def _number(word: str) -> float | None:
    try:
        return float(word)
    except ValueError:
        return None


def _face(match: re.Match | None) -> tuple[str, ...]:
    if match is None:
        return ()
    age, gender, race = map(int, match.groups())
    band = max(start for start in AGES if start <= age)
    return GENDERS[gender], RACES[race], AGES[band]


def _year_band(match: re.Match | None) -> tuple[str, ...]:
    if match is None:
        return ()
    first = int(match[1]) // YEARS * YEARS
    return (f"{first} to {first + YEARS - 1}",)


def _class_folder(path: PurePosixPath) -> str | None:
    """The folder that an image is in, but for train, test and the like."""
    parents = reversed(path.parts[:-1])
    return next((name for name in parents if name.lower() not in NO_CLASSES), None)


def _read_tables(
    names: Sequence[str], files: Sequence[str], tables: Mapping[str, bytes]
) -> tuple[Labels | None, list[str]]:
    """Labels from all tables that are about these images, and a note on each table."""
    index = _FileIndex(files)
    said: dict[str, list[str]] = defaultdict(list)
    columns: list[str] = []
    notes = []
    for name, content in tables.items():
        try:
            words, known, origin = _read_table(name, content, index)
        except (ValueError, csv.Error) as problem:
            notes.append(f"{printable(name)}: {problem}; no labels from it")
            continue
        for image, entries in words.items():
            said[image] += entries
        columns += known
        notes.append(f"labels from {origin} of {printable(name)}")
    if not any(said.get(name) for name in names):
        return None, notes
    return _tabulate((said.get(name, ()) for name in names), columns), notes


class _FileIndex:
    """Finds the one file that a cell of a table means."""

    def __init__(self, files: Sequence[str]):
        self.files = set(files)
        self.by_name, self.by_stem = defaultdict(list), defaultdict(list)
        for file in self.files:
            path = PurePosixPath(file.lower())
            self.by_name[path.name].append(file)
            self.by_stem[path.stem].append(file)

    def find(self, cell: str, table: str) -> str | None:
        """The file, by its path from the table or from anywhere, or by its name; its
        suffix may be missing."""
        path, folder = (
            PurePosixPath(cell.replace("\\", "/")),
            PurePosixPath(table).parent,
        )
        for place in (folder / path, folder / "train" / path):
            if str(place) in self.files:
                return str(place)
        name = path.name.lower()
        named = self.by_name.get(name) or self.by_stem.get(name, [])
        found = [file for file in named if _same_end(file, str(path))] or named
        return found[0] if len(found) == 1 else None


def _same_end(file: str, cell: str) -> bool:
    """Whether one path is the end of the other; the suffix may be missing."""
    cell = f"/{cell.lstrip('/')}"
    ends = (f"/{file}", f"/{PurePosixPath(file).with_suffix('')}")
    return any(end.endswith(cell) or cell.endswith(end) for end in ends)


def _read_table(
    table: str, content: bytes, index: _FileIndex
) -> tuple[dict[str, list[str]], list[str], str]:
    """The words about every file, all words in order, and where they are from.

    Raises:
        ValueError: the table is not about these files, or says nothing of use; the
            message is the reason.
    """
    header, *rows = _parse_table(content)
    width = len(header)
    if any(any(row[width:]) for row in rows):
        raise ValueError("a row has more cells than the first one")
    rows = [row[:width] + [""] * (width - len(row)) for row in rows]
    named = [
        {index.find(row[column], table) for row in rows} - {None}
        for column in range(width)
    ]
    key = max(range(width), key=lambda column: len(named[column]))
    if 2 * len(named[key]) < min(len(rows), len(index.files)) or not named[key]:
        raise ValueError(f"no column names the images here; {EXPECTED_TABLE}")
    if index.find(header[key], table):  # a table without a header
        rows = [header, *rows]
        header = [f"column {number}" for number in range(1, width + 1)]
    columns = {
        name: [row[column] for row in rows]
        for column, name in enumerate(header)
        if column != key and name
    }
    known, words, origin = _label_words(columns)
    files = [index.find(row[key], table) for row in rows]
    about = {file: entry for file, entry in zip(files, words, strict=True) if file}
    return about, known, origin


def _label_words(
    columns: Mapping[str, list[str]],
) -> tuple[list[str], list[list[str]], str]:
    """All words in order, the words of every row, and where they are from.

    Raises:
        ValueError: the columns hold no labels.
    """
    column = _label_column(columns)
    if column:
        problem = _no_classes(columns[column])
        if problem:
            raise ValueError(f"column {column!r} has {problem}")
        known = sorted(set(columns[column]) - {""})
        words = [[word] if word else [] for word in columns[column]]
        return known, words, f"column {column!r}"
    known = [name for name, cells in columns.items() if _is_yes_no(name, cells)]
    if not known or len(known) > MAX_CLASSES:
        others = ", ".join(map(printable, columns)) or "no other column"
        raise ValueError(f"it has {others}; {EXPECTED_TABLE}")
    cells = zip(*(columns[name] for name in known), strict=True)
    words = [
        [name for name, cell in zip(known, row, strict=True) if cell.lower() in YES]
        for row in cells
    ]
    return known, words, f"{len(known)} columns of yes and no"


def _parse_table(content: bytes) -> list[list[str]]:
    """The rows of a table in any usual encoding and with any usual separator."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        text = content.decode("utf-16")
    else:
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError:
            text = content.decode("cp1252", errors="replace")
    text = re.sub(r"\Asep=.\r?\n", "", text)  # Excel's own first line
    first = text.lstrip().partition("\n")[0]
    separator = max(",;\t|", key=first.count)
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True
    )
    rows = [[cell.strip() for cell in row] for row in reader if any(row)]
    if not rows:
        raise ValueError("empty")
    return rows


def _label_column(values: Mapping[str, list[str]]) -> str | None:
    """The column of classes: by its name, or the only one, of words, that there is."""
    plain = {re.sub(r"[^a-z]", "", name.lower()): name for name in values}
    for name in LABEL_COLUMNS:
        if name in plain:
            return plain[name]
    (only,) = values if len(values) == 1 else (None,)
    if only is None or only.lower() in SPLIT_COLUMNS or _is_yes_no(only, values[only]):
        return None
    return None if any(_number(word) is not None for word in values[only]) else only


def _is_yes_no(name: str, cells: list[str]) -> bool:
    """Whether a column says yes of some images and no of others."""
    said = {cell.lower() for cell in cells}
    return name.lower() not in SPLIT_COLUMNS and said <= YES | NO and bool(said & YES)
