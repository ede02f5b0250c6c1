"""Questions in, answers out: what the `answer` command does."""

from pathlib import Path

import numpy as np

from latent_arithmetic.arithmetic.questions import format_questions, read_questions
from latent_arithmetic.arithmetic.tasks import Trained, load_trained
from latent_arithmetic.checkpoints import read_arrays, save_arrays
from latent_arithmetic.errors import UserError


def answer(
    model_folder: Path,
    *,
    questions: list[str],
    questions_file: Path | None = None,
    images_file: Path | None = None,
    out: Path | None = None,
    seed: int = 0,
) -> None:
    """Print one answer a line, in order, or write a text-to-image model's pictures.

    questions: texts such as '81+24'. questions_file: one a line.
    images_file: .npz with `images` uint8 [n, 5, 28, 28] for an image-to-text model.
    out: .npz that gets `images` uint8 [n, 3, 28, 28] of a text-to-image model.

    Raises:
        UserError: not exactly one source of questions, a malformed question, or a
            model that does not take or give what was asked for.
    """
    given = [bool(questions), questions_file is not None, images_file is not None]
    if sum(given) != 1:
        raise UserError(
            f"received {sum(given)} sources of questions; expected exactly one of "
            "QUESTION ..., --questions FILE and --images FILE.npz"
        )
    trained = load_trained(model_folder)
    if questions_file is not None:
        parsed = read_questions(questions_file, trained.form)
        questions = format_questions(parsed, trained.form)
    if trained.task == "text-to-image":
        if images_file is not None:
            raise UserError("a text-to-image model takes questions as text, not images")
        _paint(trained, questions, out, seed)
        return
    if out is not None:
        raise UserError(f"--out is for text-to-image; this is a {trained.task} model")
    if images_file is not None:
        answers = trained.answer_images(_read_images(images_file))
    else:
        answers = trained.answer(questions, seed)
    for text in answers:
        print(text.strip())


def _read_images(path: Path) -> np.ndarray:
    arrays = read_arrays(path)
    if "images" not in arrays:
        raise UserError(f"{path} holds {sorted(arrays)}; expected an array 'images'")
    return arrays["images"]


def _paint(trained: Trained, questions: list[str], out: Path | None, seed: int) -> None:
    if out is None:
        raise UserError("a text-to-image model needs --out FILE.npz for its pictures")
    pictures = trained.draw(questions, seed)
    save_arrays(out, {"images": pictures})
    print(f"wrote {len(pictures)} answers to {out}")
