"""The command line: every command's path, and one clear error for every mistake."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from latent_arithmetic import __main__, cli
from latent_arithmetic.cli import INTERRUPTED, USER_ERROR, main
from latent_arithmetic.config import BUILD_VARIABLE
from latent_arithmetic.images.pipeline import load
from latent_arithmetic.parser import TASKS

SMOKE = ["--profile", "smoke"]
SMALL = {"vae": ["--size", "32"], "gan": ["--size", "32"]}
pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("small_sequence_models")]


@pytest.fixture(scope="module")
def models(tmp_path_factory, small_sequence_models):
    """One smoke model of most tasks, trained by the command."""
    root = tmp_path_factory.mktemp("models")
    for task in ("text-to-text", "image-to-text", "text-to-image", "vae", "gan"):
        options = [*SMOKE, *SMALL.get(task, [])]
        assert main(["train", task, "--out", str(root / task), *options]) == 0
    return root


def failed(capsys, *arguments) -> str:
    """The error of a command that has to fail."""
    assert main([str(argument) for argument in arguments]) == USER_ERROR
    lines = capsys.readouterr().err.strip().splitlines()
    last = max(i for i, line in enumerate(lines) if line.startswith("error: "))
    return "\n".join(lines[last:])


def refused(capsys, *arguments) -> str:
    """The error of a command that is refused before any work starts."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    assert stop.value.code == USER_ERROR
    shown = capsys.readouterr().err.strip()
    assert "usage:" not in shown
    return shown.splitlines()[-1]


def test_answers_stand_one_a_line_in_order(models, capsys, tmp_path):
    queries = ["81+24", "41-89", "7+5"]
    file = tmp_path / "queries.txt"
    file.write_text("\n".join(queries) + "\n")
    for task in ("text-to-text", "image-to-text"):
        model = ["--model", str(models / task)]
        assert main(["answer", *model, "--queries", str(file)]) == 0
        from_file = capsys.readouterr().out
        assert main(["answer", *model, *queries]) == 0
        assert from_file == capsys.readouterr().out
        assert len(from_file.splitlines()) == 3


