"""Image datasets: loaded by name or from any folder, zip or array; split; cached."""

import contextlib
import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from latent_arithmetic.config import BUILD_VARIABLE, build_folder
from latent_arithmetic.console import say
from latent_arithmetic.images.catalog import CARDS, CRYPTOPUNKS_NAME, find_images
from latent_arithmetic.images.labels import Labels
from latent_arithmetic.images.readers import (
    ROW,
    LoadReport,
    center_crop_resize,
    list_files,
    read_source,
    spread_evenly,
)
from latent_arithmetic.io import (
    CRYPTOPUNKS,
    UserError,
    in_project,
    read_arrays,
    read_data,
    save_arrays,
)

PUNK_BACKGROUND = (0x63, 0x85, 0x96)  # of larvalabs.com/cryptopunks
PUNK_SIDE = 24  # pixels, as published
PUNK_BORDER = 4  # pixels of background on every side: 24 becomes 32, doubled 64

VALIDATION_FRACTION, TEST_FRACTION = 0.1, 0.1
MIN_IMAGES = 50  # fewer cannot be split and learned from
MIN_HELD_OUT = 2  # validation and test images each
MIN_SIZE, MAX_SIZE = 8, 1024  # pixels

MAX_PALETTE = 256  # colors; more are no palette
SMALL_PALETTE = 32  # colors of one image of pixel art, at most
MIN_FLAT = 0.5  # fraction of neighboring pixels of pixel art that are equal
COMPARED_IMAGES = 500  # looked at to tell pixel art from photographs
COLOR_CODE = np.array([2**16, 2**8, 1])  # a color as one whole number

CACHE_VERSION = 2  # one more whenever the same files are read into other images


@dataclass(frozen=True)
class ImageDataset:
    """Disjoint training, validation and test images, uint8 [n, size, size, 3] each.

    The split of an image follows from a hash of its pixels: it stays the same when
    other images are added, and no image is in two splits.

    Args:
        name: of the data set, or of the folder or file.
        report: which images were loaded, and why others were not.
        label_names: the k binary attributes that are known of the images, often none.
        train_labels, validation_labels, test_labels: bool [n, k], see `read_labels`.
    """

    name: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    report: LoadReport
    label_names: tuple[str, ...]
    train_labels: np.ndarray
    validation_labels: np.ndarray
    test_labels: np.ndarray

    @property
    def size(self) -> int:
        return self.train.shape[1]

    @property
    def content(self) -> str:
        """A short fingerprint of the training images."""
        return hashlib.sha256(self.train.tobytes()).hexdigest()[:16]

    @property
    def pixel_doubled(self) -> bool:
        """Whether every image consists of blocks of 2 x 2 equal pixels."""
        blocks = self.train[:, ::2, ::2]
        shifts = ((0, 1), (1, 0), (1, 1))
        return self.size % 2 == 0 and all(
            np.array_equal(blocks, self.train[:, down::2, right::2])
            for down, right in shifts
        )


@dataclass(frozen=True)
class ImageSpec:
    """What a network has to know of the images it is built for.

    Args:
        size: side in pixels.
        pixel_doubled: every pixel comes as a block of 2 x 2 (enlarged pixel art).
        palette_size: number of colors of pixel art; 0 for photographs.
        n_attributes: number of binary attributes that are known of every image.
    """

    size: int = 64
    pixel_doubled: bool = True
    palette_size: int = 0
    n_attributes: int = 0

    @property
    def shape(self) -> tuple[int, int, int]:
        return (self.size, self.size, 3)

    @property
    def block_size(self) -> int:
        """Side, in pixels, of the squares that share a color."""
        return 2 if self.pixel_doubled else 1


def image_spec(dataset: ImageDataset) -> ImageSpec:
    """The specification of a dataset's images."""
    palette = find_palette(dataset.train)
    return ImageSpec(
        dataset.size,
        dataset.pixel_doubled,
        0 if palette is None else len(palette),
        len(dataset.label_names),
    )


def load_images(
    data: str | Path = CRYPTOPUNKS_NAME,
    size: int = 64,
    *,
    limit: int | None = None,
    value_range: tuple[float, float] | None = None,
) -> ImageDataset:
    """Load images, crop and resize them, drop duplicates, and split them.

    Args:
        data: the name of a data set ("cryptopunks" or another of `CARDS`), or the
            path of a folder, .zip, .npz or .npy of images.
        size: side of the loaded images in pixels.
        limit: use at most this many, spread evenly over all of them.
        value_range: the values that mean black and white, where the usual ranges do
            not tell (see `read_source`).

    Raises:
        UserError: there are no such images, too few of them can be used, or their
            values have no usual range.
    """
    images, labels, report = _read(data, size, limit, value_range)
    firsts, positions = _distinct(images)
    report.duplicates = len(images) - len(firsts)
    report.names = [report.names[index] for index in firsts]
    if len(firsts) < MIN_IMAGES:
        raise UserError(
            f"{report}\n{len(firsts)} usable images are too few; at least "
            f"{MIN_IMAGES} different ones are needed"
        )
    part = _split(positions)
    parts = {"train": part == 2, "validation": part == 1, "test": part == 0}
    values = labels.values[firsts]
    return ImageDataset(
        report.origin,
        **{name: images[firsts[chosen]] for name, chosen in parts.items()},
        report=report,
        label_names=labels.names,
        **{f"{name}_labels": values[chosen] for name, chosen in parts.items()},
    )


