"""Loading pictures: arrays, squares, splits that do not leak, CryptoPunks."""

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.data.datasets import (
    OFFICIAL_BACKGROUND,
    from_signed,
    from_unit,
    load_pictures,
    to_signed,
    to_unit,
)
from latent_arithmetic.images.data.folders import read_pictures

NOISE = np.random.default_rng(0)


def noise(*shape):
    return NOISE.integers(0, 256, shape).astype("uint8")


@pytest.mark.parametrize(
    "array",
    [
        noise(5, 12, 12, 3),
        noise(5, 12, 12),
        noise(5, 12, 12, 1),
        noise(5, 12, 12, 4),
        noise(5, 12, 12, 3).astype("int64"),
        noise(5, 12, 12, 3).astype("uint16") * 257,
        noise(5, 12, 12, 3).astype("float32") / 255,
        noise(5, 12, 12, 3).astype("float32") / 127.5 - 1,
    ],
)
def test_arrays_of_many_kinds(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", images=array, labels=np.arange(5))
    images, _ = read_pictures(tmp_path / "a.npy", 24)
    assert images.shape == (5, 24, 24, 3) and images.std() > 20
    np.testing.assert_array_equal(images, read_pictures(tmp_path / "a.npz", 24)[0])


def test_rows_that_are_not_finite_are_skipped(tmp_path):
    array = NOISE.uniform(size=(4, 10, 10, 3))
    array[2, 3] = np.nan
    np.save(tmp_path / "a.npy", array)
    images, report = read_pictures(tmp_path / "a.npy", 10)
    assert len(images) == 3 and "finite" in report.skipped[0][1]


def test_crop_resize_and_transparency(tmp_path):
    wide = np.zeros((8, 24, 3), "uint8")
    wide[:, 8:16] = 200
    Image.fromarray(wide).save(tmp_path / "wide.png")
    images, _ = read_pictures(tmp_path, 32)
    assert (images == 200).all()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "wide.png")
    assert (read_pictures(tmp_path, 8)[0] == 255).all()


@pytest.mark.parametrize("name", ["missing.zip", "missing.npz", "missing", "x.rar"])
def test_no_pictures_there_is_one_clear_error(tmp_path, name):
    (tmp_path / "x.rar").write_bytes(b"Rar!")
    with pytest.raises(UserError, match="expected"):
        load_pictures(tmp_path / name)


def test_pickles_and_wrong_arrays_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"run": "me"}]), allow_pickle=True)
    np.savez(tmp_path / "b.npz", text=np.array(["a"]))
    (tmp_path / "c.npz").write_bytes(b"no zip at all")
    for name in ("a.npy", "b.npz", "c.npz"):
        with pytest.raises(UserError, match="expected"):
            read_pictures(tmp_path / name, 16)


def test_splits_share_no_picture_and_keep_their_pictures(tmp_path):
    array = noise(300, 16, 16, 3)
    array[250:] = array[:50]
    np.save(tmp_path / "a.npy", array)
    pictures = load_pictures(tmp_path / "a.npy", 16)
    sets = [
        {image.tobytes() for image in part}
        for part in (pictures.train, pictures.validation, pictures.test)
    ]
    assert pictures.report.duplicates == 50
    assert sum(map(len, sets)) == 250 == len(set.union(*sets))
    np.save(tmp_path / "b.npy", np.concatenate([noise(100, 16, 16, 3), array]))
    more = load_pictures(tmp_path / "b.npy", 16)
    assert sets[2] <= {image.tobytes() for image in more.test}


def test_a_part_never_stays_empty(tmp_path):
    """Training pictures of one split are all training pictures of any other."""
    path = tmp_path / "train.npy"
    np.save(path, load_pictures(size=32, limit=160).train)
    again = load_pictures(path, 32)
    together = len(again.train) + len(again.validation) + len(again.test)
    assert together == len(np.load(path))
    assert len(again.validation) == len(again.test) == round(together / 10)


def test_cryptopunks_sizes_and_backgrounds():
    as_drawn = load_pictures(size=24, limit=100)
    framed = load_pictures(size=32, limit=100)
    doubled = load_pictures(size=64, limit=100)
    assert as_drawn.size == 24 and framed.size == 32 and doubled.size == 64
    assert (framed.train[:, 0, 0] == OFFICIAL_BACKGROUND).all()
    assert doubled.has_doubled_pixels and not framed.has_doubled_pixels
    assert load_pictures(size=48, limit=100).size == 48
    kinds = load_pictures(size=24, limit=1000, background="type").train[:, 0, 0]
    assert len(np.unique(kinds, axis=0)) >= 3
    with pytest.raises(UserError, match="official"):
        load_pictures(background="purple")


def test_ranges_round_trip():
    images = noise(3, 4, 4, 3)
    np.testing.assert_array_equal(from_unit(to_unit(images)), images)
    np.testing.assert_array_equal(from_signed(to_signed(images)), images)
