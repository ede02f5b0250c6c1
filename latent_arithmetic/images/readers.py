"""Read images of any kind, with their labels, from a folder, a zip or an array file.

Whatever cannot be read is skipped and listed with its reason; nothing is ever
extracted to disk, no file is read beyond a fixed size, and the images fill one array
of a fixed size at most.
"""

import os
import re
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import numpy as np
from PIL import Image

from latent_arithmetic.config import build_folder
from latent_arithmetic.console import progress_bar
from latent_arithmetic.images.arrays import MAX_ARRAY_BYTES, ROW, ArraySource
from latent_arithmetic.images.labels import (
    TABLE_SUFFIXES,
    Labels,
    printable,
    read_labels,
)
from latent_arithmetic.images.pixels import (
    BYTES,
    DARKEST_BYTES,
    NOT_FINITE,
    SkippedImage,
    ValueRange,
    as_value_range,
    center_crop_resize,
    darkness_note,
    decode,
    find_value_range,
    to_rgb,
)
from latent_arithmetic.io import UserError, first_line
from latent_arithmetic.runs import RUN_NAME
from latent_arithmetic.training import CHECKPOINT_NAME

__all__ = ["ROW", "LoadReport", "center_crop_resize", "decode", "read_source"]

ARRAY_SUFFIXES = (".npy", ".npz")
MAX_BYTES = 64 * 2**20  # of one image file; larger ones are skipped
SHOWN_REASONS = 3  # examples listed for each reason
SYSTEM_FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
# The separator in zips of old Windows programs; it ends some Japanese letters, too.
BACKSLASH = re.compile(r"(?<=[\x00-\x7f])\\|\\(?!\.)")
Files = list[tuple[str, Callable[[], bytes]]]  # names, and what reads each


@dataclass
class LoadReport:
    """Which images were loaded, why others were not, and how they were understood.

    Args:
        origin: the name of the folder, file or data set.
        names: of the images that were loaded, in their order.
        skipped: (name, reason) of every image that could not be used.
        duplicates: images dropped because they equal an earlier one.
        unread: images left out because all together would need too much memory.
        notes: how values and labels were understood, and what else was left out.
    """

    origin: str
    names: list[str] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    duplicates: int = 0
    unread: int = 0
    notes: list[str] = field(default_factory=list)

    @property
    def loaded(self) -> int:
        return len(self.names)

    def __str__(self) -> str:
        lines = [f"{self.origin}: {self.loaded} images loaded"]
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
        return "\n".join(lines + [f"  {note}" for note in self.notes])


