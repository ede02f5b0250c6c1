"""The tasks of sequence models: one specification each, looked up in `TASKS`."""

from dataclasses import asdict, replace
from typing import Any

import keras
import numpy as np

from latent_arithmetic.config import Profile, resolve_schedule
from latent_arithmetic.seq2seq.digit_classifier import (
    DigitClassifier,
    DigitClassifierConfig,
    classifier_examples,
)
from latent_arithmetic.seq2seq.evaluate import AnswerEvaluation
from latent_arithmetic.seq2seq.glyphs import glyph_bank
from latent_arithmetic.seq2seq.image_to_text import (
    ImageToTextConfig,
    build_image_to_text,
)
from latent_arithmetic.seq2seq.queries import (
    decode,
    encode_answers,
    encode_queries,
)
from latent_arithmetic.seq2seq.splits import Split, fingerprint, repeat_until
from latent_arithmetic.seq2seq.text_to_image import (
    TextToImageConfig,
    build_text_to_image,
)
from latent_arithmetic.seq2seq.text_to_text import (
    TextToText,
    TextToTextConfig,
    build_text_model,
    exact_match,
    predict,
)
from latent_arithmetic.training import Validate

EPOCH_QUERIES = 18_000  # shown in an epoch; fewer training queries are repeated
# Styles are fitted to one glyph of each character for so many examples in an epoch.
EXAMPLES_PER_STYLE = 50


def answer_loss() -> keras.losses.Loss:
    """Cross-entropy of every character of the answer, in nats."""
    return keras.losses.SparseCategoricalCrossentropy(from_logits=True)


class SequenceTask:
    """Everything that differs between tasks; this base class has queries as input.

    A new task is an instance in `TASKS`, with a schedule of its name in every profile.
    Its configuration has the fields of `Schedule`, a `seed`, a `weight_decay`, a
    `format`, `resolve(profile)` and `make_split()`. Its model is a `keras.Model` that
    gives answer logits, and has `recognize_queries` if it takes images,
    `answer_as_images` if it gives them, and the methods of `FrozenTextModel` if it
    has a frozen text model.

    Attributes:
        name: as the command line has it.
        config_class: type of its configuration.
        takes_images, gives_images: whether queries may be, and answers are, images.
        answers_queries: whether it answers queries at all.
        classifies_characters: whether it classifies single characters.
    """

    name: str
    config_class: type
    takes_images = False
    gives_images = False
    answers_queries = True
    classifies_characters = False

    @property
    def answers_in_text(self) -> bool:
        """Whether it answers queries in text."""
        return self.answers_queries and not self.gives_images

    def resolve(self, config: Any, profile: Profile) -> Any:
        """The configuration with every default filled in, the schedule's too."""
        schedule = resolve_schedule(config, profile.schedule(self.name))
        return replace(config.resolve(profile), **asdict(schedule))

    def recorded(self, config: Any, split: Split | None) -> dict:
        """What a run records of its configuration; a query file by its content."""
        values = asdict(config)
        if values.get("train_queries") is not None:
            count, checksum = len(split.train), fingerprint(split.train)
            values["train_queries"] = f"{count} queries, SHA-256 {checksum}"
        return values

    def text_config(self, config: Any) -> TextToTextConfig | None:
        """The configuration of the frozen text model; None if there is none."""
        return None

    def build(self, config: Any) -> keras.Model:
        """The untrained model."""
        raise NotImplementedError

    def make_split(self, config: Any) -> Split | None:
        """Training, validation and test queries."""
        return config.make_split()

    def encode(self, config: Any, queries: np.ndarray) -> np.ndarray:
        """Queries [n, 3] as the codes that the model reads."""
        return encode_queries(queries, config.format)

    def training_queries(self, config: Any, queries: np.ndarray) -> np.ndarray:
        """Those of the training queries [n, 3] that are used."""
        return queries

    def epoch_examples(self, profile: Profile) -> int:
        """Examples in an epoch."""
        return min(EPOCH_QUERIES, profile.epoch_examples)

    def examples(self, config: Any, split: Split | None, count: int) -> tuple:
        """Inputs and targets of training, at least `count`.

        So an epoch has the same number of steps however few queries are trained on.
        """
        queries = self.training_queries(config, split.train)
        repeated = repeat_until(queries, count)
        answers = encode_answers(repeated, config.format)
        return self.encode(config, repeated), answers

    def compile_options(self) -> dict:
        """Loss and metrics; none for a model with its own `compute_loss`."""
        return {}

    def validation(self, config: Any, split: Split | None) -> Validate | None:
        """What measures exact-match accuracy and error types on the validation queries,
        if there are any."""
        if not len(split.validation):
            return None
        inputs = self.validation_inputs(self.encode(config, split.validation))

        def validate(model: keras.Model) -> dict[str, float]:
            texts = decode(predict(model, inputs).argmax(axis=-1))
            return AnswerEvaluation(split.validation, texts, config.format).shares()

        return validate

    def validation_inputs(self, codes: np.ndarray) -> np.ndarray:
        """Encoded validation queries as the model's inputs."""
        return codes

    def prepare(self, model: keras.Model, text_model: keras.Model | None) -> None:
        """What is done before training: take over the text model, if there is one."""
        if text_model is not None:
            model.use_text_weights(text_model.encoder_decoder.get_weights())
            model.prepare_training()

    def finish(self, model: keras.Model, profile: Profile) -> None:
        """What is done after training."""


