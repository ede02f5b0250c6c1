"""Experiments of Task 2: what is trained, measured and recorded of a run."""

import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.config import FULL, Profile, ScheduleConfig
from latent_arithmetic.experiments.base import Experiment, Measurement
from latent_arithmetic.io import plain
from latent_arithmetic.records import Estimate, fraction_of
from latent_arithmetic.seq2seq.baseline import (
    answer_queries,
    per_character_accuracy,
    train_baseline,
)
from latent_arithmetic.seq2seq.classification_score import (
    classification_accuracy_score,
    draw_digits,
)
from latent_arithmetic.seq2seq.digit_classifier import (
    DigitClassifierConfig,
    evaluation_classifier,
)
from latent_arithmetic.seq2seq.evaluate import (
    AnswerEvaluation,
    evaluate,
    repeat_queries,
    trivial_baselines,
)
from latent_arithmetic.seq2seq.finite_machine import check_machine, extract_machine
from latent_arithmetic.seq2seq.length_generalization import (
    exact_matches,
    patterns_seen,
    sample_queries,
    train_column_rnn,
    write_answers,
)
from latent_arithmetic.seq2seq.mnist_addition import (
    MnistAdditionConfig,
    exact_sums,
    train_mnist_addition,
)
from latent_arithmetic.seq2seq.pipeline import (
    TrainedSequenceModel,
    build_model,
    train,
)
from latent_arithmetic.seq2seq.queries import encode_answers
from latent_arithmetic.seq2seq.tasks import TASKS, answer_loss
from latent_arithmetic.seq2seq.text_to_text import TextToTextConfig
from latent_arithmetic.training import History

LONG_DIGITS, LONG_QUERIES = (3, 5, 10, 20, 100), 2_000
SCORE_EPOCHS = 4  # of the classifier of drawn digits
GRADIENT_QUERIES = 512  # of a batch whose gradient is measured


@dataclass(frozen=True)
class ModelExperiment(Experiment):
    """One model of a task, trained and evaluated.

    Args:
        settings: typed configuration of the model, its schedule included.
    """

    settings: ScheduleConfig
    task: str = "text-to-text"

    @property
    def seed(self) -> int:
        return self.settings.seed

    @property
    def purpose(self) -> str:
        percent = round(100 * self.settings.train_fraction)
        split = f"{self.settings.split} split, {percent}% trained on"
        return f"{self.variant or self.task}: exact match, {split}"

    @property
    def config(self) -> dict:
        return {"task": self.task, **plain(asdict(self.settings.resolve()))}


@dataclass(frozen=True)
class TextExperiment(ModelExperiment):
    """A text-to-text model on its test queries, beside the trivial baselines.

    Args:
        variant: what the group is named after.
    """

    variant: str = "encoder-decoder"

    @property
    def group(self) -> str:
        percent = round(100 * self.settings.train_fraction)
        return f"{self.task}-{self.variant}-{self.settings.split}-{percent}"

    def clean(self, work: Path) -> None:
        shutil.rmtree(work / self.name, ignore_errors=True)

    def measure(self, work: Path, profile: Profile) -> Measurement:
        trained = train(
            self.task, work / self.name, profile=profile, config=self.settings
        )
        split = self.settings.make_split()
        test = split.test[: profile.max_test_queries]
        estimates, answers = evaluate(trained, test)
        estimates |= trivial_baselines(split.train, test, trained.format)
        return summarize_trained(trained, estimates, answers)


@dataclass(frozen=True)
class TuningExperiment(TextExperiment):
    """Settings of a text-to-text model, compared on validation queries alone."""

    @property
    def group(self) -> str:
        settings = self.settings
        words = [
            f"encoder-{settings.encoder_layers}-decoder-{settings.decoder_layers}",
            *["residual"] * settings.residual,
            *["normalized"] * settings.layer_normalization,
            f"rate-{settings.learning_rate:g}-decay-{settings.weight_decay:g}",
            f"epochs-{settings.epochs}",
        ]
        percent = round(100 * settings.train_fraction)
        return f"tuning-{self.task}-{percent}-{'-'.join(words)}"

    @property
    def purpose(self) -> str:
        return "settings compared by validation queries"

    def measure(self, work: Path, profile: Profile) -> Measurement:
        trained = train(
            self.task, work / self.name, profile=profile, config=self.settings
        )
        queries = self.settings.make_split().validation
        return summarize_trained(trained, *evaluate(trained, queries))


