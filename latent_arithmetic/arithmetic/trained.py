"""A finished model of Task 2: built from its settings, loaded, asked."""

from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.arithmetic.choices import (
    PAINTINGS,
    READINGS,
    SUPERVISIONS,
    TASKS,
)
from latent_arithmetic.arithmetic.columns import GUESS
from latent_arithmetic.arithmetic.designs import build_text_design, encode_for
from latent_arithmetic.arithmetic.glyphs import GLYPH_SIZE, FreshGlyphs, glyph_bank
from latent_arithmetic.arithmetic.image_to_text import ImageToText, StraightImageToText
from latent_arithmetic.arithmetic.models import PREDICT_BATCH, TextToText, predict
from latent_arithmetic.arithmetic.questions import (
    QuestionFormat,
    decode,
    parse_questions,
)
from latent_arithmetic.arithmetic.reader import Reader
from latent_arithmetic.arithmetic.text_to_image import TextToImage
from latent_arithmetic.errors import UserError, expect_one_of
from latent_arithmetic.runs import RunRecord, read_run


@dataclass(frozen=True)
class Trained:
    """A finished model of Task 2 and what its run recorded."""

    task: str
    model: keras.Model
    settings: dict
    run: RunRecord

    @property
    def form(self) -> QuestionFormat:
        """How long its questions and answers are."""
        return QuestionFormat(self.settings["max_digits"])

    def answer(self, questions: list[str], seed: int = 0) -> list[str]:
        """The answers to questions such as '81+24', as texts of equal length.

        An image-to-text model sees them in handwriting of MNIST's test digits.

        Raises:
            UserError: a question is malformed, or the model does not answer in text.
        """
        self._expect("text-to-text", "image-to-text")
        codes = self._encode(questions)
        if self.task == "image-to-text":
            return self.answer_images(glyph_bank("test").draw(codes, seed))
        return self._predict(codes)

    def answer_images(self, images: np.ndarray) -> list[str]:
        """The answers to questions in handwriting, uint8 [n, 5, 28, 28].

        Raises:
            UserError: the model reads no images, or their shape or type is wrong.
        """
        self._expect("image-to-text")
        wanted = (self.form.question_length, GLYPH_SIZE, GLYPH_SIZE)
        if images.shape[1:] != wanted or images.dtype != np.uint8:
            raise UserError(
                f"received images of shape {list(images.shape)} and type "
                f"{images.dtype}; expected uint8 {['n', *wanted]}, white on black"
            )
        return self._predict(images)

    def draw(self, questions: list[str], seed: int = 0) -> np.ndarray:
        """Answers in handwriting: uint8 [n, 3, 28, 28]; the seed chooses the styles.

        Raises:
            UserError: a question is malformed, or the model does not paint.
        """
        self._expect("text-to-image")
        codes = self._encode(questions)
        if not len(codes):
            return np.zeros(
                (0, self.form.answer_length, GLYPH_SIZE, GLYPH_SIZE), "uint8"
            )
        content = predict(self.model, codes)
        generator = np.random.default_rng(seed)
        styles = self.model.draw_styles(content.argmax(axis=-1), generator)
        return self.paint(content, styles)

    def paint(self, content: np.ndarray, styles: np.ndarray) -> np.ndarray:
        """Pictures uint8 [n, k, 28, 28] of what to write and in which styles.

        content: probabilities [n, k, 13]. styles: [n, k, 24], see `draw_styles`.
        """
        pictures = np.zeros((*styles.shape[:2], GLYPH_SIZE, GLYPH_SIZE), "uint8")
        for start in range(0, len(content), PREDICT_BATCH):
            part = slice(start, start + PREDICT_BATCH)
            pixels = self.model.paint(content[part], styles[part])
            pictures[part] = np.round(keras.ops.convert_to_numpy(pixels) * 255)
        return pictures

    def with_text(self, text: "Trained") -> "Trained":
        """The same eye or painter with the arithmetic of another text-to-text model."""
        lent = ("max_digits", "design", "encoder_layers", "decoder_layers")
        settings = self.settings | {name: text.settings[name] for name in lent}
        model = build_model(self.task, settings)
        model.encoder_decoder.set_weights(text.model.encoder_decoder.get_weights())
        pairs = zip(_own_variables(model), _own_variables(self.model), strict=True)
        for variable, other in pairs:
            variable.assign(other)
        return Trained(self.task, model, settings, self.run)

    def _encode(self, questions: list[str]) -> np.ndarray:
        parsed = parse_questions(questions, self.form)
        return encode_for(self.settings["design"], parsed, self.form)

    def _predict(self, questions: np.ndarray) -> list[str]:
        if not len(questions):
            return []
        return decode(predict(self.model, questions).argmax(axis=-1))

    def _expect(self, *tasks: str) -> None:
        if self.task not in tasks:
            raise UserError(
                f"this is a {self.task} model; expected one of {', '.join(tasks)}"
            )


def _own_variables(model: keras.Model) -> list[keras.Variable]:
    """Those of a model with pictures that are not its encoder-decoder's."""
    lent = {id(variable) for variable in model.encoder_decoder.variables}
    return [variable for variable in model.variables if id(variable) not in lent]


def build_model(task: str, settings: dict) -> keras.Model:
    """The untrained model of a task.

    Raises:
        UserError: there is no such task, or a number of layers is below 1.
    """
    expect_one_of("task", task, TASKS)
    seed = settings["seed"]
    keras.utils.set_random_seed(seed)
    if task == "reader":
        return Reader(seed)
    for name in ("encoder_layers", "decoder_layers"):
        if settings[name] < 1:
            raise UserError(f"{name} is {settings[name]}; expected 1 or more")
    form, design = QuestionFormat(settings["max_digits"]), settings["design"]
    text = build_text_design(
        design,
        form,
        settings["encoder_layers"],
        settings["decoder_layers"],
        settings.get("alignment", GUESS),
    )
    if task == "text-to-text":
        return TextToText(text)
    if design == "place-aligned":
        raise UserError(
            "the place-aligned design reads columns; it is for text-to-text"
        )
    if task == "image-to-text":
        return _build_image_to_text(settings, text, form)
    expect_one_of("painting", settings["painting"], PAINTINGS)
    glyphs = FreshGlyphs(glyph_bank("train"), warp=False, seed=seed)
    return TextToImage(text, glyphs, settings["painting"], seed)


def _build_image_to_text(
    settings: dict, text: keras.Model, form: QuestionFormat
) -> keras.Model:
    reading, supervision = settings["reading"], settings["supervision"]
    expect_one_of("reading", reading, READINGS)
    expect_one_of("supervision", supervision, SUPERVISIONS)
    glyphs = FreshGlyphs(glyph_bank("train"), seed=settings["seed"])
    if reading != "eye":
        return StraightImageToText(glyphs, reading, form)
    return ImageToText(text, glyphs, form, supervision)


def load_trained(folder: Path) -> Trained:
    """The finished run in `folder`.

    Raises:
        UserError: there is none, it is damaged, or it belongs to another task.
    """
    run = read_run(Path(folder))
    if run.task not in TASKS:
        expected = ", ".join(TASKS)
        raise UserError(f"{folder} holds a {run.task} model; expected {expected}")
    model = run.load_weights(build_model(run.task, run.settings))
    return Trained(run.task, model, run.settings, run)
