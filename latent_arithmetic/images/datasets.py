"""Pictures to learn from: CryptoPunks, or any folder, zip or array of your own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from latent_arithmetic.data_files import CRYPTOPUNKS, find_data, read_data
from latent_arithmetic.errors import UserError
from latent_arithmetic.images.folders import LoadReport, read_pictures, square

PUNKS = "cryptopunks"
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


@dataclass(frozen=True)
class Pictures:
    """Three disjoint sets of pictures, uint8 [n, size, size, 3] each.

    A picture's own content decides its set: it never moves when others are added,
    and no two sets share a picture.
    """

    name: str
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    report: LoadReport

    @property
    def size(self) -> int:
        return self.train.shape[1]

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
        data: "cryptopunks", or the path of a folder, .zip, .npz or .npy of
            pictures; a file in the data folder is found by its name alone.
        size: side of the pictures in pixels.
        limit: use no more than this many, spread evenly over all of them.
        background: of the punks: "official", or "type" for a colour by type.

    Raises:
        UserError: there are no such pictures, or too few of them can be used.
    """
    images, report = read_any(data, size, limit, background)
    digests = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
    _, firsts = np.unique(digests, return_index=True)
    firsts = np.sort(firsts)
    report.duplicates = len(images) - len(firsts)
    report.loaded = len(firsts)
    if len(firsts) < FEWEST_PICTURES:
        raise UserError(
            f"{len(firsts)} usable pictures are too few; at least {FEWEST_PICTURES} "
            f"different ones are needed.\n{report}"
        )
    places = np.array([_place(digests[index]) for index in firsts])
    held_out = VALIDATION_SHARE + TEST_SHARE
    images = images[firsts]
    return Pictures(
        report.origin,
        train=images[places >= held_out],
        validation=images[(places >= TEST_SHARE) & (places < held_out)],
        test=images[places < TEST_SHARE],
        report=report,
    )


def read_any(
    data: str | Path, size: int, limit: int | None = None, background: str = "official"
) -> tuple[np.ndarray, LoadReport]:
    """Pictures of a data set or a path, uint8 [n, size, size, 3], and what was left
    out; the arguments are those of ``load_pictures``."""
    if str(data) == PUNKS:
        return read_cryptopunks(size, background, limit)
    return read_pictures(_find(data), size, limit)


def _place(digest: str) -> float:
    """A number in [0, 1) that depends on the picture's content alone."""
    return int(digest[:12], 16) / 16**12


def _find(data: str | Path) -> Path:
    path = Path(data).expanduser()
    if path.exists():
        return path
    try:
        return find_data(str(data))
    except UserError:
        raise UserError(
            f"there are no pictures at {data!s}; expected {PUNKS!r}, or the path of a "
            "folder, .zip, .npz or .npy of pictures"
        ) from None


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
    kept = np.arange(len(content["images"]))
    if limit is not None and limit < len(kept):
        kept = np.linspace(0, len(kept) - 1, limit).round().astype(int)
    grounds = _backgrounds(content, background)[kept, None, None, :]
    drawn = content["images"][kept]
    opacity = drawn[..., 3:] / 255
    punks = drawn[..., :3] * opacity + grounds * (1 - opacity)
    punks = punks.round().astype(np.uint8)
    report = LoadReport("CryptoPunks", loaded=len(punks))
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