@dataclass(frozen=True)
class DepthExperiment(TextExperiment):
    """A text-to-text model, and how far the first gradient reaches into it."""

    def measure(self, work: Path, profile: Profile) -> Measurement:
        found = super().measure(work, profile)
        found.details["first_gradients"] = first_gradients(self.settings)
        return found


def first_gradients(config: TextToTextConfig) -> dict[str, float]:
    """Norm of the loss's gradient in every LSTM layer of an untrained model.

    It is the step of plain gradient descent with the learning rate 1, so that any
    backend can measure it.

    Returns:
        By layer, the encoder's first layer first.
    """
    spec, queries = TASKS["text-to-text"], config.make_split().train[:GRADIENT_QUERIES]
    model = build_model("text-to-text", config)
    rnns = [
        layer
        for layer in model.encoder_decoder.layers
        if isinstance(layer, keras.layers.LSTM | keras.layers.Bidirectional)
    ]
    before = [layer.get_weights() for layer in rnns]
    model.compile(keras.optimizers.SGD(1.0), answer_loss())
    model.train_on_batch(
        spec.encode(config, queries), encode_answers(queries, config.format)
    )
    norms = [
        np.sqrt(
            sum(
                np.square(new - old).sum()
                for new, old in zip(layer.get_weights(), weights, strict=True)
            )
        )
        for layer, weights in zip(rnns, before, strict=True)
    ]
    return {f"layer {place}": float(norm) for place, norm in enumerate(norms, 1)}


@dataclass(frozen=True)
class BaselineExperiment(TextExperiment):
    """The assignment's text-to-text model on its test queries."""

    variant: str = "baseline"

    def measure(self, work: Path, profile: Profile) -> Measurement:
        model, history = train_baseline(work / self.name, self.settings)
        split, query_format = self.settings.make_split(), self.settings.format
        test = split.test[: profile.max_test_queries]
        answers = answer_queries(model, test, query_format)
        estimates = answers.estimates() | trivial_baselines(
            split.train, test, query_format
        )
        per_character = per_character_accuracy(model, test, query_format)
        estimates["per_character_accuracy"] = per_character
        return summarize(model.count_params(), history, estimates, answers)


@dataclass(frozen=True)
class HandwritingExperiment(ModelExperiment):
    """An image-to-text or text-to-image model on its test queries."""

    variant: str = ""

    @property
    def group(self) -> str:
        return f"{self.task}-{self.variant}"

    def train(self, work: Path, profile: Profile) -> TrainedSequenceModel:
        """Train the model, or load it if it is trained already; it is kept."""
        text_folder, text_config = None, self.settings.text_config()
        if text_config is not None:
            text_folder = work / f"frozen-text-to-text-seed-{self.seed}"
            train("text-to-text", text_folder, profile=profile, config=text_config)
        return train(
            self.task,
            work / self.name,
            profile=profile,
            config=self.settings,
            text_folder=text_folder,
        )

    def measure(self, work: Path, profile: Profile) -> Measurement:
        trained = self.train(work, profile)
        return self._evaluate(trained, self.settings.make_split().test, work, profile)

    def _evaluate(
        self,
        trained: TrainedSequenceModel,
        test: np.ndarray,
        work: Path,
        profile: Profile,
    ) -> Measurement:
        test = repeat_queries(test, profile.max_test_queries)
        evaluated = evaluate(trained, test, evaluation_classifier())
        found = summarize_trained(trained, *evaluated)
        if trained.spec.gives_images and trained.config.uses_text_model:
            # An end-to-end model draws answers only, no digit that it is given.
            score = self._score_digits(trained, work / f"{self.name}-score", profile)
            found.estimates["classification_accuracy_score"] = score
        return found

    def _score_digits(
        self, trained: TrainedSequenceModel, folder: Path, profile: Profile
    ) -> Estimate:
        images, codes = draw_digits(trained.model, profile.epoch_examples)
        config = DigitClassifierConfig(seed=self.seed, epochs=SCORE_EPOCHS)
        config = TASKS["digit-classifier"].resolve(config, profile)
        score = classification_accuracy_score(images, codes, folder, config)
        shutil.rmtree(folder)
        return score