class TextToTextTask(SequenceTask):
    """Queries in text to answers in text."""

    name = "text-to-text"
    config_class = TextToTextConfig

    def build(self, config: TextToTextConfig) -> keras.Model:
        return TextToText(build_text_model(config))

    def encode(self, config: TextToTextConfig, queries: np.ndarray) -> np.ndarray:
        return config.encode(queries)

    def compile_options(self) -> dict:
        # A plain function would become a metric in the first step, traced twice then.
        metric = keras.metrics.MeanMetricWrapper(exact_match, "exact_match")
        return {"loss": answer_loss(), "metrics": [metric]}


class ImageToTextTask(SequenceTask):
    """Queries in handwriting to answers in text."""

    name = "image-to-text"
    config_class = ImageToTextConfig
    takes_images = True

    def text_config(self, config: ImageToTextConfig) -> TextToTextConfig | None:
        return config.text_config()

    def build(self, config: ImageToTextConfig) -> keras.Model:
        return build_image_to_text(config)

    def training_queries(
        self, config: ImageToTextConfig, queries: np.ndarray
    ) -> np.ndarray:
        return config.training_queries(queries)

    def validation_inputs(self, codes: np.ndarray) -> np.ndarray:
        return glyph_bank("validation").sample(codes)


class TextToImageTask(SequenceTask):
    """Queries in text to answers in handwriting."""

    name = "text-to-image"
    config_class = TextToImageConfig
    gives_images = True

    def text_config(self, config: TextToImageConfig) -> TextToTextConfig | None:
        return config.text_config()

    def build(self, config: TextToImageConfig) -> keras.Model:
        return build_text_to_image(config)

    def validation(
        self, config: TextToImageConfig, split: Split | None
    ) -> Validate | None:
        """None: what it draws can only be scored by a digit classifier."""

    def finish(self, model: keras.Model, profile: Profile) -> None:
        """Fit the Gaussian mixtures of styles."""
        count = profile.epoch_examples // EXAMPLES_PER_STYLE
        model.fit_styles(glyph_bank("train"), count)


class DigitClassifierTask(SequenceTask):
    """Single glyphs to characters, or the reject class."""

    name = "digit-classifier"
    config_class = DigitClassifierConfig
    answers_queries = False
    classifies_characters = True

    def build(self, config: DigitClassifierConfig) -> keras.Model:
        return DigitClassifier(config.seed)

    def make_split(self, config: DigitClassifierConfig) -> None:
        """None: it knows no queries."""

    def epoch_examples(self, profile: Profile) -> int:
        return profile.epoch_examples

    def examples(self, config: Any, split: Split | None, count: int) -> tuple:
        return classifier_examples("train")

    def compile_options(self) -> dict:
        return {"loss": answer_loss()}

    def validation(self, config: Any, split: Split | None) -> Validate | None:
        """What measures accuracy on validation characters and rejects."""

        def validate(model: keras.Model) -> dict[str, float]:
            images, codes = classifier_examples("validation")
            predicted = predict(model, images).argmax(axis=-1)
            return {"accuracy": float((predicted == codes).mean())}

        return validate


TASKS = {
    task.name: task
    for task in (
        TextToTextTask(),
        ImageToTextTask(),
        TextToImageTask(),
        DigitClassifierTask(),
    )
}
