"""Reading images of any kind: what is good loads, the rest is listed or refused."""

import io
import os
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from latent_arithmetic.config import BUILD_VARIABLE
from latent_arithmetic.images import arrays, readers
from latent_arithmetic.images.dataset import load_images
from latent_arithmetic.images.readers import read_source
from latent_arithmetic.io import UserError

NOISE = np.random.default_rng(0)
REMEDIES = r"--value-range LOW HIGH, or load_images\(DATA, value_range=\(LOW, HIGH\)\)"


def noise(*shape):
    return NOISE.integers(0, 256, shape).astype("uint8")


def read(path: Path, size: int = 12, value_range=None):
    """Images and report, without the labels."""
    images, _, report = read_source(path, size, value_range=value_range)
    return images, report


def encoded(image, kind: str = "PNG", **options) -> bytes:
    """An image, or an array of one, as a file's bytes."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def write(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    """A zip in which names are stored as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return path


# Arrays: shapes


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
        noise(5, 12, 12, 3).astype("float16") / 127.5 - 1,
        noise(5, 12, 12) > 127,
    ],
)
def test_arrays_of_many_kinds(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    np.savez(tmp_path / "a.npz", images=array, labels=np.arange(5))
    images, _ = read(tmp_path / "a.npy", 24)
    assert images.shape == (5, 24, 24, 3) and images.std() > 20
    np.testing.assert_array_equal(images, read(tmp_path / "a.npz", 24)[0])


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_channels_first_are_read_as_such_and_said(tmp_path, channels):
    array = noise(6, 12, 12, channels)
    np.save(tmp_path / "last.npy", array)
    np.save(tmp_path / "first.npy", np.moveaxis(array, 3, 1).copy())
    images, report = read(tmp_path / "first.npy")
    np.testing.assert_array_equal(images, read(tmp_path / "last.npy")[0])
    assert f"[6, {channels}, 12, 12] is read as [n, channels" in str(report)


@pytest.mark.parametrize(
    "array, advice",
    [
        (noise(80, 32, 32, 2), r"\[80, 32, 32, 2\].*channels.*go last"),
        (noise(64, 64, 3), r"\[64, 64, 3\].*one image"),
        (noise(64, 48), r"\[64, 48\].*one image.*reshape\(-1, 3, 4, 4\)"),
        (noise(20, 784), r"\[20, 784\].*reshape\(-1, 28, 28\)"),
        (noise(20, 3072), r"\[20, 3072\].*reshape\(-1, 3, 32, 32\)"),
        (noise(20, 101), r"\[20, 101\].*reshape\(-1, HEIGHT, WIDTH\)"),
        (noise(20), "expected uint8"),
        (noise(0, 16, 16, 3), "expected uint8"),
        (noise(9, 9, 9) * 1j, "complex"),
        (np.array(["a"]), "expected uint8"),
        (np.array([{"run": "me"}]), "pickle.*np.stack.*folder or zip"),
    ],
)
def test_arrays_that_are_no_images_are_refused_with_advice(tmp_path, array, advice):
    np.save(tmp_path / "a.npy", array, allow_pickle=True)
    np.savez(tmp_path / "a.npz", images=array)
    for name in ("a.npy", "a.npz"):
        with pytest.raises(UserError, match=advice) as error:
            read(tmp_path / name)
        assert "\n" not in str(error.value)


def test_several_arrays_of_one_kind_are_read_together(tmp_path):
    train, test, masks = noise(7, 12, 12), noise(5, 12, 12), noise(7, 12, 12, 3)
    np.savez(tmp_path / "a.npz", x_train=train, x_test=test)
    images, report = read(tmp_path / "a.npz", 12)
    np.testing.assert_array_equal(images[..., 0], np.concatenate([train, test]))
    assert "x_train, x_test read together" in str(report)
    assert report.names[6:8] == ["x_train row 6", "x_test row 0"]
    np.savez(tmp_path / "b.npz", x_train=train, masks=masks)
    with pytest.raises(UserError, match=r"masks.*several.*savez\(FILE, images=ARRAY"):
        read(tmp_path / "b.npz")
    np.savez(tmp_path / "c.npz", images=train, names=np.array([{}]), other=masks)
    assert len(read(tmp_path / "c.npz")[0]) == 7


# Arrays: ranges of values

UNIT = NOISE.uniform(size=(20, 12, 12, 3)).astype("float32")
UNIT[0, 0, 0] = (0, 0.5, 1)


def with_value(value: float) -> np.ndarray:
    array = UNIT.copy()
    array[7, 3, 3, 0] = value
    return array


@pytest.mark.parametrize(
    "array",
    [
        with_value(1.03),
        with_value(-0.02),
        np.clip(with_value(1.03) * 2 - 1, -1.05, 2),
        with_value(1.03) * 255,
        (with_value(-0.02) * 65535).astype("int32"),
    ],
)
def test_a_little_overshoot_is_clipped_with_a_note(tmp_path, array):
    np.save(tmp_path / "exact.npy", UNIT)
    np.save(tmp_path / "a.npy", array)
    exact, images = read(tmp_path / "exact.npy")[0], read(tmp_path / "a.npy")[0]
    assert abs(images[:7].astype(int) - exact[:7]).max() <= 1
    assert "values beyond are clipped" in str(read(tmp_path / "a.npy")[1])
    assert "clipped" not in str(read(tmp_path / "exact.npy")[1])


@pytest.mark.parametrize(
    "array, seen",
    [
        (with_value(1.5), "0 to 1.5"),
        (with_value(-0.3), "-0.3 to 1"),
        ((UNIT - 0.5) / 0.29, "-1.72414 to 1.72414"),  # standardized
        (UNIT - 0.5, "-0.5 to 0.5"),
        (UNIT * 100, "0 to 100"),  # percent
        (UNIT * 0.06, "0 to 0.06"),
        (UNIT * 16, "0 to 16"),  # the digits of scikit-learn
        ((UNIT * 21).astype("int64"), "0 to 21"),  # class maps
        ((UNIT * 21).astype("uint8"), "0 to 21"),
        ((UNIT > 0.5).astype("uint8"), "0 to 1,"),
        ((UNIT * 4095).astype("uint16"), "0 to 4095.*perhaps 0 and 4095"),
        ((UNIT * 255 - 128).astype("int8"), "-128 to 127"),
        (UNIT * 255 - 123.7, "-123.7 to 131.3"),
        (UNIT * 1e6, "0 to 1e\\+06"),
        (UNIT * 0, "0 to 0"),
    ],
)
def test_an_unusual_range_is_refused_with_both_remedies(tmp_path, array, seen):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(UserError, match=REMEDIES) as error:
        read(tmp_path / "a.npy")
    assert "\n" not in str(error.value)
    with pytest.raises(UserError, match=f"a.npy has {array.dtype} values from {seen}"):
        read(tmp_path / "a.npy")
    low, high = float(array.min()), float(array.max())
    if low < high:
        images, report = read(tmp_path / "a.npy", value_range=(low, high))
        assert images.min() == 0 and images.max() == 255
        assert "is white" in str(report)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_an_image_with_a_value_that_is_not_finite_is_left_out(tmp_path, value):
    np.save(tmp_path / "exact.npy", UNIT)
    np.save(tmp_path / "a.npy", with_value(value))
    images, report = read(tmp_path / "a.npy")
    exact = np.delete(read(tmp_path / "exact.npy")[0], 7, axis=0)
    np.testing.assert_array_equal(images, exact)
    assert report.skipped == [("row 7", "holds values that are not finite")]
    np.save(tmp_path / "none.npy", np.full((60, 9, 9), value))
    with pytest.raises(UserError, match="too few"):
        load_images(tmp_path / "none.npy", 9)


def test_a_declared_range_wins_over_a_usual_one(tmp_path):
    np.save(tmp_path / "a.npy", UNIT)
    images, report = read(tmp_path / "a.npy", value_range=(0.25, 0.75))
    assert (images == 0).mean() > 0.2 and (images == 255).mean() > 0.2
    assert "0.25 is black, 0.75 is white; values beyond are clipped" in str(report)


# Files: ranges of values


def gray_files(images: np.ndarray) -> dict[str, bytes]:
    return {f"{n:03d}.png": encoded(image) for n, image in enumerate(images)}


def test_files_of_16_bits_have_one_scale_for_the_folder(tmp_path):
    gray = np.concatenate([noise(9, 12, 12)]).astype("uint16")
    gray[0, 0, :2] = 0, 255
    folder = write(tmp_path / "full", gray_files(gray * 257))
    images, report = read(folder, 12)
    np.testing.assert_array_equal(images[..., 0], gray)
    assert "65535 is white" in str(report)
    dark = gray * 257
    dark[4] = gray[4] // 2
    images, _ = read(write(tmp_path / "dark", gray_files(dark)), 12)
    assert images[4].max() == 0 and images[3].mean() > 100
    twelve = write(tmp_path / "twelve", gray_files(gray * 16))
    with pytest.raises(UserError, match=f"twelve has uint16 .* 4080.*{REMEDIES}"):
        read(twelve)
    images, _ = read(twelve, 12, value_range=(0, 4080))
    np.testing.assert_array_equal(images[..., 0], gray)


def test_unusual_16_bits_among_other_images_are_listed(tmp_path):
    files = {f"{n}.png": encoded(noise(12, 12, 3)) for n in range(3)}
    files["1.png"] = encoded(noise(12, 12).astype("uint16") * 16)
    images, report = read(write(tmp_path, files), 12)
    assert len(images) == 2 and report.names == ["0.png", "2.png"]
    assert report.skipped[0][0] == "1.png" and "save them as 8" in report.skipped[0][1]


def test_floats_in_files(tmp_path):
    floats = [Image.fromarray(UNIT[n, ..., 0]) for n in range(4)]
    floats.append(Image.fromarray(np.full((12, 12), np.nan, "float32")))
    files = {f"{n}.tif": encoded(image, "TIFF") for n, image in enumerate(floats)}
    images, report = read(write(tmp_path, files), 12)
    np.testing.assert_array_equal(images[..., 0], (UNIT[:4, ..., 0] * 255).round())
    assert report.skipped == [("4.tif", "holds values that are not finite")]


def test_masks_in_files_are_said_to_be_nearly_black(tmp_path):
    masks = write(
        tmp_path / "masks", gray_files(NOISE.integers(0, 2, (9, 12, 12), "u1"))
    )
    images, report = read(masks, 12)
    assert images.max() == 1
    assert "nearly black: values from 0 to 1 in" in str(report)
    assert "--value-range 0 1, or load_images(DATA, value_range=(0, 1))" in str(report)
    images, report = read(masks, 12, value_range=(0, 1))
    assert set(np.unique(images)) == {0, 255} and "nearly black" not in str(report)


# Files: kinds


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
    text = PngInfo()
    text.add_text("prompt", "a " * 1_000_000, zip=True)
    good = {
        "a/rgb.png": encoded(rgb),
        "b.jpg": jpeg,
        "gray.png": encoded(rgb.convert("L")),
        "sixteen.png": encoded(sixteen),
        "cmyk.jpg": encoded(rgb.convert("CMYK"), "JPEG"),
        "palette.png": encoded(rgb.quantize(8)),
        "clear.png": encoded(clear),
        "animated.gif": animated,
        "really_a_png.jpg": encoded(Image.fromarray(noise(9, 9, 3))),
        "no_suffix": encoded(Image.fromarray(noise(12, 12, 3))),
        "one_bit.tif": encoded(rgb.convert("1"), "TIFF"),
        "large.webp": encoded(Image.fromarray(noise(200, 90, 3)), "WEBP"),
        "long_text.png": encoded(rgb, pnginfo=text),
        "long_profile.png": encoded(rgb, icc_profile=b"profile " * 200_000),
    }
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("b.jpg", jpeg)
    npz = io.BytesIO()
    np.savez(npz, images=noise(9, 9, 9))
    heic = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(4000)
    bad = {
        "broken.jpg": (jpeg[: len(jpeg) // 3], "damaged"),
        "text.png": (b"these are words", "text, not an image"),
        "empty.png": (b"", "empty file"),
        "dot.png": (encoded(Image.new("RGB", (1, 1))), "smaller than"),
        "bomb.png": (png_of_claimed_size(60_000, 60_000), "million pixels"),
        "cut.png": (encoded(rgb)[:900], "damaged"),
        "inner.zip": (inner.getvalue(), "zip archive"),
        "own.npz": (npz.getvalue(), "array file; give its own path"),
        # Pillow would start Ghostscript
        "program.eps": (encoded(rgb, "EPS"), "PostScript"),
        "phone.jpg": (heic, "HEIC or HEIF photograph; save it as JPEG"),
        "film.mp4": (b"\x00\x00\x00\x20ftypisom" + bytes(500), "film"),
        "logo.svg": (b'<?xml version="1.0"?><svg width="64"/>', "SVG"),
        "layers.psd": (b"8BPS\x00\x01" + bytes(500), "Photoshop"),
        "scan.pdf": (b"%PDF-1.7\n" + bytes(500), "PDF"),
        "page.jpg": (b"<!DOCTYPE html><html>403 Forbidden</html>", "web page"),
        "pointer.png": (b"version https://git-lfs.github.com/spec/v1\n", "git lfs"),
        "noise.jpg": (b"\xff\x00" + bytes(noise(500)), "not an image"),
    }
    reasons = {name: reason for name, (_, reason) in bad.items()}
    return good | {name: content for name, (content, _) in bad.items()}, reasons


def test_a_hostile_folder(tmp_path):
    files, bad = hostile_files()
    write(tmp_path, files)
    (tmp_path / ".DS_Store").write_bytes(b"hidden files are not even mentioned")
    (tmp_path / "Thumbs.db").write_bytes(b"nor these")
    images, report = read(tmp_path)
    assert images.shape == (len(files) - len(bad), 12, 12, 3)
    assert images.dtype == np.uint8
    reasons = dict(report.skipped)
    assert reasons.keys() == bad.keys()
    for name, reason in bad.items():
        assert reason in reasons[name]
    assert "14 images loaded" in str(report) and "bomb.png" in str(report)
    np.testing.assert_array_equal(images, read(tmp_path)[0])


def test_a_hostile_zip_stays_in_memory(tmp_path):
    files, bad = hostile_files()
    (tmp_path / "inside").mkdir()
    outside = {"../../outside.png": encoded(noise(9, 9, 3))}
    path = zipped(tmp_path / "inside" / "images.zip", files | outside)
    images, report = read(path)
    assert len(images) == len(files) - len(bad) + 1
    assert {name for name, _ in report.skipped} == bad.keys()
    assert os.listdir(tmp_path) == ["inside"]
    assert os.listdir(path.parent) == ["images.zip"]


def test_red_stays_red_in_every_mode(tmp_path):
    red = Image.fromarray(np.full((16, 16, 3), (220, 20, 20), "uint8"))
    files = {
        "a.jpg": encoded(red.convert("CMYK"), "JPEG", quality=95),
        "b.png": encoded(red.quantize(4)),
        "c.gif": encoded(red.quantize(4), "GIF"),
        "d.tif": encoded(red.convert("YCbCr"), "TIFF"),
    }
    images, report = read(write(tmp_path, files))
    assert not report.skipped, report.skipped
    assert (abs(images.astype(int) - (220, 20, 20)) < 12).all()


def test_red_stays_red_in_lab_and_in_48_bits(tmp_path):
    red = np.full((16, 16, 3), (220, 20, 20), "uint8")
    profiles = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
    to_lab = ImageCms.buildTransform(*profiles, "RGB", "LAB")
    lab = ImageCms.applyTransform(Image.fromarray(red), to_lab)
    deep = cv2.imencode(".png", red[..., ::-1].astype("uint16") * 257)[1]
    files = {"lab.tif": encoded(lab, "TIFF"), "deep.png": deep.tobytes()}
    images, report = read(write(tmp_path, files))
    assert len(images) == 2, report.skipped
    assert (abs(images.astype(int) - (220, 20, 20)) < 12).all()


def test_crop_resize_and_transparency(tmp_path):
    wide = np.zeros((8, 24, 3), "uint8")
    wide[:, 8:16] = 200
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert (read(tmp_path, 32)[0] == 200).all()
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "wide.png")
    assert (read(tmp_path, 8)[0] == 255).all()


def test_a_photograph_that_lies_on_its_side_is_put_upright(tmp_path):
    image = Image.new("RGB", (16, 16))
    image.paste((200, 200, 200), (0, 0, 16, 8))  # the upper half is bright
    sideways = Image.Exif()
    sideways[0x0112] = 6  # its top is shown on the right
    image.save(tmp_path / "a.png", exif=sideways)
    upright = read(tmp_path)[0][0]
    assert (upright[:, 6:] == 200).all() and (upright[:, :6] == 0).all()


# Folders


def test_what_systems_leave_behind_is_no_data(tmp_path, monkeypatch):
    image = encoded(noise(9, 9, 3))
    own = [f"{kind}/{n}.png" for kind in ("cats", "dogs") for n in range(2)]
    copies = (".ipynb_checkpoints/0.png", "cats/.ipynb_checkpoints/1.png")
    left = ("desktop.ini", "dogs/ehthumbs.db", "~$notes.docx", "cats/._0.png")
    write(tmp_path, dict.fromkeys((*own, *copies), image) | dict.fromkeys(left, b"x"))
    (tmp_path / "birds").mkdir()
    monkeypatch.chdir(tmp_path)
    for folder in (tmp_path, Path(".")):
        _, labels, report = read_source(folder, 9)
        assert report.names == own and not report.skipped
        assert labels.names == ("cats", "dogs")


def test_output_inside_the_image_folder_is_no_data(tmp_path, monkeypatch):
    monkeypatch.setenv(BUILD_VARIABLE, str(tmp_path / "build"))
    image = encoded(noise(9, 9, 3))
    own = {"1.png": image, "cats/2.png": image}
    other = {"model/run.json": b"{}", "model/samples.png": image, "build/f.png": image}
    other |= {"killed/checkpoint.npz": b"", "killed/snapshots/1.png": image}
    _, report = read(write(tmp_path, own | other))
    assert report.names == ["1.png", "cats/2.png"] and not report.skipped
    for name in ("model", "killed", "build"):
        assert f"folder {name} left out" in str(report)


def test_no_regular_file_is_listed_and_never_waited_for(tmp_path):
    folder = tmp_path / "folder"
    write(folder, {"good.png": encoded(noise(9, 9, 3))})
    os.mkfifo(folder / "pipe.png")
    (folder / "loop").symlink_to(folder)
    (folder / "nowhere.png").symlink_to(tmp_path / "missing")
    (folder / "itself.png").symlink_to(folder / "itself.png")
    images, report = read(folder)
    assert len(images) == 1 and report.names == ["good.png"]
    reasons = dict(report.skipped)
    assert reasons.keys() == {"pipe.png", "loop", "nowhere.png", "itself.png"}
    assert "regular" in reasons["pipe.png"] and "linked" in reasons["loop"]
    with pytest.raises(UserError, match="unknown kind"):
        read(folder / "pipe.png")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_listed(tmp_path):
    (tmp_path / "closed").mkdir(mode=0)
    write(tmp_path, {"secret.png": b"?"})
    (tmp_path / "secret.png").chmod(0)
    _, report = read(tmp_path)
    assert {name for name, _ in report.skipped} == {"closed", "secret.png"}


def test_odd_names_are_shown_safely(tmp_path):
    for name in (b"new\nline \x1b[2J.png", b"latin-1 \xe9.png", b"long" * 60):
        with open(os.path.join(os.fsencode(tmp_path), name), "wb") as file:
            file.write(b"no image")
    images, report = read(tmp_path)
    lines = str(report).encode("utf-8").decode().splitlines()
    assert len(images) == 0 and len(report.skipped) == 3
    assert len(lines) == 2 and lines[1].isprintable() and len(lines[1]) < 300


def test_too_few_is_one_clear_error_that_lists_the_reasons(tmp_path):
    write(tmp_path, hostile_files()[0])
    with pytest.raises(UserError, match="too few") as error:
        load_images(tmp_path, 16)
    assert "bomb.png" in str(error.value) and "at least 50" in str(error.value)


@pytest.mark.parametrize("name", ["missing.zip", "missing.npz", "x.rar", "photo.jpg"])
def test_no_images_there_is_one_clear_error(tmp_path, name):
    files = {"x.rar": b"Rar!", "photo.jpg": encoded(noise(9, 9, 3), "JPEG")}
    with pytest.raises(UserError, match="expected"):
        load_images(write(tmp_path, files) / name)


# Zips


def test_zips_of_windows_programs_have_folders(tmp_path):
    names = [f"pets\\{('cats', 'dogs')[n % 2]}\\{n}.png" for n in range(6)]
    files = {name: encoded(noise(9, 9, 3)) for name in names}
    files |= {
        "pets\\cats\\Thumbs.db": b"x",
        "pets\\dogs\\.DS_Store": b"x",
        "pets\\": b"",
    }
    images, labels, report = read_source(zipped(tmp_path / "a.zip", files), 9)
    assert len(images) == 6 and labels.names == ("cats", "dogs") and not report.skipped


def test_japanese_names_in_old_zips_keep_their_letters(tmp_path):
    """The second byte of some letters is that of a backslash."""
    image = encoded(noise(9, 9, 3))
    mark, name = b"QQQQ", "機能".encode("cp932")
    for form in ("QQQQ/{}.png", "{}QQQQ.png"):
        files = {form.format(n): image for n in range(3)}
        path = zipped(tmp_path / "a.zip", files)
        path.write_bytes(path.read_bytes().replace(mark, name))
        assert len(read(path, 9)[0]) == 3


@pytest.mark.parametrize(
    "first, second, encoding",
    [
        ("Männer", "Mädchen", "cp850"),
        ("Männer", "Frauen", "latin-1"),
        ("ソフト", "表示", "cp932"),
        ("男人", "女人们", "gbk"),
    ],
)
def test_folders_of_old_zips_are_kept_apart(tmp_path, first, second, encoding):
    image = encoded(noise(9, 9, 3))
    folders = {b"QQQQQQQ": first.encode(encoding), b"ZZZZZZZ": second.encode(encoding)}
    marks = {mark[: len(name)]: name for mark, name in folders.items()}
    files = {f"{mark.decode()}/{n}.png": image for mark in marks for n in range(3)}
    path = zipped(tmp_path / "a.zip", files)
    for mark, name in marks.items():
        path.write_bytes(path.read_bytes().replace(mark + b"/", name + b"/"))
    images, labels, _ = read_source(path, 9)
    assert len(images) == 6 and labels.values.sum(axis=0).tolist() == [3, 3]
    assert all(name.isprintable() for name in labels.names)


def test_zips_of_the_finder_hold_only_the_images(tmp_path):
    image, fork = encoded(noise(9, 9, 3)), b"\x00\x05\x16\x07" + bytes(200)
    files = {f"pets/{kind}/1.png": image for kind in ("cats", "dogs")}
    files |= {f"__MACOSX/pets/{kind}/._1.png": fork for kind in ("cats", "dogs")}
    files |= {"pets/.DS_Store": b"Bud1", "__MACOSX/._pets": fork, "pets/Icon\r": b""}
    _, labels, report = read_source(zipped(tmp_path / "a.zip", files), 9)
    assert report.loaded == 2 and not report.skipped
    assert labels.names == ("cats", "dogs")


def test_a_zip_bomb_is_read_to_a_bound(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "MAX_BYTES", 10_000)
    files = {"bomb.png": b"\0" * 5_000_000, "good.png": encoded(noise(9, 9, 3))}
    images, report = read(zipped(tmp_path / "bomb.zip", files))
    assert len(images) == 1 and "larger than" in report.skipped[0][1]


def test_a_cut_off_member_is_skipped(tmp_path):
    path = tmp_path / "damaged.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("1.png", encoded(noise(40, 40, 3)))
        archive.writestr("2.png", encoded(noise(40, 40, 3)))
    content = bytearray(path.read_bytes())
    content[200:300] = bytes(100)
    path.write_bytes(content)
    images, report = read(path)
    assert len(images) == 1 and "damaged" in report.skipped[0][1]


def zip_with_changed_directory(path, position: int, change: bytes) -> None:
    """A zip of two images whose list of contents lies about the first."""
    zipped(path, {name: encoded(noise(9, 9, 3)) for name in ("1.png", "2.png")})
    content = bytearray(path.read_bytes())
    entry = content.index(b"PK\1\2") + position
    content[entry : entry + len(change)] = change
    path.write_bytes(content)


@pytest.mark.parametrize(
    "position, change",
    [
        (24, struct.pack("<I", 20)),  # smaller than it is
        (24, struct.pack("<I", 2**32 - 2)),  # 4 GiB
        (10, struct.pack("<H", 99)),  # an unknown compression
        (8, struct.pack("<H", 1)),  # encrypted
        (42, struct.pack("<I", 10**9)),  # lies beyond the end
        (46, b"1.pn\0"),  # another name
    ],
)
def test_a_zip_that_lies_about_a_member_loses_only_that(tmp_path, position, change):
    path = tmp_path / "lies.zip"
    zip_with_changed_directory(path, position, change)
    images, report = read(path)
    assert report.names == ["2.png"] and len(report.skipped) == 1 == len(images)


def test_a_zip_without_a_usable_directory_is_one_clear_error(tmp_path):
    path = tmp_path / "damaged.zip"
    zip_with_changed_directory(path, 0, b"XX")
    with pytest.raises(UserError, match="damaged"):
        read(path)


# Bounds


def bomb_array(claimed: int) -> bytes:
    """An .npy of a few bytes whose header claims that many images."""
    buffer = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (claimed, 64, 64, 3)}
    np.lib.format.write_array_header_1_0(buffer, header)
    return buffer.getvalue() + bytes(1000)


@pytest.mark.parametrize("claimed", [10**5, 10**12])
def test_arrays_that_claim_to_be_huge_are_never_made(tmp_path, claimed):
    (tmp_path / "bomb.npy").write_bytes(bomb_array(claimed))
    zipped(tmp_path / "bomb.npz", {"images.npy": bomb_array(claimed)})
    (tmp_path / "words.npz").write_bytes(b"no zip at all")
    tracemalloc.start()
    for name in ("bomb.npy", "bomb.npz", "words.npz"):
        with pytest.raises(UserError, match="expected"):
            read(tmp_path / name)
    assert tracemalloc.get_traced_memory()[1] < 10**7
    tracemalloc.stop()


def test_only_the_images_of_an_npz_are_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(arrays, "MAX_ARRAY_BYTES", 10**6)
    path = tmp_path / "a.npz"
    np.savez_compressed(path, images=noise(9, 16, 16, 3), large=np.zeros(10**7, "u1"))
    assert len(read(path)[0]) == 9
    np.savez_compressed(path, images=np.zeros((1000, 32, 32, 3), "u1"))
    with pytest.raises(UserError, match="no usable array"):
        read(path)
    parts = {name: noise(200, 48, 48) for name in ("a", "b", "c")}
    np.savez_compressed(path, **parts)
    with pytest.raises(UserError, match="several"):
        read(path)


def test_more_images_than_fit_are_left_out_evenly(tmp_path, monkeypatch):
    monkeypatch.setattr(readers, "MAX_ARRAY_BYTES", 10 * 12 * 12 * 3)
    np.save(tmp_path / "a.npy", noise(40, 16, 16, 3))
    images, report = read(tmp_path / "a.npy")
    assert len(images) == 10 and report.unread == 30
    assert report.names[0] == "row 0" and report.names[-1] == "row 39"
    assert "30 not read" in str(report)
