"""Loading pictures: hostile folders, zips and arrays; splits that do not leak."""

import io
import os
import struct
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.errors import UserError
from latent_arithmetic.images import folders
from latent_arithmetic.images.datasets import (
    OFFICIAL_BACKGROUND,
    from_signed,
    from_unit,
    load_pictures,
    to_signed,
    to_unit,
)
from latent_arithmetic.images.folders import read_pictures

NOISE = np.random.default_rng(0)


def noise(*shape):
    return NOISE.integers(0, 256, shape).astype("uint8")


def encoded(picture: Image.Image, kind: str = "PNG", **options) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def png_of_claimed_size(width: int, height: int) -> bytes:
    """A tiny file that says it is enormous: a decompression bomb."""

    def chunk(kind, content):
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
    return b"\x89PNG\r\n\x1a\n" + body + chunk(b"IEND", b"")


def hostile_files() -> tuple[dict[str, bytes], dict[str, str]]:
    """Good files in many modes, and bad ones with the reason they should get."""
    rgb = Image.fromarray(noise(20, 30, 3))
    clear = Image.fromarray(np.dstack([noise(16, 16, 3), np.zeros((16, 16), "uint8")]))
    sixteen = Image.fromarray(noise(16, 16).astype("uint16") * 256)
    frames = [Image.fromarray(noise(16, 16, 3)).quantize(16) for _ in range(3)]
    animated = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    jpeg = encoded(rgb, "JPEG")
    good = {
        "a/rgb.png": encoded(rgb),
        "b.jpg": jpeg,
        "grey.png": encoded(rgb.convert("L")),
        "sixteen.png": encoded(sixteen),
        "cmyk.jpg": encoded(rgb.convert("CMYK"), "JPEG"),
        "palette.png": encoded(rgb.quantize(8)),
        "clear.png": encoded(clear),
        "animated.gif": animated,
        "really_a_png.jpg": encoded(Image.fromarray(noise(9, 9, 3))),
        "no_suffix": encoded(Image.fromarray(noise(12, 12, 3))),
        "large.webp": encoded(Image.fromarray(noise(200, 90, 3)), "WEBP"),
    }
    bad = {
        "broken.jpg": "damaged",
        "text.png": "not a picture",
        "empty.png": "empty file",
        "dot.png": "smaller than",
        "bomb.png": "million pixels",
    }
    content = {
        "broken.jpg": jpeg[: len(jpeg) // 3],
        "text.png": b"these are words",
        "empty.png": b"",
        "dot.png": encoded(Image.new("RGB", (1, 1))),
        "bomb.png": png_of_claimed_size(60_000, 60_000),
    }
    return good | content, bad


def test_a_hostile_folder(tmp_path):
    files, bad = hostile_files()
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    (tmp_path / ".DS_Store").write_bytes(b"hidden files are not even mentioned")
    images, report = read_pictures(tmp_path, 16)
    assert images.shape == (len(files) - len(bad), 16, 16, 3)
    assert images.dtype == np.uint8
    reasons = dict(report.skipped)
    assert reasons.keys() == bad.keys()
    for name, reason in bad.items():
        assert reason in reasons[name]
    assert "11 pictures loaded" in str(report) and "bomb.png" in str(report)
    again, _ = read_pictures(tmp_path, 16)
    np.testing.assert_array_equal(images, again)


def test_a_hostile_zip_stays_in_memory(tmp_path):
    files, bad = hostile_files()
    path = tmp_path / "inside" / "pictures.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr("../../outside.png", encoded(Image.fromarray(noise(9, 9, 3))))
    images, report = read_pictures(path, 16)
    assert len(images) == len(files) - len(bad) + 1
    assert {name for name, _ in report.skipped} == bad.keys()
    assert os.listdir(tmp_path) == ["inside"]
    assert os.listdir(path.parent) == ["pictures.zip"]


def test_a_zip_bomb_is_read_to_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "MAX_BYTES", 10_000)
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", b"\0" * 5_000_000)
        archive.writestr("good.png", encoded(Image.fromarray(noise(9, 9, 3))))
    images, report = read_pictures(path, 16)
    assert len(images) == 1 and "larger than" in report.skipped[0][1]


def test_a_cut_off_member_is_skipped(tmp_path):
    path = tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("1.png", encoded(Image.fromarray(noise(40, 40, 3))))
        archive.writestr("2.png", encoded(Image.fromarray(noise(40, 40, 3))))
    content = bytearray(path.read_bytes())
    content[200:300] = bytes(100)
    path.write_bytes(content)
    images, report = read_pictures(path, 16)
    assert len(images) == 1 and "damaged" in report.skipped[0][1]


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


def test_too_few_is_one_clear_error_that_lists_the_reasons(tmp_path):
    files, _ = hostile_files()
    for name, content in files.items():
        (tmp_path / name.replace("/", "-")).write_bytes(content)
    with pytest.raises(UserError, match="too few") as error:
        load_pictures(tmp_path, 16)
    assert "bomb.png" in str(error.value) and "at least 50" in str(error.value)


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
