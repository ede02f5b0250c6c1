"""Labels: from tables, names, subfolders and arrays; never one that nobody meant."""

import numpy as np
import pytest

from latent_arithmetic.images.dataset import load_images
from latent_arithmetic.images.labels import AGES, GENDERS, RACES, read_labels
from latent_arithmetic.images.readers import read_source

NOISE = np.random.default_rng(0)
FILES = [f"{index:04d}.png" for index in range(40)]


def words(labels) -> list[set[str]]:
    """The names of every image's attributes."""
    names = np.array(labels.names, dtype=object)
    return [set(names[row]) for row in labels.values]


def labels_of(names, **tables):
    """Labels alone; tables by their names without .csv."""
    tables = {f"{name}.csv": content for name, content in tables.items()}
    return read_labels(names, tables=tables)[0]


def test_faces_are_labeled_by_their_names():
    date = "20170112213500903"
    names = [f"{age}_0_0_{date}.jpg.chip.jpg" for age in (9, 10, 20, 60)] * 5
    names += [f"x/116_1_4_{date}.jpg", f"39_1_{date}.jpg"]
    labels, notes = read_labels(names)
    assert labels.names == (*GENDERS, *RACES, *AGES.values())
    assert words(labels)[0] == {"male", "white", "under 10"}
    assert words(labels)[1] == {"male", "white", "10 to 19"}
    assert words(labels)[-2] == {"female", "other", "60 and over"}
    assert words(labels)[-1] == set()  # one number is missing, nobody knows which
    assert "UTKFace" in notes[0]


@pytest.mark.parametrize("name", ["{zoom}_{x}_{x}_{n}.jpg", "20190612_19{n:02d}.jpg"])
def test_map_tiles_are_no_faces_and_times_no_years(name):
    names = [name.format(zoom=3, x=n % 2, n=n) for n in range(40)]
    assert labels_of(names).names == ()


def test_years_are_bands():
    labels = labels_of(["1_2000.jpg", "2_2004.jpg", "d/77_2005.jpg"])
    assert labels.names == ("2000 to 2004", "2005 to 2009")
    assert labels.values.tolist() == [[True, False], [True, False], [False, True]]


def test_subfolders_are_labels_but_parts_are_not():
    names = ["all/train/cat/1.png", "all/test/cat/1.png", "all/dog/2.png"]
    assert words(labels_of([*names, "3.png"])) == [{"cat"}, {"cat"}, {"dog"}, set()]
    outside = ["only/1.png", "../2.png", "/3.png"]
    for nothing in (["train/1.png", "test/1.png"], outside, ["1.png"], []):
        assert labels_of(nothing).values.shape == (len(nothing), 0)
    labels, notes = read_labels([f"{index}/1.png" for index in range(101)])
    assert labels.names == () and "101 subfolders" in notes[0]


def cat_or_dog(header, line, encoding="utf-8", end="\n") -> bytes:
    """A table of `FILES`: odd ones are cats."""
    lines = [line.format(n=n, word=("dog", "cat")[n % 2]) for n in range(len(FILES))]
    return end.join([header] * bool(header) + lines).encode(encoding)


@pytest.mark.parametrize(
    "table",
    [
        cat_or_dog("filename,label", "{n:04d}.png,{word}"),
        cat_or_dog("filename,label", "{n:04d}.png,{word}", "utf-8-sig", "\r\n"),
        cat_or_dog("Filename,Label", "{n:04d}.png,{word}"),
        cat_or_dog("filename, label", "{n:04d}.png, {word}"),
        cat_or_dog("filename;label", "{n:04d}.png;{word}"),
        cat_or_dog("sep=;\nfilename;label", "{n:04d}.png;{word}"),
        cat_or_dog("filename\tlabel", "{n:04d}.png\t{word}", "utf-16"),
        cat_or_dog("image,class", "{n:04d}.png,{word}"),
        cat_or_dog("image,kind of animal", "{n:04d}.png,{word}"),
        cat_or_dog("filename,label", "{n:04d},{word}"),
        cat_or_dog("filename,label", ".\\{n:04d}.png,{word}"),
        cat_or_dog("path,label", "/home/me/pets/{n:04d}.png,{word}"),
        cat_or_dog(",filename,label", "{n},{n:04d}.png,{word}"),
        cat_or_dog("", "{n:04d}.png,{word}"),
        cat_or_dog("filename,label", "{n:04d}.PNG,{word},"),
        cat_or_dog("width,label,filename", "{n},{word},{n:04d}.png"),
    ],
)
def test_tables_of_many_dialects(table):
    labels, notes = read_labels(FILES, tables={"labels.csv": table})
    assert labels.names == ("cat", "dog") and "labels.csv" in notes[0]
    assert labels.values[:, 0].tolist() == [n % 2 == 1 for n in range(len(FILES))]


def test_tables_in_the_encoding_of_old_windows():
    table = cat_or_dog("filename,label", "{n:04d}.png,größer {word}", "latin-1")
    assert labels_of(FILES, labels=table).names == ("größer cat", "größer dog")


def test_columns_of_yes_and_no_are_attributes():
    """As CelebA's tables have them; its other tables are no labels."""
    lines = [f"{name},{(n % 2) * 2 - 1},{n % 3 == 0}" for n, name in enumerate(FILES)]
    attributes = "\n".join(["image_id,Smiling,Male", *lines]).encode()
    lines = [f"{name},{n % 3}" for n, name in enumerate(FILES)]
    partition = "\n".join(["image_id,partition", *lines]).encode()
    lines = [f"{name},{n + 20}" for n, name in enumerate(FILES)]
    ages = "\n".join(["image_id,age", *lines]).encode()
    tables = {"a.csv": attributes, "b.csv": partition, "c.csv": ages}
    labels, notes = read_labels(FILES, tables=tables)
    assert labels.names == ("Smiling", "Male")
    assert words(labels)[:4] == [{"Male"}, {"Smiling"}, set(), {"Smiling", "Male"}]
    assert len(notes) == 3 and "b.csv" in notes[1] and "c.csv" in notes[2]


