"""Pictures to learn from: a data set by name, or any folder, zip or array."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from latent_arithmetic.data_files import CRYPTOPUNKS, find_data, read_data
from latent_arithmetic.errors import UserError
from latent_arithmetic.images.data.arrays import ROW
from latent_arithmetic.images.data.cache import read_cached
from latent_arithmetic.images.data.decoding import square
from latent_arithmetic.images.data.fetching import find_pictures
from latent_arithmetic.images.data.folders import LoadReport, spread_evenly
from latent_arithmetic.images.data.labels import read_labels
from latent_arithmetic.images.data.registry import CARDS, PUNKS

OFFICIAL_BACKGROUND = (0x63, 0x85, 0x96)  # of larvalabs.com/cryptopunks
TYPE_BACKGROUNDS = {  # our own choice: one muted colour for each type
    "alien": (0x5B, 0x5F, 0x8D),
    "ape": (0x7D, 0x8F, 0x69),
    "zombie": (0x95, 0x6B, 0x5B),
    "female": (0x8E, 0x6F, 0x96),
    "male": OFFICIAL_BACKGROUND,
}
PUNK_SIDE = 24  # pixels, as drawn
PUNK_BORDER = 4  # pixels of background on every side: 24 becomes 32, doubled 64

VALIDATION_SHARE, TEST_SHARE = 0.1, 0.1
FEWEST_PICTURES = 50  # fewer cannot be split and learned from
FEWEST_HELD_OUT = 2  # validation and test pictures each


@dataclass(frozen=True)
class Pictures:
    """Three disjoint sets of pictures, uint8 [n, size, size, 3] each.

    A picture's own content decides its set: it does not move when others are added,
    and no two sets share a picture.

    label_names: the k yes/no attributes that are known of them, often none.
    train_labels, validation_labels, test_labels: which picture has which, bool
        [n, k] (see ``read_labels``).
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
        """A short fingerprint of the training pictures."""
        return hashlib.sha256(self.train.tobytes()).hexdigest()[:16]

    @property
    def has_doubled_pixels(self) -> bool:
        """Whether every picture is made of blocks of 2 x 2 equal pixels."""
        blocks = self.train[:, ::2, ::2]
        shifts = ((0, 1), (1, 0), (1, 1))
        return self.size % 2 == 0 and all(
            np.array_equal(blocks, self.train[:, down::2, right::2])
            for down, right in shifts
        )


def load_pictures(
    data: str | Path = PUNKS,
    size: int = 64,
    *,
    limit: int | None = None,
    background: str = "official",
) -> Pictures:
    """Load, square, resize, deduplicate and split pictures.

    Args:
        data: the name of a data set ("cryptopunks" or another of ``CARDS``), or
            the path of a folder, .zip, .npz or .npy of pictures.
        size: side of the pictures in pixels.
        limit: use no more than this many, spread evenly over all of them.
        background: of the punks: "official", or "type" for a colour by type.

    Raises:
        UserError: there are no such pictures, or too few of them can be used.
    """
    images, report, path = _read(data, size, limit, background)
    firsts, places = _distinct(images)
    report.duplicates = len(images) - len(firsts)
    report.names = [report.names[index] for index in firsts]
    if len(firsts) < FEWEST_PICTURES:
        raise UserError(
            f"{len(firsts)} usable pictures are too few; at least {FEWEST_PICTURES} "
            f"different ones are needed.\n{report}"
        )
    part = _part(places)
    sets = {"train": part == 2, "validation": part == 1, "test": part == 0}
    labels = read_labels(path, report.names)
    return Pictures(
        report.origin,
        **{name: images[firsts[chosen]] for name, chosen in sets.items()},
        report=report,
        label_names=labels.names,
        **{f"{name}_labels": labels.values[chosen] for name, chosen in sets.items()},
    )


def read_any(
    data: str | Path, size: int, limit: int | None = None, background: str = "official"
) -> tuple[np.ndarray, LoadReport]:
    """Pictures of a data set or a path, uint8 [n, size, size, 3], and what was left
    out; the arguments are those of ``load_pictures``."""
    images, report, _ = _read(data, size, limit, background)
    return images, report


