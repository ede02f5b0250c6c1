"""The command line: every command's path, and one clear error for every mistake."""

import json

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic.arguments import CHOICES
from latent_arithmetic.arithmetic import choices
from latent_arithmetic.arithmetic.designs import RECIPES
from latent_arithmetic.arithmetic.image_designs import STRAIGHT_DESIGNS
from latent_arithmetic.arithmetic.lessons import SPLITS, Lesson
from latent_arithmetic.cli import INTERRUPTED, USER_ERROR, main
from latent_arithmetic.images.trained import load_trained

SMOKE = ["--profile", "smoke"]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """One smoke model of every task, trained by the command."""
    root = tmp_path_factory.mktemp("models")
    for task in ("text-to-text", "image-to-text", "text-to-image", "vae", "gan"):
        assert main(["train", task, "--out", str(root / task), *SMOKE]) == 0
    return root


def test_every_choice_of_the_command_line_is_known():
    """The names stand apart, so that --help need not load Keras."""
    assert tuple(RECIPES) == choices.DESIGNS
    assert tuple(SPLITS) == choices.SPLITS
    assert ("eye", *STRAIGHT_DESIGNS) == choices.READINGS
    defaults = Lesson()
    for name, known, _ in CHOICES:
        assert getattr(defaults, name.removeprefix("--")) == known[0]


def failed(capsys, *arguments) -> str:
    """The one line of error of a command that has to fail."""
    assert main([str(argument) for argument in arguments]) == USER_ERROR
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ")
    return error


def test_answers_stand_one_a_line_in_order(models, capsys, tmp_path):
    questions = ["81+24", "41-89", "7+5"]
    file = tmp_path / "questions.txt"
    file.write_text("\n".join(questions) + "\n")
    for task in ("text-to-text", "image-to-text"):
        model = ["--model", str(models / task)]
        assert main(["answer", *model, "--questions", str(file)]) == 0
        from_file = capsys.readouterr().out
        assert main(["answer", *model, *questions]) == 0
        assert from_file == capsys.readouterr().out
        assert len(from_file.splitlines()) == 3


