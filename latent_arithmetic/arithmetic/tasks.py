"""The front door of Task 2: train a model or load it, then let it answer."""

import hashlib
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.arithmetic.glyphs import glyph_bank
from latent_arithmetic.arithmetic.models import exact, predict
from latent_arithmetic.arithmetic.questions import (
    Split,
    all_questions,
    encode_answers,
    encode_questions,
    file_split,
    mirror_clean_split,
    random_split,
    read_questions,
)
from latent_arithmetic.arithmetic.reader import reader_examples
from latent_arithmetic.arithmetic.trained import (
    TASKS,
    Trained,
    build_model,
    load_trained,
)
from latent_arithmetic.errors import UserError
from latent_arithmetic.profiles import Budget, Profile
from latent_arithmetic.runs import finished_run, save_run
from latent_arithmetic.training import Batches, History, cosine_schedule, train

SPLITS = {"random": random_split, "mirror-clean": mirror_clean_split}
EPOCH_QUESTIONS = 18_000  # shown in an epoch; fewer questions are shown repeatedly
WEIGHT_DECAY = 0.1  # of AdamW, decoupled from the gradient
CLIP_NORM = 1.0  # of the whole gradient
# TensorFlow's just-in-time compiler makes convolutions several times slower on a CPU.
JIT_COMPILE = keras.backend.backend() == "jax"
VALIDATIONS = 10  # measurements during a run, at most


def make_split(
    *,
    seed: int = 0,
    train_fraction: float = 0.9,
    train_questions: Path | None = None,
    split: str = "random",
) -> Split:
    """All two-digit questions, split as asked; a file goes before a fraction.

    Raises:
        UserError: the fraction or the file is not usable.
    """
    questions = all_questions()
    if train_questions is not None:
        return file_split(questions, read_questions(train_questions), seed)
    if split not in SPLITS:
        known = ", ".join(SPLITS)
        raise UserError(f"unknown split {split!r}; expected one of {known}")
    return SPLITS[split](questions, train_fraction, seed)


def train_task(
    task: str,
    folder: Path,
    *,
    profile: Profile,
    seed: int = 0,
    train_fraction: float = 0.9,
    train_questions: Path | None = None,
    split: str = "random",
    encoder_layers: int = 1,
    decoder_layers: int = 1,
    budget: Budget | None = None,
    text_folder: Path | None = None,
) -> Trained:
    """Train a model into `folder`, or load it if that very run is finished there.

    Args:
        train_questions: a file with one question a line; exactly these are trained
            on, `train_fraction` and `split` do not count, and nothing is chosen by
            other questions.
        split: "random" or "mirror-clean" (a+b and b+a on the same side).
        budget: in place of the profile's for this task.
        text_folder: the text-to-text run that lends its encoder-decoder to a model
            with pictures; without one it is trained first, inside `folder`.

    Raises:
        UserError: the folder holds another run, or an argument is not usable.
    """
    folder = Path(folder)
    if task not in TASKS:
        raise UserError(f"unknown task {task!r}; expected one of {', '.join(TASKS)}")
    budget = budget or getattr(profile, task.replace("-", "_"))
    settings = {"seed": seed, "budget": asdict(budget)}
    asked = None
    if task != "reader":
        asked = {"seed": seed, "train_fraction": train_fraction}
        asked |= {"train_questions": train_questions, "split": split}
        parts = make_split(**asked)
        depth = {"encoder_layers": encoder_layers, "decoder_layers": decoder_layers}
        settings |= depth | _describe(parts, train_questions, train_fraction, split)
    run = finished_run(folder, task, settings)
    if run is not None:
        return load_trained(folder)
    model = build_model(task, settings)
    if task == "reader":
        arrays = _shortened(reader_examples("train"), profile.epoch_examples)
        validate = _validate_reader
    else:
        if task != "text-to-text":
            text = _text_model(text_folder, folder, profile, settings, asked | depth)
            lent = text.model.encoder_decoder.get_weights()
            model.encoder_decoder.set_weights(lent)
        count = min(EPOCH_QUESTIONS, profile.epoch_examples)
        arrays = _repeated(parts.train, count)
        arrays = _shortened(arrays, profile.epoch_examples)
        validate = _validator(task, parts.validation)
    history = _fit(model, arrays, validate, task, folder, settings, budget)
    if task == "text-to-image":
        model.fit_styles(glyph_bank("train"))
    numbers = {name: values[-1] for name, values in history.validation.items()}
    save_run(
        folder,
        model,
        task=task,
        settings=settings,
        history=history,
        profile=profile.name,
        numbers=numbers,
    )
    return load_trained(folder)