def _read(
    data: str | Path, size: int, limit: int | None, background: str
) -> tuple[np.ndarray, LoadReport, Path]:
    """What ``read_any`` gives, and where it was found."""
    if str(data) == PUNKS:
        return *read_cryptopunks(size, background, limit), find_data(CRYPTOPUNKS)
    path = find_pictures(data)
    images, report = read_cached(path, size, limit)
    if str(data) in CARDS:
        report.origin = str(data)
    return images, report, path


def _distinct(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which pictures equal no earlier one, and for each a number in [0, 1) that
    depends on its content alone."""
    prints = fingerprints(images)
    firsts = np.sort(np.unique(prints, return_index=True)[1])
    return firsts, (prints[firsts] >> 16) / 2.0**48


def fingerprints(images: np.ndarray) -> np.ndarray:
    """Numbers that are the same for equal pictures only: uint64 [n]."""
    digests = (hashlib.sha256(image.tobytes()).digest() for image in images)
    return np.array(
        [int.from_bytes(digest[:8], "big") for digest in digests], np.uint64
    )


def _part(places: np.ndarray) -> np.ndarray:
    """0 for test, 1 for validation, 2 for training, by pictures' numbers in [0, 1);
    by their ranks where a part would otherwise have less than a pair of pictures."""
    shares = (TEST_SHARE, TEST_SHARE + VALIDATION_SHARE)
    part = np.digitize(places, shares)
    if np.bincount(part, minlength=3).min() >= FEWEST_HELD_OUT:
        return part
    ranks = places.argsort().argsort()
    held_out = max(FEWEST_HELD_OUT, round(TEST_SHARE * len(places)))
    return np.digitize(ranks, (held_out, 2 * held_out))


def read_cryptopunks(
    size: int = 64, background: str = "official", limit: int | None = None
) -> tuple[np.ndarray, LoadReport]:
    """The CryptoPunks as uint8 [n, size, size, 3].

    24: as drawn. 32: with a border of background. 64: that, every pixel doubled.
    Any other size is made from the 32 x 32 pictures.

    Raises:
        UserError: ``background`` is neither "official" nor "type".
    """
    content = read_data(CRYPTOPUNKS)
    kept = spread_evenly(len(content["images"]), limit)
    grounds = _backgrounds(content, background)[kept, None, None, :]
    drawn = content["images"][kept]
    opacity = drawn[..., 3:] / 255
    punks = drawn[..., :3] * opacity + grounds * (1 - opacity)
    punks = punks.round().astype(np.uint8)
    report = LoadReport("CryptoPunks", names=[f"{ROW}{index}" for index in kept])
    if size == PUNK_SIDE:
        return punks, report
    side = PUNK_SIDE + 2 * PUNK_BORDER
    framed = np.empty((len(punks), side, side, 3), np.uint8)
    framed[:] = grounds
    framed[:, PUNK_BORDER:-PUNK_BORDER, PUNK_BORDER:-PUNK_BORDER] = punks
    if size % side == 0:
        return framed.repeat(size // side, 1).repeat(size // side, 2), report
    return np.stack([square(Image.fromarray(punk), size) for punk in framed]), report


def _backgrounds(content: dict[str, np.ndarray], background: str) -> np.ndarray:
    """The colour behind every punk: uint8 [n, 3]."""
    colours = np.tile(np.uint8(OFFICIAL_BACKGROUND), (len(content["images"]), 1))
    if background == "official":
        return colours
    if background != "type":
        raise UserError(
            f"received background {background!r}; expected 'official' or 'type'"
        )
    names = content["attribute_names"].tolist()
    for kind, colour in TYPE_BACKGROUNDS.items():
        colours[content["attributes"][:, names.index(kind)]] = colour
    return colours


def to_unit(images: np.ndarray) -> np.ndarray:
    """uint8 -> float32 in [0, 1], as the autoencoders see them."""
    return images.astype(np.float32) / 255


def to_signed(images: np.ndarray) -> np.ndarray:
    """uint8 -> float32 in [-1, 1], as the GAN sees them."""
    return images.astype(np.float32) / 127.5 - 1


def from_unit(pictures: np.ndarray) -> np.ndarray:
    """[0, 1] -> uint8."""
    values = keras.ops.convert_to_numpy(pictures)
    return np.clip(values * 255, 0, 255).round().astype(np.uint8)


def from_signed(pictures: np.ndarray) -> np.ndarray:
    """[-1, 1] -> uint8."""
    return from_unit((pictures + 1) / 2)
