"""The front door: train, resume, load, answer; and refuse what does not fit."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from latent_arithmetic.arithmetic import image_to_text, networks, tasks
from latent_arithmetic.arithmetic.lessons import make_split, teachable
from latent_arithmetic.arithmetic.questions import all_questions
from latent_arithmetic.arithmetic.tasks import load_trained, train_task
from latent_arithmetic.errors import UserError
from latent_arithmetic.profiles import Budget, get_profile

ONE_EPOCH = Budget(epochs=1, batch_size=32, learning_rate=3e-3)
SMOKE = replace(get_profile("smoke"), text_to_text=ONE_EPOCH)


@pytest.fixture(autouse=True)
def small_and_quickly_compiled(monkeypatch):
    monkeypatch.setattr(tasks, "EPOCH_QUESTIONS", 128)
    monkeypatch.setattr(networks, "UNROLL", False)
    monkeypatch.setattr(networks, "WIDTH", 16)


@pytest.fixture
def question_file(tmp_path):
    path = tmp_path / "questions.txt"
    path.write_text("\n".join(f"{a}+{b}" for a in range(8) for b in range(8)))
    return path


def test_text_to_text_is_trained_once_and_loaded_alike(tmp_path, question_file):
    folder = tmp_path / "run"
    asked = dict(profile=SMOKE, train_questions=question_file)
    trained = train_task("text-to-text", folder, **asked)
    assert trained.settings["questions"] == 64
    answers = trained.answer(["81+24", "1-9", "5+5  "])
    assert [len(answer) for answer in answers] == [3, 3, 3]
    assert trained.answer([]) == []
    written = (folder / "weights.npz").stat().st_mtime_ns
    again = train_task("text-to-text", folder, **asked)
    assert (folder / "weights.npz").stat().st_mtime_ns == written
    for weight, other in zip(trained.model.weights, again.model.weights, strict=True):
        assert (np.array(weight) == np.array(other)).all()
    assert load_trained(folder).answer(["81+24"]) == answers[:1]
    with pytest.raises(UserError, match="another run"):
        train_task("text-to-text", folder, **asked, seed=1)
    with pytest.raises(UserError, match="character 2"):
        trained.answer(["8a+2"])
    with pytest.raises(UserError, match="text-to-image"):
        trained.draw(["1+1"])


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="JAX traces as often as it wants"
)
@pytest.mark.parametrize("task", ["image-to-text", "text-to-image"])
def test_a_training_step_is_traced_once(monkeypatch, tmp_path, question_file, task):
    traced, real_step = [], keras.Model.train_step

    def step(model, data):
        traced.append(type(model).__name__)
        return real_step(model, data)

    monkeypatch.setattr(keras.Model, "train_step", step)
    asked = dict(profile=SMOKE, train_questions=question_file, budget=ONE_EPOCH)
    train_task(task, tmp_path / "run", **asked)
    assert traced[0] == "TextToText"  # it lends its arithmetic
    assert len(traced) == len(set(traced)) == 2


@pytest.mark.parametrize("task", ["image-to-text", "text-to-image"])
def test_models_with_pictures_borrow_their_arithmetic(tmp_path, question_file, task):
    asked = dict(profile=SMOKE, train_questions=question_file, budget=ONE_EPOCH)
    text = train_task("text-to-text", tmp_path / "text", **asked)
    other = dict(asked, seed=1, text_folder=tmp_path / "text")
    with pytest.raises(UserError, match="seed"):
        train_task(task, tmp_path / "other", **other)
    trained = train_task(task, tmp_path / task, **asked, text_folder=tmp_path / "text")
    questions = ["81+24", "1-9"]
    if task == "image-to-text":
        first, again = trained.answer(questions, seed=1), trained.answer(questions, 1)
        assert first == again and [len(answer) for answer in first] == [3, 3]
        images = np.zeros((2, 5, 28, 28), "uint8")
        assert len(trained.answer_images(images)) == 2
        with pytest.raises(UserError, match=r"\[2, 28, 28\]"):
            trained.answer_images(images[:, 0])
        with pytest.raises(UserError, match="float64"):
            trained.answer_images(images / 255.0)
    else:
        drawn = trained.draw(questions, seed=1)
        assert drawn.shape == (2, 3, 28, 28) and drawn.dtype == np.uint8
        assert (drawn == load_trained(tmp_path / task).draw(questions, 1)).all()
        assert (drawn != trained.draw(questions, seed=2)).any()
        weights = text.model.encoder_decoder.get_weights()
        lent = trained.model.encoder_decoder.get_weights()
        assert all(map(np.array_equal, weights, lent))


def test_an_interrupted_run_ends_alike(tmp_path, question_file, monkeypatch):
    """Killed after the first of two epochs, it ends with the same weights."""
    asked = dict(
        profile=replace(SMOKE, image_to_text=Budget(2, 32, 3e-3)),
        train_questions=question_file,
    )
    whole = train_task("image-to-text", tmp_path / "whole", **asked)
    monkeypatch.setattr("latent_arithmetic.training.CHECKPOINT_SECONDS", 0.0)
    real = image_to_text.ImageToText.fit

    def killed(self, *args, **kwargs):
        monkeypatch.setattr(image_to_text.ImageToText, "fit", interrupted)
        return real(self, *args, **kwargs)

    def interrupted(self, *args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(image_to_text.ImageToText, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        train_task("image-to-text", tmp_path / "cut", **asked)
    monkeypatch.setattr(image_to_text.ImageToText, "fit", real)
    resumed = train_task("image-to-text", tmp_path / "cut", **asked)
    for weight, other in zip(whole.model.weights, resumed.model.weights, strict=True):
        assert np.allclose(np.array(weight), np.array(other), atol=1e-6), weight.path


def test_reader_smoke(tmp_path, monkeypatch):
    pictures, codes = tasks.reader_examples("validation")
    monkeypatch.setattr(
        tasks, "reader_examples", lambda world: (pictures[::10], codes[::10])
    )
    trained = train_task("reader", tmp_path / "reader", profile=SMOKE)
    assert 0 <= trained.run.numbers["accuracy"] <= 1
    assert len(trained.model.read(np.zeros((3, 3, 28, 28), "uint8"))) == 3


def test_what_cannot_be_trained_is_refused(tmp_path):
    with pytest.raises(UserError, match="unknown task"):
        train_task("text-to-speech", tmp_path, profile=SMOKE)
    with pytest.raises(UserError, match="encoder_layers is 0"):
        train_task("text-to-text", tmp_path, profile=SMOKE, encoder_layers=0)
    with pytest.raises(UserError, match="train fraction"):
        train_task("text-to-text", tmp_path, profile=SMOKE, train_fraction=2)
    with pytest.raises(UserError, match="unknown split"):
        make_split(split="fair")
    with pytest.raises(UserError, match="no finished run"):
        load_trained(tmp_path)


def test_the_eye_learns_from_short_numbers():
    questions = np.array([[99, 1, 10], [100, 1, 7], [3, -1, 512]])
    assert teachable(questions).tolist() == [[99, 1, 10]]
    with pytest.raises(UserError, match="two digits"):
        teachable(questions[1:])


def test_the_eye_learns_more_often_from_numbers_of_uneven_length():
    questions = np.array([[9, -1, 10], [9, -1, 9], [10, 1, 10], [45, 1, 3]])
    taught = teachable(questions).tolist()
    assert [taught.count(question) for question in questions.tolist()] == [4, 1, 1, 4]


def test_a_fraction_is_split_as_asked():
    parts = make_split(train_fraction=0.25, seed=2)
    assert len(parts.train) == len(all_questions()) // 4
