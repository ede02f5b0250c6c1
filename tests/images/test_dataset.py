"""Image datasets: splits that do not leak, CryptoPunks, palettes, the cache."""

import zipfile

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.config import BUILD_VARIABLE
from latent_arithmetic.images import dataset as module
from latent_arithmetic.images.dataset import (
    PUNK_BACKGROUND,
    ImageSpec,
    find_palette,
    from_unit,
    image_spec,
    load_images,
    palette_indices,
    read_images,
    to_signed,
    to_unit,
)
from latent_arithmetic.io import UserError

NOISE = np.random.default_rng(0)


def noise(*shape):
    return NOISE.integers(0, 256, shape).astype("uint8")


def test_splits_share_no_image_and_keep_their_images(tmp_path):
    array = noise(300, 16, 16, 3)
    array[250:] = array[:50]
    np.save(tmp_path / "a.npy", array)
    dataset = load_images(tmp_path / "a.npy", 16)
    parts = [
        {image.tobytes() for image in part}
        for part in (dataset.train, dataset.validation, dataset.test)
    ]
    assert dataset.report.duplicates == 50
    assert sum(map(len, parts)) == 250 == len(set.union(*parts))
    np.save(tmp_path / "b.npy", np.concatenate([noise(100, 16, 16, 3), array]))
    more = load_images(tmp_path / "b.npy", 16)
    assert parts[2] <= {image.tobytes() for image in more.test}


def test_a_part_never_stays_empty(tmp_path):
    """Training images of one split are all training images of any other."""
    path = tmp_path / "train.npy"
    np.save(path, load_images(size=32, limit=160).train)
    dataset = load_images(path, 32)
    together = len(dataset.train) + len(dataset.validation) + len(dataset.test)
    assert together == len(np.load(path))
    assert len(dataset.validation) == len(dataset.test) == round(together / 10)


@pytest.mark.parametrize(
    "array", [noise(49, 9, 9), np.repeat(noise(1, 9, 9), 200, axis=0)]
)
def test_too_few_different_images_is_an_error_with_the_number(tmp_path, array):
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(UserError, match="too few; at least 50"):
        load_images(tmp_path / "a.npy", 9)


def test_fifty_different_images_are_enough(tmp_path):
    np.save(tmp_path / "a.npy", noise(50, 9, 9))
    dataset = load_images(tmp_path / "a.npy", 9)
    counts = [len(dataset.train), len(dataset.validation), len(dataset.test)]
    assert sum(counts) == 50 and min(counts) > 0 and counts[0] > 25


def test_cryptopunks_sizes():
    published = load_images(size=24, limit=100)
    framed = load_images(size=32, limit=100)
    doubled = load_images(size=64, limit=100)
    assert published.size == 24 and framed.size == 32 and doubled.size == 64
    assert (framed.train[:, 0, 0] == PUNK_BACKGROUND).all()
    assert doubled.pixel_doubled and not framed.pixel_doubled
    assert load_images(size=48, limit=100).size == 48


def test_settings_without_effect_or_sense_are_refused(tmp_path):
    np.save(tmp_path / "a.npy", noise(60, 9, 9))
    for size in (0, 7, 5000):
        with pytest.raises(UserError, match="expected 8 to 1024"):
            load_images(tmp_path / "a.npy", size)
    with pytest.raises(UserError, match="limit of 0"):
        load_images(tmp_path / "a.npy", 9, limit=0)
    with pytest.raises(UserError, match="leave it out"):
        load_images("cryptopunks", value_range=(0, 1))
    for wrong in ((1, 0), (0, 0), (0, np.inf), (0, 1, 2), ("a", "b"), 7):
        with pytest.raises(UserError, match="expected two numbers"):
            load_images(tmp_path / "a.npy", 9, value_range=wrong)


def test_scales_round_trip():
    images = noise(3, 4, 4, 3)
    np.testing.assert_array_equal(from_unit(to_unit(images)), images)
    np.testing.assert_array_equal(from_unit((to_signed(images) + 1) / 2), images)


def gradients(count: int, side: int = 32) -> np.ndarray:
    """Grayscale photographs: smooth, with a little noise; uint8 [n, side, side, 3]."""
    ends = NOISE.uniform(0, 255, (2, count, 1, 1))
    images = ends[0] + (ends[1] - ends[0]) * np.linspace(0, 1, side)
    images = np.repeat(images, side, axis=1) + NOISE.normal(0, 4, (count, side, side))
    return np.repeat(images.clip(0, 255).astype("uint8")[..., None], 3, axis=-1)