@dataclass(frozen=True)
class LengthExperiment(ModelExperiment):
    """A column-wise RNN trained on few digits, tested on numbers of up to 100."""

    task: str = "length-generalization"

    @property
    def group(self) -> str:
        return f"{self.task}-{self.settings.cell}-{self.settings.max_digits}-digits"

    @property
    def purpose(self) -> str:
        digits = self.settings.max_digits
        return f"exact match on numbers of up to 100 digits, {digits} trained on"

    def clean(self, work: Path) -> None:
        shutil.rmtree(work / self.name, ignore_errors=True)

    def measure(self, work: Path, profile: Profile) -> Measurement:
        folder = work / self.name
        model, history = train_column_rnn(folder, self.settings)
        test = self.settings.make_split().test[: profile.max_test_queries]
        estimates = {"exact_match": fraction_of(exact_matches(model, test.tolist()))}
        for digits in LONG_DIGITS:
            estimates |= self._evaluate(model, digits, profile)
        details = {"parameters": model.count_params()}
        if self.settings.cell == "finite-state":
            machine = extract_machine(model.layers[-1])
            queries = sample_queries(LONG_DIGITS[-1], LONG_QUERIES, self.seed)
            expected = write_answers(queries, machine.answer(queries).shape[1])
            right = (machine.answer(queries) == expected).all(axis=1)
            estimates[f"machine_{LONG_DIGITS[-1]}_digits"] = fraction_of(right)
            details["machine"] = check_machine(machine).summary()
        return Measurement(estimates, details, history.seconds)

    def _evaluate(
        self, model: keras.Model, digits: int, profile: Profile
    ) -> dict[str, Estimate]:
        """Exact-match accuracy on numbers of so many digits: all, sums, differences,
        and, trained on two, by whether two digits show every column pattern."""
        count = min(LONG_QUERIES, profile.max_test_queries)
        queries = sample_queries(digits, count, self.seed)
        right = exact_matches(model, queries)
        sums = np.array([sign > 0 for _, sign, _ in queries])
        parts = {"": np.ones(count, bool), "_sums": sums, "_differences": ~sums}
        estimates = {}
        if self.settings.max_digits == 2:
            seen = patterns_seen(queries)
            parts |= {"_seen_patterns": seen, "_unseen_patterns": ~seen}
            estimates[f"{digits}_digits_seen_patterns_fraction"] = fraction_of(seen)
        for name, part in parts.items():
            if part.any():
                estimates[f"{digits}_digits{name}"] = fraction_of(right[part])
        return estimates


@dataclass(frozen=True)
class MnistAdditionExperiment(Experiment):
    """MNIST addition on all test images, each used once."""

    settings: MnistAdditionConfig

    @property
    def seed(self) -> int:
        return self.settings.seed

    @property
    def group(self) -> str:
        tuning = "tuning-" if self.settings.held_out else ""
        return f"{tuning}mnist-addition-{self.settings.adder}-{self.settings.digits}"

    @property
    def purpose(self) -> str:
        return f"sums of {self.settings.digits}-digit numbers in MNIST images"

    @property
    def config(self) -> dict:
        settings = plain(asdict(self.settings))
        settings["batch_size"] = self.settings.sums_in_a_batch
        return {"task": "mnist-addition", **settings}

    def clean(self, work: Path) -> None:
        shutil.rmtree(work / self.name, ignore_errors=True)

    def measure(self, work: Path, profile: Profile) -> Measurement:
        settings = self.settings
        if profile.epoch_examples < FULL.epoch_examples:
            settings = replace(settings, epochs=1)
        model, history = train_mnist_addition(work / self.name, settings)
        split = "validation" if settings.held_out else "test"
        right = exact_sums(model, split, settings.digits)
        details = {"parameters": model.count_params(), "validation": history.validation}
        return Measurement(
            {"exact_match": fraction_of(right)}, details, history.seconds
        )


def summarize(
    parameters: int,
    history: History,
    estimates: dict[str, Estimate],
    answers: AnswerEvaluation,
) -> Measurement:
    """What is recorded of a trained model and its answers."""
    details = {
        "error_types": answers.count_error_types(),
        "validation": history.validation,
        "last_losses": {name: values[-1] for name, values in history.losses.items()},
        "parameters": parameters,
    }
    return Measurement(estimates, details, history.seconds)


def summarize_trained(
    trained: TrainedSequenceModel,
    estimates: dict[str, Estimate],
    answers: AnswerEvaluation,
) -> Measurement:
    """The same of a model that the pipeline trained."""
    parameters, history = trained.model.count_params(), trained.run.history
    return summarize(parameters, history, estimates, answers)