def test_images_are_answered(models, capsys, tmp_path):
    images = np.zeros((4, 5, 28, 28), "uint8")
    images[:, :, 5:20, 12:15] = 255
    np.savez(tmp_path / "images.npz", images=images)
    model = ["answer", "--model", models / "image-to-text", "--images"]
    assert main([*map(str, model), str(tmp_path / "images.npz")]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 4
    np.savez(tmp_path / "wrong.npz", images=images[:, :3])
    assert "[4, 3, 28, 28]" in failed(capsys, *model, tmp_path / "wrong.npz")


def test_answers_are_drawn(models, capsys, tmp_path):
    model = ["answer", "--model", str(models / "text-to-image"), "1+1", "2-9"]
    assert main([*model, "--out", str(tmp_path / "answers.npz")]) == 0
    images = np.load(tmp_path / "answers.npz")["images"]
    assert images.shape == (2, 3, 28, 28) and images.dtype == np.uint8
    assert main([*model, "--out", str(tmp_path / "answers.png")]) == 0
    assert Image.open(tmp_path / "answers.png").width >= 3 * 28
    assert "--out" in failed(capsys, *model)


@pytest.mark.parametrize(
    "query, place",
    [("8a+2", "character 2"), ("123+4", "character 1"), ("1+", "character 3")],
)
def test_a_bad_query_is_named_with_its_place(models, capsys, query, place):
    model = models / "text-to-text"
    assert place in failed(capsys, "answer", "--model", model, query)


def test_exactly_the_queries_of_a_file_are_trained_on(tmp_path):
    file = tmp_path / "train.txt"
    file.write_text("1+1\n2+2\n3-1\n")
    out = tmp_path / "model"
    command = ["train", "text-to-text", "--out", str(out), "--train-queries"]
    assert main([*command, str(file), *SMOKE]) == 0
    config = json.loads((out / "run.json").read_text())["config"]
    assert config["train_queries"].startswith("3 queries")


def test_samples_are_repeatable_and_can_be_shaped(models, tmp_path):
    command = ["generate", "--model", str(models / "vae"), "--count", "4", "--out"]
    found = []
    for number, how in enumerate(
        ([], ["--prior", "mixture"], ["--prior", "normal"], ["--scale", "0.1"])
    ):
        out = tmp_path / f"{number}.npz"
        assert main([*command, str(out), "--seed", "7", *how]) == 0
        found.append(np.load(out)["images"])
    assert found[0].shape == (4, 32, 32, 3) and found[0].dtype == np.uint8
    np.testing.assert_array_equal(found[0], found[1])
    assert np.any(found[0] != found[2]) and np.any(found[0] != found[3])
    assert Image.open(models / "gan" / "samples.png").width > 10 * 32


@pytest.mark.parametrize("task", ["vae", "gan"])
def test_a_conditional_model_draws_what_it_is_asked_for(models, capsys, tmp_path, task):
    model, out = str(models / task), str(tmp_path / "asked.npz")
    command = ["generate", "--model", model, "--out", out, "--count", "3"]
    command.append("--attributes")
    assert main([*command, "male", "hoodie"]) == 0
    trained = load(models / task)
    asked = trained.attributes_named(["hoodie", "male"], 3)
    assert (asked.sum(axis=1) == 2).all()
    expected = trained.generate(3, attributes=asked, prior=trained.default_prior)
    np.testing.assert_array_equal(np.load(out)["images"], expected)
    assert "expected one of alien, ape, " in failed(capsys, *command, "halo")


def test_interpolation_and_reconstruction_are_images(models, tmp_path):
    out = tmp_path / "between.png"
    command = ["interpolate", "--model", str(models / "gan"), "--steps", "5"]
    assert main([*command, "--seed", "1", "--out", str(out)]) == 0
    assert Image.open(out).width > 5 * 32
    again = tmp_path / "again.npz"
    command = ["reconstruct", "--model", str(models / "vae"), "--count", "9"]
    assert main([*command, "--out", str(again)]) == 0
    assert np.load(again)["images"].shape == (9, 32, 32, 3)


def test_user_mistakes_are_one_clear_line(models, capsys, tmp_path):
    text, vae, gan = (models / name for name in ("text-to-text", "vae", "gan"))
    png = tmp_path / "x.png"
    assert "no finished run" in failed(capsys, "answer", "--model", tmp_path, "1+1")
    assert "vae" in failed(capsys, "answer", "--model", vae, "1+1")
    assert "text-to-text" in failed(capsys, "generate", "--model", text, "--out", png)
    wrong = tmp_path / "x.txt"
    assert ".png" in failed(capsys, "generate", "--model", vae, "--out", wrong)
    train = ["train", "text-to-text", "--out", text, "--seed", "5", *SMOKE]
    assert "another run" in failed(capsys, *train)
    nothing = tmp_path / "no-such-folder"
    train = ["train", "vae", "--out", tmp_path / "m", *SMOKE, "--data"]
    assert "no-such-folder" in failed(capsys, *train, nothing)
    assert "empty name" in failed(capsys, *train, "")
    png.write_bytes(b"")
    assert "cannot make the folder" in failed(
        capsys, "train", "vae", "--out", png, *SMOKE
    )
    assert "no encoder" in failed(capsys, "reconstruct", "--model", gan, "--out", png)
    assert "sources" in failed(capsys, "answer", "--model", text)


@pytest.mark.parametrize(
    "task, flags, message",
    [
        ("vae", ["--seed", "-1"], "at least 0"),
        ("vae", ["--size", "5000"], "at most 512"),
        ("gan", ["--split", "random"], "unrecognized arguments: --split"),
        ("cae", ["--beta", "1"], "unrecognized arguments: --beta"),
        ("text-to-text", ["--data", "x"], "unrecognized arguments: --data"),
        ("text-to-text", ["--seed", "-1"], "at least 0"),
        ("text-to-image", ["--supervision", "answers"], "unrecognized"),
    ],
)
def test_flags_without_effect_are_refused(capsys, tmp_path, task, flags, message):
    command = ["train", task, "--out", tmp_path / "m", *flags]
    assert message in refused(capsys, *command)
    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize(
    "command, flag, values",
    [
        ("generate", "--scale", ["nan", "inf", "-1"]),
        ("generate", "--truncation", ["nan", "inf", "-2"]),
        ("generate", "--count", ["0"]),
        ("generate", "--seed", ["-1", "4294967296", "1716000000000000000"]),
        ("interpolate", "--steps", ["1"]),
        ("interpolate", "--seed", ["-1"]),
        ("answer", "--seed", ["1.5", "-1"]),
        ("train text-to-text", "--train-fraction", ["90", "0,5"]),
        ("train text-to-text", "--weight-decay", ["inf"]),
        ("train vae", "--beta", ["inf"]),
        ("train vae", "--sigma", ["nan"]),
        ("train gan", "--preset", ["Baseline"]),
    ],
)
def test_values_nobody_can_use_are_refused(capsys, command, flag, values):
    for value in values:
        error = refused(capsys, *command.split(), flag, value)
        assert f"error: argument {flag}: " in error and value in error


def test_too_many_digits_are_refused_before_any_work(capsys, tmp_path):
    train = ["train", "text-to-text", "--out", tmp_path / "m", "--max-digits", "9"]
    assert "max_digits" in failed(capsys, *train)


@pytest.mark.parametrize("task", TASKS)
def test_help_of_a_task_shows_its_own_flags(capsys, task):
    with pytest.raises(SystemExit):
        main(["train", task, "--help"])
    shown = capsys.readouterr().out
    assert "--out" in shown and "--epochs" in shown
    assert ("--preset" in shown) == (task in ("cae", "vae", "gan"))
    assert ("--beta " in shown) == (task == "vae")


def test_tensorboard_gets_what_training_logs(tmp_path):
    pytest.importorskip("tensorflow")
    pytest.importorskip("tensorboard")
    command = ["train", "text-to-text", "--out", str(tmp_path / "m"), *SMOKE]
    assert main([*command, "--tensorboard", str(tmp_path / "logs")]) == 0
    assert list((tmp_path / "logs").rglob("events*"))


def test_datasets_are_listed_with_their_links(capsys):
    assert main(["datasets"]) == 0
    shown = capsys.readouterr().out
    assert "cryptopunks" in shown and "https://susanqq.github.io/UTKFace/" in shown


def test_an_interruption_says_how_to_resume(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setitem(cli.COMMANDS, "datasets", interrupted)
    assert main(["datasets"]) == INTERRUPTED
    assert "resumes where it stopped" in capsys.readouterr().err


class Loading:
    """A module that is interrupted while it loads."""

    def __getattr__(self, name):
        raise KeyboardInterrupt


def test_an_interruption_while_modules_load_is_no_traceback(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "latent_arithmetic.cli", Loading())
    assert __main__.main() == INTERRUPTED
    assert capsys.readouterr().err == "interrupted\n"


@pytest.mark.parametrize(
    "command, message",
    [
        ("run", "inside a clone"),
        ("report", "no recorded results"),
        ("submission", "not found"),
        ("export", "inside a clone"),
        ("publish", "not finished"),
        ("release-check", "inside a clone"),
    ],
)
def test_a_command_outside_of_a_clone_is_one_clear_error(
    capsys, tmp_path, monkeypatch, command, message
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(BUILD_VARIABLE, str(tmp_path / "build"))
    assert message in failed(capsys, command)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def run_shell(command: str, **environment) -> subprocess.CompletedProcess:
    script = command.replace("LA", f"{sys.executable} -m latent_arithmetic")
    variables = os.environ | environment
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", script],
        env=variables,
        capture_output=True,
        text=True,
    )


def test_a_closed_pipe_and_a_broken_keras_are_no_tracebacks(tmp_path):
    listed = run_shell("LA experiments list | head -1", KERAS_BACKEND="numpy")
    assert listed.stdout.count("\n") == 1 and "Traceback" not in listed.stderr
    broken = run_shell("LA experiments list", KERAS_BACKEND="theano")
    assert broken.returncode == USER_ERROR and "KERAS_BACKEND" in broken.stderr
    assert "Traceback" not in broken.stderr


BUILD_A_MODEL = """
from latent_arithmetic.images.presets import CAEConfig, ImageSpec, build_cae
images = build_cae(CAEConfig(channels=8), ImageSpec(16, False)).decoder.output
print(images.shape, images.dtype)
"""


def test_models_are_built_as_usual_whatever_keras_json_says(tmp_path):
    settings = {"floatx": "float16", "image_data_format": "channels_first"}
    settings |= {"backend": "tensorflow", "epsilon": 1e-7}
    (tmp_path / ".keras").mkdir()
    (tmp_path / ".keras" / "keras.json").write_text(json.dumps(settings))
    environment = os.environ | {"HOME": str(tmp_path)}
    command = [sys.executable, "-c", BUILD_A_MODEL]
    shown = subprocess.check_output(command, env=environment, text=True)
    assert shown.strip() == "(None, 16, 16, 3) float32"