def read_images(
    data: str | Path,
    size: int,
    limit: int | None = None,
    value_range: tuple[float, float] | None = None,
) -> tuple[np.ndarray, LoadReport]:
    """All images, uint8 [n, size, size, 3], without a split, and what was left out.

    The arguments are those of `load_images`.
    """
    images, _, report = _read(data, size, limit, value_range)
    return images, report


def _read(
    data: str | Path,
    size: int,
    limit: int | None,
    value_range: tuple[float, float] | None,
) -> tuple[np.ndarray, Labels, LoadReport]:
    if not MIN_SIZE <= size <= MAX_SIZE:
        raise UserError(
            f"received the image size {size}; expected {MIN_SIZE} to {MAX_SIZE} pixels"
        )
    if limit is not None and limit < 1:
        raise UserError(f"received a limit of {limit} images; expected at least 1")
    if str(data) == CRYPTOPUNKS_NAME:
        if value_range is not None:
            raise UserError(
                f"the values of {CRYPTOPUNKS_NAME} are known; --value-range (or "
                "value_range=) is for images of your own; leave it out"
            )
        return read_cryptopunks(size, limit)
    images, labels, report = _read_cached(find_images(data), size, limit, value_range)
    if str(data) in CARDS:
        report.origin = str(data)
    return images, labels, report