def test_images_are_answered(models, capsys, tmp_path):
    images = np.zeros((4, 5, 28, 28), "uint8")
    np.savez(tmp_path / "images.npz", images=images)
    model = ["answer", "--model", models / "image-to-text", "--images"]
    assert main([*map(str, model), str(tmp_path / "images.npz")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    np.savez(tmp_path / "wrong.npz", images=images[:, :3])
    assert "[4, 3, 28, 28]" in failed(capsys, *model, tmp_path / "wrong.npz")
    np.savez(tmp_path / "other.npz", pictures=images)
    assert "'images'" in failed(capsys, *model, tmp_path / "other.npz")


def test_answers_are_painted(models, capsys, tmp_path):
    out = tmp_path / "answers.npz"
    model = ["answer", "--model", str(models / "text-to-image"), "1+1", "2-9"]
    assert main([*model, "--out", str(out)]) == 0
    images = np.load(out)["images"]
    assert images.shape == (2, 3, 28, 28) and images.dtype == np.uint8
    assert "--out" in failed(capsys, *model)


@pytest.mark.parametrize(
    "question, place",
    [
        ("8a+2", "character 2"),
        ("123+4", "character 1"),
        ("", "character 1"),
        ("1+", "character 3"),
        ("1 + 2", "character 2"),
        ("٣+4", "character 1"),
    ],
)
def test_bad_question_is_named_with_its_place(models, capsys, question, place):
    model = models / "text-to-text"
    assert place in failed(capsys, "answer", "--model", model, question)


def test_bad_line_of_a_file_is_named(models, capsys, tmp_path):
    file = tmp_path / "questions.txt"
    file.write_text("1+1\n\n2x2\n")
    arguments = ["answer", "--model", models / "text-to-text", "--questions", file]
    assert "line 2" in failed(capsys, *arguments)


def test_exactly_the_questions_of_a_file_are_trained_on(tmp_path):
    file = tmp_path / "train.txt"
    file.write_text("1+1\n2+2\n3-1\n")
    out = tmp_path / "model"
    command = ["train", "text-to-text", "--out", str(out), "--train-questions"]
    assert main([*command, str(file), *SMOKE]) == 0
    assert json.loads((out / "run.json").read_text())["settings"]["questions"] == 3


def test_novel_pictures_are_repeatable(models, tmp_path):
    for task in ("vae", "gan"):
        arrays = []
        for name in ("one.npz", "two.npz"):
            command = ["generate", "--model", str(models / task), "--count", "4"]
            out = str(tmp_path / name)
            assert main([*command, "--seed", "7", "--out", out]) == 0
            arrays.append(np.load(out)["images"])
        assert arrays[0].shape == (4, 64, 64, 3) and arrays[0].dtype == np.uint8
        np.testing.assert_array_equal(*arrays)


def test_training_ends_with_a_picture_and_samples_can_be_shaped(models, tmp_path):
    for task in ("vae", "gan"):
        assert Image.open(models / task / "samples.png").width > 10 * 64
    command = ["generate", "--model", str(models / "vae"), "--count", "4", "--out"]
    found = []
    for number, how in enumerate(
        ([], ["--prior", "mixture"], ["--prior", "normal"], ["--scale", "0.1"])
    ):
        out = tmp_path / f"{number}.npz"
        assert main([*command, str(out), *how]) == 0
        found.append(np.load(out)["images"])
    np.testing.assert_array_equal(found[0], found[1])
    assert np.any(found[0] != found[2]) and np.any(found[0] != found[3])


@pytest.mark.parametrize("task", ["vae", "gan"])
def test_a_model_draws_what_it_is_asked_for(models, capsys, tmp_path, task):
    model, out = str(models / task), str(tmp_path / "asked.npz")
    command = ["generate", "--model", model, "--out", out, "--count", "3"]
    command.append("--attributes")
    assert main([*command, "male", "hoodie"]) == 0
    trained = load_trained(model)
    asked = trained.attributes_named(["hoodie", "male"], 3)
    assert (asked.sum(axis=1) == 2).all()
    expected = trained.generate(3, attributes=asked, prior=trained.best_prior)
    np.testing.assert_array_equal(np.load(out)["images"], expected)
    assert "expected one of alien, ape, " in failed(capsys, *command, "halo")


def test_data_sets_are_listed_with_their_links(capsys):
    assert main(["datasets"]) == 0
    out = capsys.readouterr().out
    assert "cryptopunks" in out and "https://susanqq.github.io/UTKFace/" in out


def test_interpolation_and_reconstruction_are_pictures(models, tmp_path):
    out = tmp_path / "between.png"
    command = ["interpolate", "--model", str(models / "gan"), "--steps", "5"]
    assert main([*command, "--seed", "1", "--out", str(out)]) == 0
    assert Image.open(out).width > 5 * 64
    again = tmp_path / "again.npz"
    command = ["reconstruct", "--model", str(models / "vae"), "--data", "cryptopunks"]
    assert main([*command, "--out", str(again)]) == 0
    assert np.load(again)["images"].shape[1:] == (64, 64, 3)


def test_mistakes_are_one_clear_line(models, capsys, tmp_path):
    text, vae = models / "text-to-text", models / "vae"
    png = tmp_path / "x.png"
    assert "no finished run" in failed(capsys, "answer", "--model", tmp_path, "1+1")
    assert "vae" in failed(capsys, "answer", "--model", vae, "1+1")
    assert "text-to-text" in failed(capsys, "generate", "--model", text, "--out", png)
    wrong = tmp_path / "x.txt"
    assert ".png" in failed(capsys, "generate", "--model", vae, "--out", wrong)
    assert "another run" in failed(
        capsys, "train", "text-to-text", "--out", text, "--seed", "5", *SMOKE
    )
    nothing = tmp_path / "no-such-folder"
    assert "no-such-folder" in failed(
        capsys, "train", "vae", "--out", tmp_path / "m", "--data", nothing, *SMOKE
    )
    png.write_bytes(b"")
    assert "cannot train into" in failed(capsys, "train", "vae", "--out", png, *SMOKE)
    truncated = ["generate", "--model", vae, "--out", png, "--truncation", "0"]
    assert "expected 0.25 or more" in failed(capsys, *truncated)
    theirs = ["train", "vae", "--out", tmp_path / "m", "--recipe", "theirs", *SMOKE]
    assert "one of ours, " in failed(capsys, *theirs)
    gan = models / "gan"
    assert "no encoder" in failed(capsys, "reconstruct", "--model", gan, "--out", png)
    assert "sources of questions" in failed(capsys, "answer", "--model", text)


def test_interruption_says_how_to_go_on(monkeypatch, capsys, tmp_path):
    from latent_arithmetic.arithmetic import tasks

    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(tasks, "train_task", interrupted)
    command = ["train", "text-to-text", "--out", str(tmp_path), *SMOKE]
    assert main(command) == INTERRUPTED
    assert "goes on where it stopped" in capsys.readouterr().err
