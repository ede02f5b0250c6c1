"""Hostile folders and files: what is good loads, the rest is listed, all is bounded."""

import io
import os
import struct
import tracemalloc
import zipfile
import zlib

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.data import arrays, folders
from latent_arithmetic.images.data.datasets import load_pictures
from latent_arithmetic.images.data.folders import read_pictures

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
        "one_bit.tif": encoded(rgb.convert("1"), "TIFF"),
        "large.webp": encoded(Image.fromarray(noise(200, 90, 3)), "WEBP"),
    }
    bad = {
        "broken.jpg": "damaged",
        "text.png": "not a picture",
        "empty.png": "empty file",
        "dot.png": "smaller than",
        "bomb.png": "million pixels",
        "cut.png": "damaged",
        "inner.zip": "not a picture",
        "program.eps": "not a picture",
    }
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("b.jpg", jpeg)
    content = {
        "broken.jpg": jpeg[: len(jpeg) // 3],
        "text.png": b"these are words",
        "empty.png": b"",
        "dot.png": encoded(Image.new("RGB", (1, 1))),
        "bomb.png": png_of_claimed_size(60_000, 60_000),
        "cut.png": encoded(rgb)[:900],
        "inner.zip": inner.getvalue(),
        "program.eps": encoded(rgb, "EPS"),  # Pillow would start Ghostscript
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
    assert "12 pictures loaded" in str(report) and "bomb.png" in str(report)
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


def test_too_few_is_one_clear_error_that_lists_the_reasons(tmp_path):
    files, _ = hostile_files()
    for name, content in files.items():
        (tmp_path / name.replace("/", "-")).write_bytes(content)
    with pytest.raises(UserError, match="too few") as error:
        load_pictures(tmp_path, 16)
    assert "bomb.png" in str(error.value) and "at least 50" in str(error.value)


def test_what_is_no_regular_file_is_listed_and_never_waited_for(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "good.png").write_bytes(encoded(Image.fromarray(noise(9, 9, 3))))
    os.mkfifo(folder / "pipe.png")
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere.png").symlink_to(tmp_path / "missing")
    (folder / "itself.png").symlink_to(folder / "itself.png")
    images, report = read_pictures(folder, 16)
    assert len(images) == 1 and report.names == ["good.png"]
    reasons = dict(report.skipped)
    assert reasons.keys() == {"pipe.png", "loop", "nowhere.png", "itself.png"}
    assert "regular" in reasons["pipe.png"] and "linked" in reasons["loop"]
    with pytest.raises(UserError, match="unknown kind"):
        read_pictures(folder / "pipe.png", 16)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_listed(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    (tmp_path / "secret.png").write_bytes(b"?")
    (tmp_path / "secret.png").chmod(0)
    _, report = read_pictures(tmp_path, 16)
    assert {name for name, _ in report.skipped} == {"closed", "secret.png"}


def test_odd_names_are_shown_safely(tmp_path):
    for name in (b"new\nline \x1b[2J.png", b"latin-1 \xe9.png", b"long" * 60):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(b"no picture")
    images, report = read_pictures(tmp_path, 16)
    lines = str(report).encode("utf-8").decode().splitlines()
    assert len(images) == 0 and len(report.skipped) == 3
    assert len(lines) == 2 and lines[1].isprintable() and len(lines[1]) < 300


def test_a_photograph_that_lies_on_its_side_is_put_upright(tmp_path):
    picture = Image.new("RGB", (16, 16))
    picture.paste((200, 200, 200), (0, 0, 16, 8))  # the upper half is bright
    sideways = Image.Exif()
    sideways[0x0112] = 6  # its top is shown on the right
    picture.save(tmp_path / "a.png", exif=sideways)
    image = read_pictures(tmp_path, 16)[0][0]
    assert (image[:, 8:] == 200).all() and (image[:, :8] == 0).all()


def zip_with_changed_directory(path, place: int, change: bytes) -> None:
    """A zip of two pictures whose list of contents lies about the first."""
    with zipfile.ZipFile(path, "w") as archive:
        for name in ("1.png", "2.png"):
            archive.writestr(name, encoded(Image.fromarray(noise(9, 9, 3))))
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\1\2") + place
    content[entry : entry + len(change)] = change
    path.write_bytes(content)


@pytest.mark.parametrize(
    "place, change",
    [
        (24, struct.pack("<I", 20)),  # smaller than it is
        (24, struct.pack("<I", 2**32 - 2)),  # 4 GiB
        (10, struct.pack("<H", 99)),  # an unknown compression
        (8, struct.pack("<H", 1)),  # encrypted
        (42, struct.pack("<I", 10**9)),  # lies beyond the end
        (46, b"1.pn\0"),  # another name
    ],
)
def test_a_zip_that_lies_about_a_member_loses_only_that(tmp_path, place, change):
    path = tmp_path / "lies.zip"
    zip_with_changed_directory(path, place, change)
    images, report = read_pictures(path, 16)
    assert report.names == ["2.png"] and len(report.skipped) == 1 == len(images)


def test_a_zip_without_a_usable_directory_is_one_clear_error(tmp_path):
    path = tmp_path / "damaged.zip"
    zip_with_changed_directory(path, 0, b"XX")
    with pytest.raises(UserError, match="damaged"):
        read_pictures(path, 16)


def bomb_array(claimed: int) -> bytes:
    """An .npy of a few bytes whose header claims that many pictures."""
    buffer = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (claimed, 64, 64, 3)}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + bytes(1000)


@pytest.mark.parametrize("claimed", [10**5, 10**12])
def test_arrays_that_claim_to_be_huge_are_never_made(tmp_path, claimed):
    (tmp_path / "bomb.npy").write_bytes(bomb_array(claimed))
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("images.npy", bomb_array(claimed))
    tracemalloc.start()
    for name in ("bomb.npy", "bomb.npz"):
        with pytest.raises(UserError, match="expected"):
            read_pictures(tmp_path / name, 16)
    assert tracemalloc.get_traced_memory()[1] < 10**7
    tracemalloc.stop()


def test_only_the_pictures_of_an_npz_are_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "MAX_ARRAY_BYTES", 10**6)
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=noise(9, 16, 16, 3), large=np.zeros(10**7, "u1"))
    assert len(read_pictures(path, 16)[0]) == 9
    np.savez_compressed(path, images=np.zeros((1000, 32, 32, 3), "u1"))
    with pytest.raises(UserError, match="no usable array"):
        read_pictures(path, 16)


def test_more_pictures_than_fit_are_left_out_evenly(tmp_path, monkeypatch):
    monkeypatch.setattr(folders, "MAX_ARRAY_BYTES", 10 * 16 * 16 * 3)
    np.save(tmp_path / "a.npy", noise(40, 16, 16, 3))
    images, report = read_pictures(tmp_path / "a.npy", 16)
    assert len(images) == 10 and report.unread == 30
    assert report.names[0] == "row 0" and report.names[-1] == "row 39"
    assert "30 not read" in str(report)


@pytest.mark.parametrize("path", ["a\0b", "x" * 5000, "~nobody-here/a", "a\n.zip"])
def test_impossible_paths_are_one_clear_error(path):
    with pytest.raises(UserError, match="no pictures"):
        load_pictures(path)