def _distinct(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The indices of images that equal no earlier one, and for each a number in
    [0, 1) that depends on its content alone."""
    prints = fingerprints(images)
    firsts = np.sort(np.unique(prints, return_index=True)[1])
    return firsts, (prints[firsts] >> 16) / 2.0**48


def fingerprints(images: np.ndarray) -> np.ndarray:
    """A number for every image, equal for equal images only: uint64 [n]."""
    digests = (hashlib.sha256(image.tobytes()).digest() for image in images)
    return np.array(
        [int.from_bytes(digest[:8], "big") for digest in digests], np.uint64
    )


def _split(positions: np.ndarray) -> np.ndarray:
    """0 for test, 1 for validation, 2 for training, by the images' numbers in [0, 1);
    by their ranks where a part would otherwise have fewer than two images."""
    part = np.digitize(positions, (TEST_FRACTION, TEST_FRACTION + VALIDATION_FRACTION))
    if np.bincount(part, minlength=3).min() >= MIN_HELD_OUT:
        return part
    ranks = positions.argsort().argsort()
    held_out = max(MIN_HELD_OUT, round(TEST_FRACTION * len(positions)))
    return np.digitize(ranks, (held_out, 2 * held_out))


def read_cryptopunks(
    size: int = 64, limit: int | None = None
) -> tuple[np.ndarray, Labels, LoadReport]:
    """The CryptoPunks, uint8 [n, size, size, 3], and their attributes.

    Sizes: 24 as published, 32 with a border of background, 64 with every pixel doubled.
    Any other size is made from the 32 x 32 images.
    """
    content = read_data(CRYPTOPUNKS)
    kept = spread_evenly(len(content["images"]), limit)
    names = tuple(content["attribute_names"].tolist())
    labels = Labels(names, content["attributes"][kept].astype(bool))
    report = LoadReport("CryptoPunks", names=[f"{ROW}{index}" for index in kept])
    colors, opacity = np.split(content["images"][kept], [3], axis=-1)
    opacity = opacity / 255
    punks = colors * opacity + np.uint8(PUNK_BACKGROUND) * (1 - opacity)
    punks = punks.round().astype(np.uint8)
    if size == PUNK_SIDE:
        return punks, labels, report
    side = PUNK_SIDE + 2 * PUNK_BORDER
    framed = np.empty((len(punks), side, side, 3), np.uint8)
    framed[:] = PUNK_BACKGROUND
    framed[:, PUNK_BORDER:-PUNK_BORDER, PUNK_BORDER:-PUNK_BORDER] = punks
    if size % side == 0:
        enlarged = framed.repeat(size // side, 1).repeat(size // side, 2)
        return enlarged, labels, report
    resized = [center_crop_resize(Image.fromarray(punk), size) for punk in framed]
    return np.stack(resized), labels, report


def to_unit(images: np.ndarray) -> np.ndarray:
    """uint8 -> float32 in [0, 1], the scale of the autoencoders."""
    return images.astype(np.float32) / 255


def to_signed(images: np.ndarray) -> np.ndarray:
    """uint8 -> float32 in [-1, 1], the scale of the GAN."""
    return images.astype(np.float32) / 127.5 - 1


def from_unit(images: np.ndarray) -> np.ndarray:
    """[0, 1] -> uint8."""
    values = keras.ops.convert_to_numpy(images)
    return np.clip(values * 255, 0, 255).round().astype(np.uint8)


def find_palette(images: np.ndarray) -> np.ndarray | None:
    """The palette of pixel art: all its colors, uint8 [m, 3]; None for photographs.

    Pixel art has at most 256 colors in all. More than 32 are a palette only if a
    typical image uses no more than 32 of them, in flat areas: the 256 grays of
    photographs are none.

    Args:
        images: uint8 [n, height, width, 3].
    """
    found = np.zeros(0, np.int64)
    for part in np.array_split(images, max(1, len(images) // 500)):
        found = np.union1d(found, part.reshape(-1, 3) @ COLOR_CODE)
        if len(found) > MAX_PALETTE:
            return None
    if len(found) > SMALL_PALETTE and not _is_pixel_art(images[:COMPARED_IMAGES]):
        return None
    return (found[:, None] // COLOR_CODE % 256).astype(np.uint8)


def _is_pixel_art(images: np.ndarray) -> bool:
    """Whether images have few colors each, and large areas of one color."""
    codes = images @ COLOR_CODE
    flat = [np.mean(codes[:, :, 1:] == codes[:, :, :-1])]
    flat += [np.mean(codes[:, 1:] == codes[:, :-1])]
    colors = np.median([len(np.unique(code)) for code in codes])
    return bool(colors <= SMALL_PALETTE and np.mean(flat) >= MIN_FLAT)


def palette_indices(images: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """The index of every pixel's color in the palette, or of the nearest color there.

    Args:
        images: uint8 [n, height, width, 3].
        palette: uint8 [m, 3].

    Returns:
        uint8 [n, height, width].
    """
    codes, positions = np.unique(
        images.reshape(-1, 3) @ COLOR_CODE, return_inverse=True
    )
    colors = codes[:, None] // COLOR_CODE % 256
    distances = np.square(colors[:, None] - palette.astype(int)).sum(axis=-1)
    nearest = distances.argmin(axis=1).astype(np.uint8)
    return nearest[positions].reshape(images.shape[:-1])


def _read_cached(
    path: Path,
    size: int,
    limit: int | None,
    value_range: tuple[float, float] | None,
) -> tuple[np.ndarray, Labels, LoadReport]:
    """`read_source`, or what it returned before if the files are still the same.

    One .npz for each path, size, limit and range of values is kept in `build/cache/`;
    none outside a project, or where it cannot be written.
    """
    file = _cache_file(path, size, limit, value_range)
    if file is None or not os.path.exists(path):
        return read_source(path, size, limit, value_range)
    fingerprint = _fingerprint(path)
    with contextlib.suppress(Exception):  # missing or damaged in any way: read anew
        arrays = read_arrays(file)
        about = json.loads(arrays["about"].tobytes())
        if about["fingerprint"] == fingerprint:
            labels = Labels(tuple(about["label_names"]), arrays["labels"])
            report = LoadReport(**about["report"])
            report.skipped = [(name, reason) for name, reason in report.skipped]
            say(f"{report.origin}: taken from the cache {file}")
            return arrays["images"], labels, report
    images, labels, report = read_source(path, size, limit, value_range)
    if report.names:
        about = {"fingerprint": fingerprint, "report": asdict(report)}
        text = json.dumps(about | {"label_names": labels.names}).encode()
        arrays = {"images": images, "labels": labels.values}
        with contextlib.suppress(UserError):  # a full or read-only disk: no cache
            save_arrays(file, arrays | {"about": np.frombuffer(text, np.uint8)})
    return images, labels, report


def _cache_file(path: Path, *settings) -> Path | None:
    path = path.resolve()
    folder = (build_folder() / "cache").resolve()
    if not (in_project() or os.environ.get(BUILD_VARIABLE)):
        return None
    if folder.is_relative_to(path):  # writing it would change what was read
        return None
    key = hashlib.sha256(os.fsencode(path) + repr(settings).encode()).hexdigest()
    return folder / f"{key[:16]}-{settings[0]}.npz"


def _fingerprint(path: Path) -> str:
    """Changes whenever a file is added, removed, renamed or written."""
    files = list_files(path)[0] if path.is_dir() else [(path.name, path)]
    digest = hashlib.sha256(f"{CACHE_VERSION}".encode())
    for name, file in files:
        digest.update(os.fsencode(name))
        with contextlib.suppress(OSError):
            status = file.stat()
            digest.update(f"\0{status.st_size}\0{status.st_mtime_ns}\0".encode())
    return digest.hexdigest()
