"""The front door of Task 2: train a model or load it, then let it answer."""

import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.arithmetic.designs import encode_for, find_recipe
from latent_arithmetic.arithmetic.glyphs import glyph_bank
from latent_arithmetic.arithmetic.models import exact, predict
from latent_arithmetic.arithmetic.questions import (
    QuestionFormat,
    Split,
    all_questions,
    encode_answers,
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
WEIGHT_DECAY = 0.1  # of AdamW, decoupled from the gradient, for nets with pictures
CLIP_NORM = 1.0  # of the whole gradient
# TensorFlow's just-in-time compiler makes convolutions several times slower on a CPU.
JIT_COMPILE = keras.backend.backend() == "jax"
VALIDATIONS = 10  # measurements during a run, at most


@dataclass(frozen=True)
class Lesson:
    """What a model is taught, and which model it is.

    seed: of the split, the first weights and the order of training.
    max_digits: of the numbers in a question.
    train_fraction: the share of all questions trained on.
    train_questions: a file with one question a line; exactly these are trained on,
        `train_fraction` and `split` do not count, and nothing is chosen by others.
    split: "random" or "mirror-clean" (a+b and b+a on the same side).
    design: one of DESIGNS. encoder_layers, decoder_layers: recurrent layers that read
        and that write; without a number, as many as the design's recipe says.
    weight_decay: of AdamW; without a number, the recipe's.
    """

    seed: int = 0
    max_digits: int = 2
    train_fraction: float = 0.9
    train_questions: Path | None = None
    split: str = "random"
    design: str = "summary"
    encoder_layers: int = 1
    decoder_layers: int | None = None
    weight_decay: float | None = None

    @property
    def form(self) -> QuestionFormat:
        """How long questions and answers are."""
        return QuestionFormat(self.max_digits)

    def parts(self) -> Split:
        """The questions to train on, to choose by and to test with.

        Raises:
            UserError: the fraction, the split or the file is not usable.
        """
        questions = all_questions(self.form)
        if self.train_questions is not None:
            train = read_questions(self.train_questions, self.form)
            return file_split(questions, train, self.seed)
        if self.split not in SPLITS:
            known = ", ".join(SPLITS)
            raise UserError(f"unknown split {self.split!r}; expected one of {known}")
        return SPLITS[self.split](questions, self.train_fraction, self.seed)

    def settings(self, parts: Split) -> dict:
        """What makes this lesson this one, in plain values."""
        recipe = find_recipe(self.design)
        settings = asdict(self)
        del settings["train_questions"]
        for name in ("decoder_layers", "weight_decay"):
            if settings[name] is None:
                settings[name] = getattr(recipe, name)
        if self.train_questions is not None:
            del settings["train_fraction"]
            fingerprint = hashlib.sha256(parts.train.tobytes()).hexdigest()[:16]
            settings |= {"split": "file", "questions": len(parts.train)}
            settings |= {"sha256": fingerprint}
        return settings


def make_split(**lesson) -> Split:
    """The questions of a `Lesson`, split as asked."""
    return Lesson(**lesson).parts()


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
    if task not in TASKS:
        raise UserError(f"unknown task {task!r}; expected one of {', '.join(TASKS)}")
    budget = budget or getattr(profile, task.replace("-", "_"))
    asked = Lesson(**lesson)
    settings = {"seed": asked.seed, "budget": asdict(budget)}
    parts = None
    if task != "reader":
        parts = asked.parts()
        settings |= asked.settings(parts)
    if finished_run(folder, task, settings) is not None:
        return load_trained(folder)
    model = build_model(task, settings)
    if task in ("image-to-text", "text-to-image"):
        text = _text_model(text_folder, folder, profile, settings, lesson)
        model.encoder_decoder.set_weights(text.model.encoder_decoder.get_weights())
    history = _fit(model, task, folder, settings, budget, profile, parts)
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


def _text_model(
    text_folder: Path | None,
    folder: Path,
    profile: Profile,
    settings: dict,
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


def _examples(task: str, settings: dict, parts: Split | None, count: int):
    """What a task trains on: inputs and targets, at least `count` rows of questions.

    So an epoch has the same number of steps however few questions are trained on.
    """
    if task == "reader":
        return reader_examples("train")
    form, questions = QuestionFormat(settings["max_digits"]), parts.train
    times = max(1, -(-count // len(questions)))
    repeated = np.tile(questions, (times, 1))[: max(count, len(questions))]
    asked = encode_for(settings["design"], repeated, form)
    return asked, encode_answers(repeated, form)


def _fit(model, task, folder, settings, budget: Budget, profile, parts) -> History:
    """Compile and train with the one recipe of this wing."""
    recipe = find_recipe(settings.get("design", "summary"))
    count = profile.epoch_examples
    if task != "reader":
        count = min(EPOCH_QUESTIONS, count)
    arrays = _examples(task, settings, parts, count)
    batches = Batches(arrays, budget.batch_size, settings["seed"], count)
    text = task == "text-to-text"
    schedule = cosine_schedule(
        budget.learning_rate * (recipe.rate if text else 1.0),
        budget.epochs * len(batches),
    )
    optimizer = keras.optimizers.AdamW(
        schedule,
        weight_decay=settings["weight_decay"] if text else WEIGHT_DECAY,
        beta_2=0.99,
        global_clipnorm=CLIP_NORM,
    )
    if task in ("image-to-text", "text-to-image"):  # these know their own loss
        model.compile(optimizer, jit_compile=JIT_COMPILE)
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        metrics = [exact] if text else []
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