def read_source(
    path: Path,
    size: int,
    limit: int | None = None,
    value_range: tuple[float, float] | None = None,
) -> tuple[np.ndarray, Labels, LoadReport]:
    """Images of a folder (with subfolders), .zip, .npy or .npz file, in one pass.

    Images are cropped to the central square, resized to `size` and made RGB; they are
    in the order of their names. An .npz is searched for the array `images`, else for
    all arrays of images of one kind: [n, height, width] or [n, height, width, 1, 3 or
    4], channels first or last.

    Values become bytes by one range for all images: of [0, 1], [-1, 1], [0, 255] and
    [0, 65535] the one that they fill; up to 10% beyond it is clipped. An image with a
    value that is not finite is left out.

    Args:
        size: side of the images in pixels.
        limit: read at most this many, spread evenly over all of them.
        value_range: the values that mean black and white, in place of a usual range.

    Returns:
        Images uint8 [n, size, size, 3], possibly n = 0; their labels; the report.

    Raises:
        UserError: there is nothing at `path`, it is none of these kinds, or its values
            fit no usual range.
    """
    path, declared = Path(path), as_value_range(value_range)
    is_array = path.suffix.lower() in ARRAY_SUFFIXES and os.path.isfile(path)
    source = (ArraySource if is_array else FileSource)(path, declared)
    report = LoadReport(printable(path.resolve().name), notes=source.notes)
    wanted = spread_evenly(len(source.names), limit)
    kept = spread_evenly(len(wanted), MAX_ARRAY_BYTES // (3 * size * size))
    report.unread = len(wanted) - len(kept)
    images = np.empty((len(kept), size, size, 3), np.uint8)
    loaded: list[int] = []
    unscaled: list[_Unscaled] = []
    with progress_bar(len(kept), "reading images", unit="image") as bar:
        for index in wanted[kept].tolist():
            try:
                image = source.read(index)
                if image.mode == "RGB":
                    images[len(loaded)] = center_crop_resize(image, size)
                else:
                    unscaled.append(_Unscaled(len(loaded), image, size))
                loaded.append(index)
            except SkippedImage as reason:
                report.skipped.append((source.names[index], str(reason)))
            bar.update()
    failed = _scale(images, unscaled, len(loaded), report, declared)
    usable = np.setdiff1d(np.arange(len(loaded)), list(failed))
    report.skipped += [(source.names[loaded[row]], failed[row]) for row in failed]
    loaded = [loaded[row] for row in usable]
    report.names = [source.names[index] for index in loaded]
    images = images[: len(loaded)] if not failed else images[usable]
    return images, source.labels(loaded), report


class _Unscaled:
    """A gray image of 16 bits or floats: it waits for the range of all of them."""

    def __init__(self, row: int, image: Image.Image, size: int):
        values = np.asarray(image)
        self.row, self.mode = row, image.mode
        self.low, self.high = float(values.min()), float(values.max())
        if not np.isfinite([self.low, self.high]).all():
            raise SkippedImage(NOT_FINITE)
        floats = Image.fromarray(values.astype(np.float32))
        self.values = center_crop_resize(floats, size)


def _scale(
    images: np.ndarray,
    unscaled: list[_Unscaled],
    count: int,
    report: LoadReport,
    declared: ValueRange | None,
) -> dict[int, str]:
    """Put images of 16 bits, and those of floats, on one scale each.

    Returns:
        The rows that could not be scaled among others that could, with the reason.

    Raises:
        UserError: the values of all `count` images fit no usual range.
    """
    failed = {}
    for mode, dtype in (("I", "uint16"), ("F", "float32")):
        group = [image for image in unscaled if image.mode == mode]
        if not group:
            continue
        low, high = min(one.low for one in group), max(one.high for one in group)
        try:
            scale, notes = find_value_range(
                report.origin, low, high, np.dtype(dtype), declared
            )
        except UserError:
            if len(group) == count:
                raise
            reason = f"{dtype} values from {low:.6g} to {high:.6g}; save them as 8 bits"
            failed |= {image.row: reason for image in group}
            continue
        report.notes += notes
        for image in group:
            images[image.row] = scale.to_uint8(image.values)[..., None]
    return failed


def spread_evenly(count: int, limit: int | None) -> np.ndarray:
    """`limit` of the indices 0 to `count` - 1, spread evenly; all without a limit."""
    if limit is None or limit >= count:
        return np.arange(count)
    return np.linspace(0, count - 1, limit).round().astype(int)


class FileSource:
    """The images of a folder or zip: `names` and `notes`, and each image on demand.

    Raises:
        UserError: the path is neither a folder nor a zip that can be opened.
    """

    def __init__(self, path: Path, value_range: ValueRange | None):
        files, self.notes = _open_files(path)
        self._all_names = [name for name, _ in files]
        self._tables: dict[str, bytes] = {}
        self.names, self._readers = [], []
        for name, read in files:
            if name.lower().endswith(TABLE_SUFFIXES):
                try:
                    self._tables[name] = read()
                except SkippedImage as reason:
                    self.notes.append(f"no labels from {printable(name)}: {reason}")
            else:
                self.names.append(name)
                self._readers.append(read)
        self._declared = value_range
        self._highest = -1  # byte of all 8-bit images

    def read(self, index: int) -> Image.Image:
        """One image as RGB; gray ones of 16 bits or floats as "I" or "F", unscaled.

        Raises:
            SkippedImage: it is no image, damaged, or of an unusable size.
        """
        image = decode(self._readers[index]())
        if image.mode in ("I", "F"):
            return image
        if self._highest <= DARKEST_BYTES:
            highest = max(high for _, high in image.getextrema()[:3])
            self._highest = max(self._highest, highest)
        return to_rgb(image, self._declared or BYTES)

    def labels(self, indices: Sequence[int]) -> Labels:
        """The labels of some of the images; `notes` get how everything was read."""
        if self._highest >= 0 and self._declared:
            low, high = self._declared.low, self._declared.high
            self.notes.append(f"8-bit files: {low:g} is black, {high:g} is white")
        elif self._highest >= 0:
            self.notes += darkness_note(self._highest)
        names = [self.names[index] for index in indices]
        labels, notes = read_labels(names, self._all_names, self._tables)
        self.notes += notes
        return labels


def _open_files(path: Path) -> tuple[Files, list[str]]:
    """Every file of a folder or zip, by name, and notes on what is left out.

    What reads a file raises SkippedImage with the reason if it cannot.
    """
    if os.path.isdir(path):
        files, notes = list_files(path)
        return [(name, _file_reader(file)) for name, file in files], notes
    if os.path.isfile(path) and zipfile.is_zipfile(path):
        return _members_of_zip(path)
    problem = "an unknown kind of file" if os.path.exists(path) else "not there"
    raise UserError(
        f"received {path}, which is {problem}; expected a folder or a .zip of images "
        "(a single image is not enough), or an .npy or .npz array"
    )


def list_files(folder: Path) -> tuple[list[tuple[str, Path]], list[str]]:
    """Everything in a folder, (name, path) by name, but hidden files and the
    project's own output; notes on the latter.

    Links to folders are not followed; they are listed, as are folders that cannot
    be read, so that a report can say so.
    """
    found = []
    walk = os.walk(folder, onerror=lambda error: found.append(Path(error.filename)))
    for parent, folders, files in walk:
        links = [name for name in folders if os.path.islink(Path(parent, name))]
        found += [Path(parent, name) for name in files + links]
    named = {file.relative_to(folder).as_posix(): file for file in found}
    build, root = build_folder().resolve(), Path(folder).resolve()
    inside = build.is_relative_to(root) and build != root
    output = {build.relative_to(root).as_posix()} if inside else set()
    names, notes = _select(named, output)
    return [(name, named[name]) for name in names], notes


def _select(names: Iterable[str], output: set[str]) -> tuple[list[str], list[str]]:
    """Names in order, without hidden files and folders of output or trained models."""
    output = output | {
        str(PurePosixPath(name).parent)
        for name in names
        if PurePosixPath(name).name in (RUN_NAME, CHECKPOINT_NAME)
    } - {"."}
    kept, left_out = [], set()
    for name in sorted(names):
        inside = output.intersection(map(str, PurePosixPath(name).parents))
        if inside:
            left_out.add(min(inside, key=len))
        elif not _is_hidden(name):
            kept.append(name)
    return kept, [
        f"folder {printable(name)} left out: output of this program"
        for name in sorted(left_out)
    ]


def _file_reader(file: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        try:
            status = file.stat()
            if stat.S_ISDIR(status.st_mode):
                raise SkippedImage("a folder that is linked or cannot be read")
            if not stat.S_ISREG(status.st_mode):
                raise SkippedImage("not a regular file")
            with open(file, "rb") as stream:
                return _read_bounded(stream, status.st_size)
        except OSError as error:
            raise SkippedImage(f"unreadable ({error.strerror})") from None

    return read


def _members_of_zip(path: Path) -> tuple[Files, list[str]]:
    """Members are read in memory, so a name such as ../../x does no harm."""
    try:
        archive = zipfile.ZipFile(path)  # stays open for as long as its readers live
    except Exception as error:  # damaged zips raise almost anything
        raise UserError(
            f"{path} is damaged ({first_line(error)}); expected a complete .zip of "
            "images; make or download it again"
        ) from None

    def reader(member: zipfile.ZipInfo):
        def read() -> bytes:
            if member.flag_bits & 0x1:
                raise SkippedImage("encrypted")
            try:
                with archive.open(member) as stream:
                    return _read_bounded(stream, member.file_size)
            except (NotImplementedError, RuntimeError):
                raise SkippedImage("unknown zip compression") from None
            except SkippedImage:
                raise
            except Exception:
                raise SkippedImage("damaged in the zip") from None

        return read

    members = archive.infolist()
    slashes = any("/" in member.filename for member in members)
    named = {
        member.filename if slashes else BACKSLASH.sub("/", member.filename): member
        for member in members
    }
    files = [name for name in named if not name.endswith("/")]
    names, notes = _select(files, set())
    return [(name, reader(named[name])) for name in names], notes


def _read_bounded(stream, claimed: int) -> bytes:
    """All of a file, whatever size it claims, unless it is too large."""
    if claimed <= MAX_BYTES:
        content = stream.read(MAX_BYTES + 1)
        if len(content) <= MAX_BYTES:
            return content
    raise SkippedImage(f"larger than {MAX_BYTES // 2**20} MiB")


def _is_hidden(name: str) -> bool:
    """Files that systems leave behind, such as .DS_Store and __MACOSX/._1.png."""
    parts = [part for part in PurePosixPath(name).parts if part not in (".", "..")]
    hidden = any(part.startswith((".", "__MACOSX", "~$")) for part in parts)
    return hidden or PurePosixPath(name).name.lower() in SYSTEM_FILES
