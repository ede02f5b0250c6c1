"""The front door of Task 2: train a model or load it, then let it answer."""

from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.arithmetic.choices import TASKS
from latent_arithmetic.arithmetic.designs import encode_for
from latent_arithmetic.arithmetic.glyphs import glyph_bank
from latent_arithmetic.arithmetic.image_to_text import ImageToText
from latent_arithmetic.arithmetic.lessons import Lesson, teachable
from latent_arithmetic.arithmetic.models import exact, predict
from latent_arithmetic.arithmetic.questions import QuestionFormat, encode_answers
from latent_arithmetic.arithmetic.reader import reader_examples
from latent_arithmetic.arithmetic.splits import Split
from latent_arithmetic.arithmetic.text_to_image import TextToImage
from latent_arithmetic.arithmetic.trained import Trained, build_model, load_trained
from latent_arithmetic.errors import UserError, expect_one_of
from latent_arithmetic.profiles import Budget, Profile
from latent_arithmetic.runs import finished_run, save_run
from latent_arithmetic.training import Batches, History, cosine_schedule, train

EPOCH_QUESTIONS = 18_000  # shown in an epoch; fewer questions are shown repeatedly
PICTURE_WEIGHT_DECAY = 0.1  # of AdamW, decoupled, for conv nets
CLIP_NORM = 1.0  # of the whole gradient
# TensorFlow's just-in-time compiler makes convolutions several times slower on a CPU.
JIT_COMPILE = keras.backend.backend() == "jax"
# Styles are fitted to one picture of each character for so many examples in an epoch.
EXAMPLES_PER_STYLE = 50
VALIDATIONS = 10  # measurements during a run, at most


def train_task(
    task: str,
    folder: Path,
    *,
    profile: Profile,
    budget: Budget | None = None,
    text_folder: Path | None = None,
    **lesson,
) -> Trained:
    """Train a model into `folder`, or load it if that very run is finished there.

    Args:
        budget: in place of the profile's for this task.
        text_folder: the text-to-text run that lends its encoder-decoder to a model
            with pictures; without one it is trained first, inside `folder`.
        lesson: see `Lesson`; of it the reader takes the seed only.

    Raises:
        UserError: the folder holds another run, or an argument is not usable.
    """
    folder = Path(folder)
    expect_one_of("task", task, TASKS)
    budget = budget or getattr(profile, task.replace("-", "_"))
    asked = Lesson(**lesson)
    settings = {"seed": asked.seed, "budget": asdict(budget)}
    parts = None
    if task != "reader":
        parts = asked.parts()
        settings |= asked.settings(parts, task)
    if task != "text-to-text":
        settings |= {"picture_weight_decay": PICTURE_WEIGHT_DECAY}
    if finished_run(folder, task, settings) is not None:
        return load_trained(folder)
    model = build_model(task, settings)
    if hasattr(model, "encoder_decoder") and task != "text-to-text":
        text = _text_model(text_folder, folder, profile, asked, parts, lesson)
        model.encoder_decoder.set_weights(text.model.encoder_decoder.get_weights())
    if isinstance(model, ImageToText):
        model.answer_possible()
    history = _fit(model, task, folder, settings, budget, profile, parts)
    if settings.get("painting") == "styles":
        count = profile.epoch_examples // EXAMPLES_PER_STYLE
        model.fit_styles(glyph_bank("train"), count)
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


def _text_model(
    text_folder: Path | None,
    folder: Path,
    profile: Profile,
    asked: Lesson,
    parts: Split,
    lesson: dict,
) -> Trained:
    """The text-to-text model that lends its encoder-decoder.

    Raises:
        UserError: it was trained on other questions or has other layers.
    """
    if text_folder is None:
        return train_task(
            "text-to-text", folder / "text-to-text", profile=profile, **lesson
        )
    text = load_trained(text_folder)
    differences = [
        f"{key}: there {text.settings.get(key)!r}, wanted {value!r}"
        for key, value in asked.settings(parts).items()
        if text.settings.get(key) != value
    ]
    if text.task != "text-to-text" or differences:
        raise UserError(
            f"{text_folder} holds a {text.task} model that does not fit "
            f"({'; '.join(differences)}); expected a text-to-text model "
            "trained on the same questions"
        )
    return text


def _examples(task: str, settings: dict, parts: Split | None, count: int):
    """What a task trains on: inputs and targets, at least `count` rows of questions.

    So an epoch has the same number of steps however few questions are trained on.
    """
    if task == "reader":
        return reader_examples("train")
    form, questions = QuestionFormat(settings["max_digits"]), parts.train
    if settings.get("reading") == "eye":
        questions = teachable(questions)
    times = max(1, -(-count // len(questions)))
    repeated = np.tile(questions, (times, 1))[: max(count, len(questions))]
    asked = encode_for(settings["design"], repeated, form)
    return asked, encode_answers(repeated, form)


def _fit(model, task, folder, settings, budget: Budget, profile, parts) -> History:
    """Compile and train with the one recipe of this wing."""
    count = profile.epoch_examples
    if task != "reader":
        count = min(EPOCH_QUESTIONS, count)
    arrays = _examples(task, settings, parts, count)
    batches = Batches(arrays, budget.batch_size, settings["seed"], count)
    text = task == "text-to-text"
    schedule = cosine_schedule(budget.learning_rate, budget.epochs * len(batches))
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=settings["weight_decay" if text else "picture_weight_decay"],
        beta_2=0.99,
        global_clipnorm=CLIP_NORM,
    )
    if isinstance(model, (ImageToText, TextToImage)):  # these know their own loss
        model.compile(optimizer, jit_compile=JIT_COMPILE)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        # A plain function would become a metric in the first step, traced twice then.
        metrics = [keras.metrics.MeanMetricWrapper(exact, "exact")] if text else []
        model.compile(optimizer, loss, metrics=metrics, jit_compile=JIT_COMPILE)
    return train(
        model,
        batches,
        epochs=budget.epochs,
        title=task,
        folder=folder,
        settings=settings,
        validate=_validator(task, settings, parts),
        every=max(1, budget.epochs // VALIDATIONS),
    )


def _validate_reader(model: keras.Model) -> dict[str, float]:
    """The share of validation pictures that are read right."""
    pictures, codes = reader_examples("validation")
    read = predict(model, pictures).argmax(axis=-1)
    return {"accuracy": float((read == codes).mean())}


def _validator(task: str, settings: dict, parts: Split | None):
    """Measures exact answers on validation questions, if there are any."""
    if task == "reader":
        return _validate_reader
    if task == "text-to-image" or not len(parts.validation):
        return None
    form = QuestionFormat(settings["max_digits"])
    asked = encode_for(settings["design"], parts.validation, form)
    answers = encode_answers(parts.validation, form)
    if task == "image-to-text":
        asked = glyph_bank("validation").draw(asked)

    def validate(model: keras.Model) -> dict[str, float]:
        right = (predict(model, asked).argmax(axis=-1) == answers).all(axis=-1)
        return {"exact": float(right.mean())}

    return validate
