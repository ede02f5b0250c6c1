"""Labels: read from names, tables, subfolders and arrays; they stay with a picture."""

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.images.data.datasets import load_pictures
from latent_arithmetic.images.data.labels import AGES, GENDERS, RACES, read_labels

NOISE = np.random.default_rng(0)


def words(labels) -> list[set[str]]:
    """The names of every picture's attributes."""
    names = np.array(labels.names, dtype=object)
    return [set(names[row]) for row in labels.values]


def save_pictures(folder, names) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        picture = NOISE.integers(0, 256, (9, 9, 3)).astype("uint8")
        Image.fromarray(picture).save(folder / name)


def test_faces_are_labelled_by_their_names(tmp_path):
    names = [f"{age}_0_0_2017.jpg.chip.jpg" for age in (9, 10, 20, 60)] * 5
    names += ["x/116_1_4_20170112213500903.jpg", "39_1_20170116174525125.jpg"]
    labels = read_labels(tmp_path, names)
    assert labels.names == (*GENDERS, *RACES, *AGES.values())
    assert words(labels)[0] == {"male", "white", "under 10"}
    assert words(labels)[1] == {"male", "white", "10 to 19"}
    assert words(labels)[-2] == {"female", "other", "60 and over"}
    assert words(labels)[-1] == set()  # one number is missing, nobody knows which


def test_years_are_bands(tmp_path):
    labels = read_labels(tmp_path, ["1_2000.jpg", "2_2004.jpg", "d/77_2005.jpg"])
    assert labels.names == ("2000 to 2004", "2005 to 2009")
    assert labels.values.tolist() == [[True, False], [True, False], [False, True]]


def test_subfolders_are_labels_but_parts_are_not(tmp_path):
    names = ["all/train/cat/1.png", "all/test/cat/1.png", "all/dog/2.png"]
    labels = read_labels(tmp_path, [*names, "3.png"])
    assert words(labels) == [{"cat"}, {"cat"}, {"dog"}, set()]
    outside = ["only/1.png", "../2.png", "/3.png"]
    for nothing in (["train/1.png", "test/1.png"], outside, ["1.png"], []):
        assert read_labels(tmp_path, nothing).values.shape == (len(nothing), 0)
    many = [f"{index}/1.png" for index in range(101)]
    assert read_labels(tmp_path, many).names == ()


def test_a_table_labels_the_files_of_train(tmp_path):
    save_pictures(tmp_path, ["train/1.jpg", "train/2.jpg", "test/1.jpg"])
    table = tmp_path / "Training_set.csv"
    table.write_text("filename,label\n1.jpg,MONARCH\n2.jpg,ADONIS\n3.jpg\n")
    (tmp_path / "other.csv").write_bytes(b"\xff\xfe no table")
    labels = read_labels(tmp_path, ["test/1.jpg", "train/1.jpg", "train/2.jpg"])
    assert labels.names == ("ADONIS", "MONARCH")
    assert words(labels) == [set(), {"MONARCH"}, {"ADONIS"}]


def test_labels_stay_with_their_pictures(tmp_path):
    """Through bad and equal pictures and the split: brightness tells the label."""
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
        pictures = load_pictures(path, 9, limit=limit)
        assert pictures.label_names == ("bright", "dark")
        for part in ("train", "validation", "test"):
            is_bright = getattr(pictures, part).mean((1, 2, 3)) > 110
            labels = getattr(pictures, f"{part}_labels")
            np.testing.assert_array_equal(labels.T, [is_bright, ~is_bright])


@pytest.mark.parametrize(
    "beside",
    [
        {},
        {"attributes": np.ones((5, 2), bool)},
        {"attributes": np.ones((5, 2), bool), "attribute_names": np.array(["a"])},
        {"attributes": np.ones((3, 1), bool), "attribute_names": np.array(["a"])},
    ],
)
def test_an_array_without_whole_labels_has_none(tmp_path, beside):
    path = tmp_path / "a.npz"
    np.savez(path, images=np.zeros((5, 9, 9, 3), "uint8"), **beside)
    assert read_labels(path, [f"row {i}" for i in range(5)]).values.shape == (5, 0)


def test_punks_have_their_92_attributes():
    pictures = load_pictures(size=24, limit=500)
    assert len(pictures.label_names) == 92
    assert pictures.train_labels.shape == (len(pictures.train), 92)
    kinds = [pictures.label_names.index(kind) for kind in ("female", "male")]
    assert pictures.train_labels[:, kinds].any(axis=1).mean() > 0.9
