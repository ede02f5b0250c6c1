"""Train a sequence model or load it, then let it answer queries."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from PIL import Image

from latent_arithmetic.config import Profile
from latent_arithmetic.io import (
    UserError,
    expect_one_of,
    plain,
    save_arrays,
    write_atomically,
)
from latent_arithmetic.runs import Run, read_run, save_run, train_once
from latent_arithmetic.seq2seq.glyphs import GLYPH_SIZE, glyph_bank
from latent_arithmetic.seq2seq.queries import (
    QueryFormat,
    decode,
    format_queries,
    parse_queries,
    read_queries,
)
from latent_arithmetic.seq2seq.query_images import as_query_images, read_query_images
from latent_arithmetic.seq2seq.tasks import TASKS, SequenceTask
from latent_arithmetic.seq2seq.text_to_text import TextToTextConfig, predict
from latent_arithmetic.training import Batches, adamw, fit, jit_compile

VALIDATIONS = 10  # during a run, at most
IMAGE_FILES = (".npz", ".png")


@dataclass(frozen=True)
class TrainedSequenceModel:
    """A finished model and what its run recorded.

    Args:
        task: such as "image-to-text", one of `TASKS`.
        config: its configuration, every value filled in.
        run: the folder, the training history and the record.
    """

    task: str
    model: keras.Model
    config: Any
    run: Run

    @property
    def spec(self) -> SequenceTask:
        """The specification of its task."""
        return TASKS[self.task]

    @property
    def format(self) -> QueryFormat:
        """Lengths of its queries and answers."""
        return self.config.format

    def answer(self, queries: Iterable[str], seed: int = 0) -> list[str]:
        """Answers to queries such as '81+24', as texts of equal length.

        Args:
            seed: of the handwriting, MNIST's test digits, in which an image-to-text
                model gets the queries.

        Raises:
            UserError: a query is malformed, or the model does not answer in text.
        """
        self.expect("answers_in_text", "answering in text")
        codes = self._encode(queries)
        if self.spec.takes_images:
            return self.answer_images(glyph_bank("test").sample(codes, seed))
        return self._predict(codes)

    def answer_images(self, images: np.ndarray) -> list[str]:
        """Answers to queries in handwriting.

        Args:
            images: [n, query_length, 28, 28], white on black; see `as_query_images`.

        Raises:
            UserError: the model takes no images, or these are not usable.
        """
        self.expect("takes_images", "answering images")
        return self._predict(as_query_images(images, self.format))

    def answer_as_images(self, queries: Iterable[str], seed: int = 0) -> np.ndarray:
        """Answers in handwriting: uint8 [n, answer_length, 28, 28].

        Args:
            seed: of the styles.

        Raises:
            UserError: a query is malformed, or the model draws no answers.
        """
        self.expect("gives_images", "drawing answers")
        codes = self._encode(queries)
        if not len(codes):
            shape = (0, self.format.answer_length, GLYPH_SIZE, GLYPH_SIZE)
            return np.zeros(shape, "uint8")
        return self.model.answer_as_images(codes, seed)

    def recognize(self, images: np.ndarray) -> list[str]:
        """Texts of characters in handwriting, uint8 [n, length, 28, 28].

        Raises:
            UserError: the model is no digit classifier.
        """
        self.expect("classifies_characters", "recognizing characters")
        return self.model.recognize(images)

    def _encode(self, queries: Iterable[str]) -> np.ndarray:
        parsed = parse_queries(queries, self.format)
        return self.spec.encode(self.config, parsed)

    def _predict(self, inputs: np.ndarray) -> list[str]:
        if not len(inputs):
            return []
        return decode(predict(self.model, inputs).argmax(axis=-1))

    def expect(self, ability: str, use: str) -> None:
        """Raise a `UserError` if the task has not the ability, named for `use`."""
        if not getattr(self.spec, ability):
            able = [name for name, spec in TASKS.items() if getattr(spec, ability)]
            raise UserError(
                f"{use} needs a model of the task {' or '.join(able)}; this is a "
                f"{self.task} model"
            )


def build_model(task: str, config: Any) -> keras.Model:
    """The untrained model of a task, its weights initialized by the configured seed."""
    keras.utils.set_random_seed(config.seed)
    return TASKS[task].build(config)


def train(
    task: str,
    folder: Path,
    *,
    profile: Profile,
    config: Any = None,
    text_folder: Path | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **settings,
) -> TrainedSequenceModel:
    """Train a model into `folder`, or load it if that very run is finished there.

    Args:
        task: one of `TASKS`.
        config: of the task's `config_class`; its defaults if None.
        text_folder: run folder of the text-to-text model for a model that contains
            one; if None, it is trained first, in `folder`/text-to-text.
        callbacks: more Keras callbacks.
        settings: values in place of `config`'s.

    Raises:
        UserError: a setting is not usable or has no effect, or the folder holds
            another run.
    """
    expect_one_of("task", task, TASKS)
    spec, folder = TASKS[task], Path(folder)
    config = spec.resolve(_configure(spec, config, settings), profile)
    text_config = spec.text_config(config)
    if text_folder is not None and text_config is None:
        raise UserError(
            f"received the text model {text_folder}, which has no effect here: this "
            f"{task} model contains none; leave it out"
        )
    split = spec.make_split(config)
    count = spec.epoch_examples(profile)
    arrays = spec.examples(config, split, count)
    recorded = plain(spec.recorded(config, split))

    def train_model() -> None:
        text = None
        if text_config is not None:
            text = _text_model(text_config, text_folder, folder, profile, split)
        model = build_model(task, config)
        spec.prepare(model, text.model if text else None)
        batches = Batches(arrays, config.batch_size, config.seed, count)
        optimizer = adamw(config, config.epochs * len(batches))
        model.compile(optimizer, jit_compile=jit_compile(), **spec.compile_options())
        history = fit(
            model,
            batches,
            epochs=config.epochs,
            title=task,
            folder=folder,
            config=recorded,
            validate=spec.validation(config, split),
            every=max(1, config.epochs // VALIDATIONS),
            callbacks=callbacks,
        )
        spec.finish(model, profile)
        save_run(
            folder,
            model,
            task=task,
            config=recorded,
            history=history,
            profile=profile.name,
        )

    train_once(folder, task, recorded, train_model)
    return replace(load(folder), config=config)


def _configure(spec: SequenceTask, config: Any, settings: dict) -> Any:
    """The task's configuration with `settings` in place of `config`'s values."""
    known = [each.name for each in fields(spec.config_class)]
    for name in settings:
        expect_one_of(f"setting of {spec.name}", name, known)
    config = config or spec.config_class()
    if type(config) is not spec.config_class:
        raise UserError(
            f"received a {type(config).__name__} for {spec.name}; expected a "
            f"{spec.config_class.__name__}"
        )
    return replace(config, **settings)


def _text_model(
    config: TextToTextConfig,
    text_folder: Path | None,
    folder: Path,
    profile: Profile,
    split: Any,
) -> TrainedSequenceModel:
    """The trained text model that an image model contains.

    Raises:
        UserError: it was trained on other queries or has another architecture.
    """
    if text_folder is None:
        return train(
            "text-to-text", folder / "text-to-text", profile=profile, config=config
        )
    text = load(text_folder)
    spec, schedule = TASKS["text-to-text"], ("epochs", "batch_size", "learning_rate")
    wanted = plain(spec.recorded(config.resolve(profile), split))
    differences = [
        f"{name}: there {text.run.config.get(name)!r}, wanted {value!r}"
        for name, value in wanted.items()
        if name not in schedule and text.run.config.get(name) != value
    ]
    if text.task != spec.name or differences:
        raise UserError(
            f"{text_folder} holds a {text.task} model that does not fit "
            f"({'; '.join(differences)}); expected a text-to-text model trained on the "
            "same queries"
        )
    return text


def load(folder: Path) -> TrainedSequenceModel:
    """The finished run in a folder.

    Raises:
        UserError: there is none, it is damaged, or it belongs to another task.
    """
    run = read_run(Path(folder))
    if run.task not in TASKS:
        raise UserError(
            f"{folder} holds a {run.task} model; expected {', '.join(TASKS)}"
        )
    config_class = TASKS[run.task].config_class
    known = {each.name for each in fields(config_class)}
    if known != set(run.config):
        differences = ", ".join(sorted(known ^ set(run.config)))
        raise UserError(
            f"{folder} holds a model of another version of this program (its run.json "
            f"differs in {differences}); train it again"
        )
    try:
        config = config_class(**run.config)
        model = run.load_weights(build_model(run.task, config))
    except (TypeError, ValueError) as error:
        raise UserError(
            f"{folder} is damaged (run.json: {error}); restore it or train it again"
        ) from None
    return TrainedSequenceModel(run.task, model, config, run)


def answer(
    model_folder: Path,
    *,
    queries: Sequence[str] = (),
    queries_file: Path | None = None,
    images_file: Path | None = None,
    out: Path | None = None,
    seed: int | None = None,
) -> None:
    """Print one answer a line, in order, or write a text-to-image model's images.

    Args:
        queries: texts such as '81+24'.
        queries_file: text file with one query a line.
        images_file: .npz with `images` for an image-to-text model, see
            `as_query_images`.
        out: for a text-to-image model: .npz that gets `images`, uint8
            [n, answer_length, 28, 28], or .png with one answer a row.
        seed: of the handwriting or the styles, where some are sampled.

    Raises:
        UserError: not exactly one source of queries, a malformed one, or an option
            that has no effect for this model.
    """
    given = [bool(queries), queries_file is not None, images_file is not None]
    if sum(given) != 1:
        raise UserError(
            f"received {sum(given)} sources of queries; expected exactly one of "
            "QUERY ..., --queries FILE and --images FILE.npz"
        )
    if seed is not None and seed < 0:
        raise UserError(f"seed is {seed}; expected a whole number from 0")
    if out is not None:
        out = Path(out)
        if out.suffix.lower() not in IMAGE_FILES or out.is_dir():
            raise UserError(
                f"cannot write {out}; expected a file name that ends in "
                f"{' or '.join(IMAGE_FILES)}"
            )
    trained = load(model_folder)
    trained.expect("answers_queries", "answering queries")
    samples = trained.spec.takes_images or getattr(trained.config, "has_styles", False)
    if seed and (images_file is not None or not samples):
        raise UserError(
            "--seed has no effect here, as no handwriting is sampled; leave it out"
        )
    if out is not None:
        trained.expect("gives_images", "--out")
    if images_file is not None:
        trained.expect("takes_images", "--images")
        answers = trained.answer_images(read_query_images(images_file))
    else:
        if queries_file is not None:
            parsed = read_queries(queries_file, trained.format)
            queries = format_queries(parsed, trained.format)
        if trained.spec.gives_images:
            _draw_to_file(trained, queries, out, seed or 0)
            return
        answers = trained.answer(queries, seed or 0)
    for text in answers:
        print(text.strip())


def _draw_to_file(
    trained: TrainedSequenceModel, queries: Sequence[str], out: Path | None, seed: int
) -> None:
    if out is None:
        raise UserError(
            f"a {trained.task} model needs --out FILE, {' or '.join(IMAGE_FILES)}, for "
            "its answers"
        )
    images = trained.answer_as_images(queries, seed)
    if out.suffix.lower() == ".png":
        rows = images.swapaxes(1, 2).reshape(-1, GLYPH_SIZE * images.shape[1])
        sheet = Image.fromarray(rows)
        write_atomically(out, lambda file: sheet.save(file, format="PNG"))
    else:
        save_arrays(out, {"images": images})
    print(f"wrote {len(images)} answers to {out}")
