"""Train, resume, load and answer; and what is refused."""

import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest
from PIL import Image

from latent_arithmetic import training
from latent_arithmetic.config import SMOKE, Schedule
from latent_arithmetic.io import UserError, read_arrays
from latent_arithmetic.seq2seq import tasks
from latent_arithmetic.seq2seq.glyphs import glyph_bank
from latent_arithmetic.seq2seq.pipeline import answer, load, train
from latent_arithmetic.seq2seq.queries import QueryFormat, encode
from latent_arithmetic.seq2seq.query_images import as_query_images

ONE_EPOCH = Schedule(epochs=1, batch_size=32, learning_rate=3e-3)
PROFILE = replace(
    SMOKE, text_to_text=ONE_EPOCH, image_to_text=ONE_EPOCH, text_to_image=ONE_EPOCH
)
pytestmark = pytest.mark.usefixtures("small_sequence_models")
IMAGE_TASKS = ("image-to-text", "text-to-image")
QUERIES = ["81+24", "1-9"]
IMAGES = glyph_bank("test").sample(encode(["81+24", "  1-9"]), 1)


@pytest.fixture(scope="module")
def query_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("queries") / "queries.txt"
    path.write_text("\n".join(f"{a}+{b}" for a in range(8) for b in range(8)))
    return path


@pytest.fixture(scope="module")
def traced_steps():
    """The models whose training step was traced, in order."""
    traced, real_step = [], keras.Model.train_step

    def step(model, *arguments):
        traced.append(type(model).__name__)
        return real_step(model, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.Model, "train_step", step)
        yield traced


@pytest.fixture(scope="module")
def folders(
    tmp_path_factory, query_file, traced_steps, small_sequence_models, compiling
):
    """Run folders of one trained model a task."""
    root = tmp_path_factory.mktemp("models")
    settings = dict(profile=PROFILE, train_queries=query_file)
    modular = dict(architecture="modular", **settings)
    reading, text = root / "image-to-text", root / "text-to-text"
    with compiling():
        train("image-to-text", reading, **modular)
        shutil.copytree(reading / "text-to-text", text)
        train("text-to-image", root / "text-to-image", text_folder=text, **settings)
    return root


def same_weights(model, other):
    pairs = zip(model.weights, other.weights, strict=True)
    return all(np.array_equal(np.array(a), np.array(b)) for a, b in pairs)


def test_a_model_is_trained_once_and_loaded_alike(folders, query_file):
    folder = folders / "text-to-text"
    settings = dict(profile=PROFILE, train_queries=query_file)
    trained = load(folder)
    assert trained.run.config["train_queries"].startswith("64 queries, SHA-256 ")
    assert trained.config.epochs == 1 and trained.config.weight_decay == 0.3
    answers = trained.answer(["81+24", "1-9", "5+5  "])
    assert [len(answer) for answer in answers] == [3, 3, 3]
    assert trained.answer([]) == []
    written = (folder / "model.weights.h5").stat().st_mtime_ns
    again = train("text-to-text", folder, **settings)
    assert (folder / "model.weights.h5").stat().st_mtime_ns == written
    assert same_weights(again.model, trained.model)
    assert len(again.config.make_split().train) == 64
    assert again.answer(["81+24"]) == answers[:1]
    with pytest.raises(UserError, match="(?s)another run.*seed"):
        train("text-to-text", folder, **settings, seed=1)
    with pytest.raises(UserError, match="character 2"):
        trained.answer(["8a+2"])
    with pytest.raises(UserError, match="text-to-image"):
        trained.answer_as_images(["1+1"])
    with pytest.raises(UserError, match="image-to-text"):
        trained.answer_images(IMAGES)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="JAX traces as often as it wants"
)
def test_a_training_step_is_traced_once(folders, traced_steps):
    expected = ["TextToText", "ModularImageToText", "TextToImage"]
    assert traced_steps[: len(expected)] == expected


@pytest.mark.parametrize("task", IMAGE_TASKS)
def test_image_models_contain_the_text_model(folders, query_file, tmp_path, task):
    text, trained = load(folders / "text-to-text"), load(folders / task)
    weights = text.model.encoder_decoder.get_weights()
    contained = trained.model.encoder_decoder.get_weights()
    assert all(map(np.array_equal, weights, contained))
    settings = dict(profile=PROFILE, train_queries=query_file)
    if task == "image-to-text":
        settings["architecture"] = "modular"
    for wrong, message in (
        (dict(seed=1), "seed: there 0, wanted 1"),
        (dict(text_encoder_layers=2), "encoder_layers"),
    ):
        with pytest.raises(UserError, match=message):
            train(
                task,
                tmp_path / "other",
                text_folder=folders / "text-to-text",
                **settings | wrong,
            )
    with pytest.raises(UserError, match="text-to-image model that does not fit"):
        drawing = folders / "text-to-image"
        train(task, tmp_path / "other", text_folder=drawing, **settings)


def test_queries_in_handwriting_are_answered(folders):
    trained = load(folders / "image-to-text")
    first = trained.answer(QUERIES, seed=1)
    assert first == trained.answer(QUERIES, seed=1)
    assert first == trained.answer_images(IMAGES)
    assert [len(answer) for answer in first] == [3, 3]


