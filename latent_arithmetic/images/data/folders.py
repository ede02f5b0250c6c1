"""Read pictures of any kind from a folder, a zip or an array file.

Whatever cannot be read is skipped and listed with its reason; nothing is ever
extracted to disk, no file is read beyond a fixed size, and the pictures fill one
array of a fixed size at most.
"""

import os
import stat
import zipfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image

from latent_arithmetic.errors import UserError, first_line
from latent_arithmetic.images.data.arrays import MAX_ARRAY_BYTES, picture_rows
from latent_arithmetic.images.data.decoding import SkippedPicture, decode, square
from latent_arithmetic.progress import progress_bar

ARRAY_SUFFIXES = (".npy", ".npz")
MAX_BYTES = 64 * 2**20  # of one picture file; larger ones are skipped
SHOWN_REASONS = 3  # examples listed for each reason
SHOWN_CHARACTERS = 80  # of a name


@dataclass
class LoadReport:
    """What became of the pictures: which loaded, and why the others did not.

    names: of the pictures that loaded, in their order.
    skipped: (name, reason) of every picture that could not be used.
    duplicates: pictures dropped because they equal an earlier one.
    unread: pictures left out because all together would need too much memory.
    """

    origin: str
    names: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    duplicates: int = 0
    unread: int = 0

    @property
    def loaded(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        lines = [f"{self.origin}: {self.loaded} pictures loaded"]
        if self.duplicates:
            lines.append(f"  {self.duplicates} exact duplicates dropped")
        if self.unread:
            most = f"{MAX_ARRAY_BYTES // 2**30} GiB at this size"
            lines.append(f"  {self.unread} not read, to stay below {most}")
        for reason, count in Counter(reason for _, reason in self.skipped).items():
            names = [name for name, why in self.skipped if why == reason]
            shown = ", ".join(map(printable, names[:SHOWN_REASONS]))
            more = ", …" * (count > SHOWN_REASONS)
            lines.append(f"  {count} skipped, {reason}: {shown}{more}")
        return "\n".join(lines)


def printable(name: str) -> str:
    """A file's name as it can safely be shown, whatever it is made of."""
    shown = "".join(letter if letter.isprintable() else "\ufffd" for letter in name)
    return shown if len(shown) <= SHOWN_CHARACTERS else f"…{shown[-SHOWN_CHARACTERS:]}"


def read_pictures(
    path: Path, size: int, limit: int | None = None
) -> tuple[np.ndarray, LoadReport]:
    """Pictures of a folder (with subfolders), .zip, .npy or .npz file.

    Pictures are cropped to the central square, resized to ``size`` and made RGB.
    Their order is that of their names. An .npz is searched for the array
    ``images``, else for its only array of pictures: [n, height, width] or
    [n, height, width, 1, 3 or 4]; bytes, 16 bits, or floats in [0, 1] or [-1, 1].

    Args:
        limit: read no more than this many, spread evenly over all of them.

    Returns:
        uint8 [n, size, size, 3], possibly n = 0, and the report.

    Raises:
        UserError: there is nothing at ``path``, or it is none of these kinds.
    """
    path = Path(path)
    report = LoadReport(printable(path.resolve().name))
    sources = _pictures_of(path)
    wanted = spread_evenly(len(sources), limit)
    kept = spread_evenly(len(wanted), MAX_ARRAY_BYTES // (3 * size * size))
    report.unread = len(wanted) - len(kept)
    images = np.empty((len(kept), size, size, 3), np.uint8)
    with progress_bar(len(kept), "reading pictures", unit="picture") as bar:
        for index in wanted[kept]:
            name, open_picture = sources[index]
            try:
                images[report.loaded] = square(open_picture(), size)
                report.names.append(name)
            except SkippedPicture as reason:
                report.skipped.append((name, str(reason)))
            bar.update()
    return images[: report.loaded], report


def spread_evenly(count: int, limit: int | None) -> np.ndarray:
    """``limit`` of the places 0 to ``count`` - 1, spread evenly; all without one."""
    if limit is None or limit >= count:
        return np.arange(count)
    return np.linspace(0, count - 1, limit).round().astype(int)


def _pictures_of(path: Path) -> list[tuple[str, Callable[[], Image.Image]]]:
    """The name of every picture, and what opens it as RGB."""
    if path.suffix.lower() in ARRAY_SUFFIXES and os.path.isfile(path):
        return picture_rows(path)

    def opener(read: Callable[[], bytes]):
        return lambda: decode(read())

    return [(name, opener(read)) for name, read in open_files(path)]


def open_files(path: Path) -> list[tuple[str, Callable[[], bytes]]]:
    """The name of every file of a folder or zip, by name, and what reads it.

    What reads it raises SkippedPicture with the reason if it cannot.

    Raises:
        UserError: the path is neither a folder nor a zip that can be opened.
    """
    if os.path.isdir(path):
        return [(name, _file_reader(file)) for name, file in list_files(path)]
    if os.path.isfile(path) and zipfile.is_zipfile(path):
        return _members_of_zip(path)
    problem = "an unknown kind of file" if os.path.exists(path) else "not there"
    raise UserError(
        f"received {path}, which is {problem}; "
        "expected a folder or a .zip of pictures, or an .npy or .npz array"
    )


def list_files(folder: Path) -> list[tuple[str, Path]]:
    """Everything below a folder but hidden files: (name, path), by name.

    Links to folders are not followed; they are listed, as are folders that cannot
    be read, so that a report can say so.
    """
    found = []
    walk = os.walk(folder, onerror=lambda error: found.append(Path(error.filename)))
    for parent, folders, files in walk:
        links = [name for name in folders if os.path.islink(Path(parent, name))]
        found += [Path(parent, name) for name in files + links]
    named = {file.relative_to(folder).as_posix(): file for file in found}
    return [(name, named[name]) for name in sorted(named) if not _is_hidden(name)]


def _file_reader(file: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            status = file.stat()
            if stat.S_ISDIR(status.st_mode):
                raise SkippedPicture("a folder that is linked or cannot be read")
            if not stat.S_ISREG(status.st_mode):
                raise SkippedPicture("not a regular file")
            with open(file, "rb") as stream:
                return _read_whole(stream, status.st_size)
        except OSError as error:
            raise SkippedPicture(f"unreadable ({error.strerror})") from None

    return read


def _members_of_zip(path: Path) -> list[tuple[str, Callable[[], bytes]]]:
    """Members are read in memory, so a name such as ../../x harms nobody."""
    try:
        archive = zipfile.ZipFile(path)  # stays open for as long as its readers live
    except Exception as error:  # damaged zips raise almost anything
        raise UserError(
            f"{path} is damaged ({first_line(error)}); expected a whole .zip of "
            "pictures; make or download it again"
        ) from None

    def reader(member: zipfile.ZipInfo):
        def read() -> bytes:
            if member.flag_bits & 0x1:
                raise SkippedPicture("encrypted")
            try:
                with archive.open(member) as stream:
                    return _read_whole(stream, member.file_size)
            except (NotImplementedError, RuntimeError):
                raise SkippedPicture("unknown zip compression") from None
            except SkippedPicture:
                raise
            except Exception:
                raise SkippedPicture("damaged in the zip") from None

        return read

    members = sorted(archive.infolist(), key=lambda member: member.filename)
    return [
        (member.filename, reader(member))
        for member in members
        if not (member.filename.endswith("/") or _is_hidden(member.filename))
    ]


def _read_whole(stream, claimed: int) -> bytes:
    """All of a file, whatever size it claims, unless it is too large."""
    if claimed <= MAX_BYTES:
        content = stream.read(MAX_BYTES + 1)
        if len(content) <= MAX_BYTES:
            return content
    raise SkippedPicture(f"larger than {MAX_BYTES // 2**20} MiB")


def _is_hidden(name: str) -> bool:
    """Files that systems leave behind, such as .DS_Store and __MACOSX/._1.png."""
    parts = [part for part in Path(name).parts if part not in (".", "..")]
    return any(part.startswith((".", "__MACOSX")) for part in parts)