def _describe(
    parts: Split, file: Path | None, train_fraction: float, split: str
) -> dict:
    """The settings that say which questions were trained on."""
    if file is None:
        return {"split": split, "train_fraction": train_fraction}
    fingerprint = hashlib.sha256(parts.train.tobytes()).hexdigest()[:16]
    return {"split": "file", "questions": len(parts.train), "sha256": fingerprint}


def _text_model(
    text_folder: Path | None,
    folder: Path,
    profile: Profile,
    settings: dict,
    asked: dict,
) -> Trained:
    """The text-to-text model that lends its encoder-decoder.

    Raises:
        UserError: it was trained on other questions or has other layers.
    """
    if text_folder is None:
        return train_task(
            "text-to-text", folder / "text-to-text", profile=profile, **asked
        )
    text = load_trained(text_folder)
    differences = [
        f"{key}: there {text.settings.get(key)!r}, wanted {settings[key]!r}"
        for key in settings
        if key != "budget" and text.settings.get(key) != settings[key]
    ]
    if text.task != "text-to-text" or differences:
        raise UserError(
            f"{text_folder} holds a {text.task} model that does not fit "
            f"({'; '.join(differences)}); expected a text-to-text model "
            "trained on the same questions"
        )
    return text


def _repeated(questions: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Codes of questions and answers, repeated until there are `count` of them.

    So an epoch has the same number of steps however few questions are trained on.
    """
    repeated = np.tile(questions, (max(1, -(-count // len(questions))), 1))
    whole = max(count, len(questions))
    return encode_questions(repeated[:whole]), encode_answers(repeated[:whole])


def _shortened(arrays: tuple[np.ndarray, ...], count: int) -> tuple[np.ndarray, ...]:
    """A fixed random choice of `count` rows, if there are more."""
    if len(arrays[0]) <= count:
        return arrays
    kept = np.random.default_rng(0).permutation(len(arrays[0]))[:count]
    return tuple(array[kept] for array in arrays)


def _fit(model, arrays, validate, task, folder, settings, budget: Budget) -> History:
    """Compile and train with the one recipe of this wing."""
    batches = Batches(arrays, budget.batch_size, settings["seed"])
    schedule = cosine_schedule(budget.learning_rate, budget.epochs * len(batches))
    optimizer = keras.optimizers.AdamW(
        schedule, weight_decay=WEIGHT_DECAY, beta_2=0.99, global_clipnorm=CLIP_NORM
    )
    if task in ("image-to-text", "text-to-image"):  # these know their own loss
        model.compile(optimizer, jit_compile=JIT_COMPILE)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        metrics = [] if task == "reader" else [exact]
        model.compile(optimizer, loss, metrics=metrics, jit_compile=JIT_COMPILE)
    return train(
        model,
        batches,
        epochs=budget.epochs,
        title=task,
        folder=folder,
        settings=settings,
        validate=validate,
        every=max(1, budget.epochs // VALIDATIONS),
    )


def _validate_reader(model: keras.Model) -> dict[str, float]:
    """The share of validation pictures that are read right."""
    pictures, codes = reader_examples("validation")
    read = predict(model, pictures).argmax(axis=-1)
    return {"accuracy": float((read == codes).mean())}


def _validator(task: str, questions: np.ndarray):
    """Measures exact answers on validation questions, if there are any."""
    if task == "text-to-image" or not len(questions):
        return None
    asked, answers = encode_questions(questions), encode_answers(questions)
    if task == "image-to-text":
        asked = glyph_bank("validation").draw(asked)

    def validate(model: keras.Model) -> dict[str, float]:
        right = (predict(model, asked).argmax(axis=-1) == answers).all(axis=-1)
        return {"exact": float(right.mean())}

    return validate