def test_answers_are_drawn(folders):
    trained = load(folders / "text-to-image")
    drawn = trained.answer_as_images(QUERIES, seed=1)
    assert drawn.shape == (2, 3, 28, 28) and drawn.dtype == np.uint8
    assert (drawn == load(folders / "text-to-image").answer_as_images(QUERIES, 1)).all()
    assert (drawn != trained.answer_as_images(QUERIES, seed=2)).any()
    assert trained.answer_as_images([]).shape == (0, 3, 28, 28)


class Interrupt(keras.callbacks.Callback):
    """What Ctrl-C in the second epoch does."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.slow
def test_an_interrupted_run_ends_alike(
    tmp_path, folders, query_file, monkeypatch, compiled
):
    settings = dict(
        profile=PROFILE,
        train_queries=query_file,
        epochs=2,
        architecture="modular",
        text_folder=folders / "text-to-text",
    )
    whole = train("image-to-text", tmp_path / "whole", **settings)
    monkeypatch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
    with pytest.raises(KeyboardInterrupt):
        cut = tmp_path / "cut"
        train("image-to-text", cut, callbacks=[Interrupt()], **settings)
    resumed = train("image-to-text", tmp_path / "cut", **settings)
    for weight, other in zip(whole.model.weights, resumed.model.weights, strict=True):
        assert np.allclose(np.array(weight), np.array(other), atol=1e-6), weight.path


@pytest.mark.slow
def test_a_digit_classifier_is_trained(tmp_path, monkeypatch):
    images, codes = tasks.classifier_examples("validation")
    monkeypatch.setattr(
        tasks, "classifier_examples", lambda split: (images[::10], codes[::10])
    )
    trained = train("digit-classifier", tmp_path / "run", profile=PROFILE)
    assert 0 <= trained.run.history.validation["accuracy"][-1] <= 1
    assert len(trained.recognize(np.zeros((3, 3, 28, 28), "uint8"))) == 3
    with pytest.raises(UserError, match="digit-classifier"):
        trained.answer(["1+1"])
    with pytest.raises(UserError, match="text-to-text or"):
        answer(tmp_path / "run", queries=["1+1"])


@pytest.mark.parametrize(
    "task, settings, message",
    [
        ("text-to-speech", {}, "unknown task"),
        ("text-to-text", dict(encoder_layers=0), "encoder_layers is 0"),
        ("text-to-text", dict(train_fraction=2), "train_fraction is 2"),
        ("text-to-text", dict(split="fair"), "unknown split"),
        ("text-to-text", dict(supervision="answers"), "setting of text-to-text"),
        ("digit-classifier", dict(max_digits=2), "setting of digit-classifier"),
        ("text-to-text", dict(text_folder="text"), "no effect"),
        ("image-to-text", dict(architecture="cnn-lstm", text_folder="x"), "no effect"),
        ("image-to-text", dict(architecture="modular", encoder_layers=2), "no effect"),
    ],
)
def test_what_cannot_be_trained_is_refused(tmp_path, task, settings, message):
    with pytest.raises(UserError, match=message):
        train(task, tmp_path / "run", profile=PROFILE, **settings)
    assert not (tmp_path / "run").exists()


def test_unusable_queries_are_refused_before_the_text_model_is_trained(tmp_path):
    path = tmp_path / "long.txt"
    path.write_text("\n".join(f"{100 + i}+{200 + i}" for i in range(50)))
    folder = tmp_path / "run"
    settings = dict(profile=PROFILE, max_digits=3, train_queries=path)
    settings["architecture"] = "modular"
    with pytest.raises(UserError, match="two digits at most"):
        train("image-to-text", folder, **settings)
    assert not folder.exists()


def edited(change):
    """What edits the configuration in a run folder's run.json."""

    def edit(folder):
        content = json.loads((folder / "run.json").read_text())
        change(content["config"])
        (folder / "run.json").write_text(json.dumps(content))

    return edit


@pytest.mark.parametrize(
    "damage, message",
    [
        (edited(lambda config: config.pop("answer_order")), "another version.*answer"),
        (edited(lambda config: config.update(heads=8)), "another version.*heads"),
        (edited(lambda config: config.update(encoder_layers=2)), "does not fit"),
        (edited(lambda config: config.update(max_digits="two")), "damaged"),
        (edited(lambda config: config.update(answer_order="x")), "unknown answer_o"),
        (edited(lambda config: config.update(task="gan")), "holds a gan model"),
        (lambda folder: (folder / "run.json").write_text("[]"), "run.json"),
        (lambda folder: (folder / "run.json").write_text(""), "run.json"),
        (lambda folder: (folder / "run.json").unlink(), "no finished run"),
        (lambda folder: (folder / "model.weights.h5").unlink(), "no finished run"),
        (lambda folder: (folder / "weights.npz").touch(), "older version.*train again"),
        (lambda folder: (folder / "model.weights.h5").write_bytes(b"x"), "damaged"),
    ],
)
def test_a_damaged_model_folder_is_one_clear_error(folders, tmp_path, damage, message):
    folder = shutil.copytree(folders / "text-to-text", tmp_path / "copy")
    damage(folder)
    with pytest.raises(UserError, match=message):
        load(folder)