def test_pixel_art_has_a_palette_and_gray_photographs_have_none():
    assert find_palette(gradients(100)) is None
    assert find_palette(noise(20, 16, 16, 3)) is None
    heat = noise(256, 3)[gradients(100)[..., 0]]  # colored by a table of 256
    assert find_palette(heat) is None
    punks = load_images(size=64, limit=400)
    spec = image_spec(punks)
    assert spec.palette_size > 100 and spec == ImageSpec(
        64, True, spec.palette_size, 92
    )
    assert spec.shape == (64, 64, 3) and spec.block_size == 2
    assert image_spec(load_images(size=48, limit=100)).palette_size == 0
    two = np.uint8([[0, 0, 0], [255, 255, 255]])
    masks = two[NOISE.integers(0, 2, (60, 9, 9))]
    np.testing.assert_array_equal(find_palette(masks), two)


def test_antialiased_gray_digits_have_no_palette(tmp_path):
    digits = load_images("mnist.npz", 28, limit=200)
    assert find_palette(digits.train) is None and len(digits.label_names) == 10


def test_palette_indices_take_the_nearest_color():
    palette = np.uint8([[0, 0, 0], [255, 0, 0], [250, 250, 250]])
    images = np.uint8([[[[0, 0, 0], [255, 0, 0]], [[240, 10, 10], [255, 255, 255]]]])
    assert palette_indices(images, palette).tolist() == [[[0, 1], [1, 2]]]


def write_images(folder, count: int = 60):
    folder.mkdir()
    for index in range(count):
        (folder / ("ab"[index % 2])).mkdir(exist_ok=True)
        file = folder / "ab"[index % 2] / f"{index:03d}.png"
        Image.fromarray(noise(9, 9, 3)).save(file)
    return folder


@pytest.fixture
def reads(tmp_path, monkeypatch) -> list:
    """The calls that read files rather than the cache; a build folder of its own."""
    monkeypatch.setenv(BUILD_VARIABLE, str(tmp_path / "build"))
    calls, real = [], module.read_source
    monkeypatch.setattr(
        module, "read_source", lambda *given: calls.append(given) or real(*given)
    )
    return calls


def test_images_are_read_once_and_again_when_they_change(tmp_path, reads, capsys):
    folder = write_images(tmp_path / "images")
    (folder / "bad.png").write_bytes(b"words")
    first = load_images(folder, 9)
    reads.clear()
    capsys.readouterr()
    second = load_images(folder, 9)
    assert not reads and "from the cache" in capsys.readouterr().err
    np.testing.assert_array_equal(first.train, second.train)
    np.testing.assert_array_equal(first.train_labels, second.train_labels)
    assert first.report == second.report and second.report.skipped
    assert second.label_names == ("a", "b") and second.report.notes
    load_images(folder, 9, limit=55)
    load_images(folder, 18)
    load_images(folder, 9, value_range=(0, 200))
    assert len(reads) == 3  # another limit, another size, another range
    (folder / "bad.png").unlink()
    assert not load_images(folder, 9).report.skipped and len(reads) == 4
    files = sorted((tmp_path / "build" / "cache").iterdir())
    assert len(files) == 4  # the old one was replaced
    for file in files:
        file.write_bytes(file.read_bytes()[:-500])
    np.testing.assert_array_equal(load_images(folder, 9).train, first.train)
    assert len(reads) == 5


def test_the_value_range_reaches_files_of_every_kind(tmp_path, reads):
    masks = NOISE.integers(0, 2, (60, 9, 9)).astype("uint8")
    np.save(tmp_path / "masks.npy", masks)
    (tmp_path / "masks").mkdir()
    for index, mask in enumerate(masks):
        Image.fromarray(mask).save(tmp_path / "masks" / f"{index:02d}.png")
    for data in ("masks.npy", "masks"):
        images, report = read_images(tmp_path / data, 9, value_range=(0, 1))
        np.testing.assert_array_equal(images[..., 0], masks * 255)
        assert "1 is white" in str(report)


def test_without_a_place_to_write_there_is_no_cache(tmp_path, monkeypatch):
    folder = write_images(tmp_path / "images")
    monkeypatch.setenv(BUILD_VARIABLE, str(tmp_path / "build"))
    (tmp_path / "build").write_bytes(b"no folder")
    load_images(folder, 9)
    monkeypatch.setenv(BUILD_VARIABLE, str(folder / "build"))
    load_images(folder, 9)
    monkeypatch.delenv(BUILD_VARIABLE)
    monkeypatch.chdir(tmp_path)  # no project here
    load_images("images", 9)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["build", "images"]
    assert not (folder / "build").exists()


def test_an_archive_is_opened_once(tmp_path, monkeypatch):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name in sorted(write_images(tmp_path / "images").rglob("*.png")):
            archive.write(name, name.relative_to(tmp_path))
    opened, real = [], zipfile.ZipFile.__init__

    def counted(self, file, *given, **options):
        if file == path:
            opened.append(file)
        real(self, file, *given, **options)

    monkeypatch.setattr(zipfile.ZipFile, "__init__", counted)
    assert load_images(path, 9).label_names == ("a", "b") and len(opened) == 1