@pytest.mark.parametrize(
    "line, reason",
    [
        ("{n:04d}.png,2{n}.317", "decimals"),
        ("{n:04d}.png,a {word} on ground {n}", "different values"),
        ("{n:04d}.png,cat", "at least 2"),
        ("{n:04d}.png,{word}, a black one", "more cells"),
        ("elsewhere{n}.png,{word}", "no column names"),
    ],
)
def test_a_table_without_classes_says_why_it_is_not_used(line, reason):
    table = cat_or_dog("filename,label", line)
    labels, notes = read_labels(FILES, tables={"labels.csv": table})
    assert labels.names == () and reason in notes[0] and "labels.csv" in notes[0]


@pytest.mark.parametrize("content", [b"", b"\xff\xfe no table", b'"', b"\0\0", b",,\n"])
def test_what_is_no_table_is_no_error(content):
    labels, notes = read_labels(FILES, tables={"other.csv": content})
    assert labels.names == () and "other.csv" in notes[0]


def test_a_table_labels_the_files_of_train_even_if_they_were_not_read():
    """Train and test images have the same names; a limit may leave out either."""
    files = ["train/1.jpg", "train/2.jpg", "test/1.jpg"]
    table = b"filename,label\n1.jpg,MONARCH\n2.jpg,ADONIS\n3.jpg\n"
    tables = {"Training_set.csv": table}
    labels, _ = read_labels(["test/1.jpg", "train/1.jpg", "train/2.jpg"], files, tables)
    assert labels.names == ("ADONIS", "MONARCH")
    assert words(labels) == [set(), {"MONARCH"}, {"ADONIS"}]
    labels, _ = read_labels(["test/1.jpg", "train/2.jpg"], files, tables)
    assert words(labels) == [set(), {"ADONIS"}]


def test_labels_stay_with_their_images(tmp_path):
    """Through bad and equal images and the split: brightness tells the label."""
    images = NOISE.integers(0, 100, (300, 9, 9, 3)).astype("float32") / 255
    bright = NOISE.random(300) < 0.4
    images[bright] += 0.5
    images[[3, 70]] = np.nan
    images[200:210] = images[:10]
    bright[200:210] = bright[:10]
    attributes = np.stack([bright, ~bright], axis=1)
    names = np.array(["bright", "dark"])
    path = tmp_path / "a.npz"
    np.savez(path, images=images, attributes=attributes, attribute_names=names)
    for limit in (None, 150):
        dataset = load_images(path, 9, limit=limit)
        assert dataset.label_names == ("bright", "dark")
        for part in ("train", "validation", "test"):
            is_bright = getattr(dataset, part).mean((1, 2, 3)) > 110
            labels = getattr(dataset, f"{part}_labels")
            np.testing.assert_array_equal(labels.T, [is_bright, ~is_bright])


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"attributes": np.ones((5, 2), bool)},
        {"attributes": np.ones((5, 2), bool), "attribute_names": np.array(["a"])},
        {"attributes": np.ones((3, 1), bool), "attribute_names": np.array(["a"])},
        {"labels": np.arange(5) + 0.5},
        {"labels": np.array(["a"] * 5, object)},
    ],
)
def test_an_array_without_whole_labels_has_none_and_says_so(tmp_path, beside):
    path = tmp_path / "a.npz"
    np.savez(path, images=NOISE.integers(0, 256, (5, 9, 9, 3), "uint8"), **beside)
    _, labels, report = read_source(path, 9)
    assert labels.values.shape == (5, 0)
    assert any("no labels from" in note for note in report.notes) == bool(beside)


def test_arrays_with_one_class_for_each_image(tmp_path):
    images = NOISE.integers(0, 256, (30, 12, 12), "uint8")
    classes = np.arange(30) % 3
    parts = dict(x_train=images[:20], y_train=classes[:20])
    np.savez(tmp_path / "keras.npz", **parts, x_test=images[20:], y_test=classes[20:])
    np.savez(tmp_path / "own.npz", images=images, labels=classes[:, None])
    rows = {"train": slice(20), "val": slice(20, 25), "test": slice(25, 30)}
    parts = {f"{part}_images": images[row] for part, row in rows.items()}
    parts |= {f"{part}_labels": classes[row, None] for part, row in rows.items()}
    np.savez(tmp_path / "medmnist.npz", **parts)
    for name in ("keras.npz", "own.npz", "medmnist.npz"):
        read, labels, _ = read_source(tmp_path / name, 12)
        assert labels.names == ("0", "1", "2") and len(read) == 30
        np.testing.assert_array_equal(labels.values.argmax(axis=1), classes)


def test_attributes_of_minus_one_are_no(tmp_path):
    beside = dict(attributes=np.array([[-1, 1]] * 5), attribute_names=["a", "b"])
    images = NOISE.integers(0, 256, (5, 9, 9, 3), "uint8")
    np.savez(tmp_path / "a.npz", images=images, **beside)
    assert read_source(tmp_path / "a.npz", 9)[1].values.tolist() == [[False, True]] * 5


def test_punks_have_their_92_attributes():
    dataset = load_images(size=24, limit=500)
    assert len(dataset.label_names) == 92
    assert dataset.train_labels.shape == (len(dataset.train), 92)
    kinds = [dataset.label_names.index(kind) for kind in ("female", "male")]
    assert dataset.train_labels[:, kinds].any(axis=1).mean() > 0.9