@pytest.mark.parametrize(
    "form",
    [
        IMAGES / np.float32(255),
        IMAGES / 255 * 1.05,
        IMAGES.astype("int64"),
        IMAGES.astype("float32"),
        IMAGES[..., None],
    ],
)
def test_images_of_several_forms_are_understood(form):
    found = as_query_images(form, QueryFormat(2))
    assert found.dtype == np.uint8 and found.shape == IMAGES.shape
    assert np.abs(found.astype(int) - IMAGES).max() <= 13


def test_binary_and_single_images_are_understood(capsys):
    binary = (IMAGES > 127).astype("uint8")
    for form in (binary, binary.astype(bool), binary.astype("float64")):
        assert (as_query_images(form, QueryFormat(2)) == 255 * binary).all()
    assert "1 is taken for white" in capsys.readouterr().err
    assert (as_query_images(IMAGES[0], QueryFormat(2)) == IMAGES[:1]).all()
    assert len(as_query_images(IMAGES[:0], QueryFormat(2))) == 0


@pytest.mark.parametrize(
    "form, message",
    [
        (255 - IMAGES, "inverted.*255 - images"),
        (1 - IMAGES / 255, "inverted.*1 - images"),
        (np.zeros_like(IMAGES), "all black"),
        (IMAGES[:, 0], r"\[2, 28, 28\].*\['n', 5, 28, 28\]"),
        (IMAGES.swapaxes(1, 2).reshape(2, 28, 140), r"\[2, 28, 140\]"),
        (IMAGES.astype(str), "type <U3"),
        (IMAGES - 300.0, "from -300"),
        (IMAGES * 257.0, "to 6.554e"),
        (IMAGES / 255 * 1.5, "to 1.5"),
        (IMAGES * np.nan, "from nan"),
    ],
)
def test_images_that_may_be_misread_are_refused(form, message):
    with pytest.raises(UserError, match=message):
        as_query_images(form, QueryFormat(2))


def test_the_answer_command_prints_one_answer_a_line(folders, tmp_path, capsys):
    text, reading = folders / "text-to-text", folders / "image-to-text"
    (tmp_path / "queries.txt").write_text("81+24\n1-9\n")
    answer(text, queries=QUERIES)
    expected = capsys.readouterr().out
    assert len(expected.splitlines()) == 2
    answer(text, queries_file=tmp_path / "queries.txt")
    assert capsys.readouterr().out == expected
    np.savez(tmp_path / "images.npz", images=IMAGES)
    answer(reading, images_file=tmp_path / "images.npz")
    expected = capsys.readouterr().out
    answer(reading, queries=QUERIES, seed=1)
    assert capsys.readouterr().out == expected


def test_the_answer_command_writes_images(folders, tmp_path, capsys):
    drawing = folders / "text-to-image"
    answer(drawing, queries=QUERIES, out=tmp_path / "new" / "answers.NPZ", seed=3)
    images = read_arrays(tmp_path / "new" / "answers.NPZ")["images"]
    assert images.shape == (2, 3, 28, 28)
    answer(drawing, queries=QUERIES, out=tmp_path / "answers.png", seed=3)
    sheet = np.asarray(Image.open(tmp_path / "answers.png"))
    assert (sheet[28:, 28:56] == images[1, 1]).all()
    assert "wrote 2 answers" in capsys.readouterr().out


@pytest.mark.parametrize(
    "task, options, message",
    [
        ("text-to-text", {}, "0 sources"),
        ("text-to-text", dict(queries=["1+1"], images_file="x.npz"), "2 sources"),
        ("text-to-text", dict(queries=["1+1"], out="a.npz"), "--out needs.*to-image"),
        ("text-to-text", dict(queries=["1+1"], seed=1), "--seed has no effect"),
        ("text-to-text", dict(images_file="x.npz"), "--images needs.*image-to-text"),
        ("image-to-text", dict(images_file="x.npz", seed=1), "--seed has no effect"),
        ("image-to-text", dict(images_file="none.npz"), "none.npz"),
        ("text-to-image", dict(queries=["1+1"]), "needs --out"),
        ("text-to-image", dict(queries=["1+1"], out="answers"), "ends in .npz or .png"),
        ("text-to-image", dict(queries=["1+1"], seed=-1, out="a.npz"), "seed is -1"),
        ("text-to-image", dict(images_file="x.npz", out="a.npz"), "--images needs"),
    ],
)
def test_options_of_the_answer_command_are_checked(
    folders, tmp_path, monkeypatch, task, options, message
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=message):
        answer(folders / task, **options)
    assert not any(tmp_path.iterdir())


def test_a_file_of_other_arrays_is_refused(folders, tmp_path):
    np.savez(tmp_path / "other.npz", arr_0=IMAGES)
    with pytest.raises(UserError, match="arr_0.*'images'"):
        answer(folders / "image-to-text", images_file=tmp_path / "other.npz")
