"""Experiments of Task 2: the runs its tables consist of, and what they measure."""

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.config import FULL, Profile, Schedule, ScheduleConfig
from latent_arithmetic.experiments.base import Experiment, Measurement
from latent_arithmetic.io import plain
from latent_arithmetic.records import Estimate, fraction_of
from latent_arithmetic.seq2seq.baseline import (
    BaselineConfig,
    answer_queries,
    per_character_accuracy,
    train_baseline,
)
from latent_arithmetic.seq2seq.evaluate import (
    AnswerEvaluation,
    evaluate,
    repeat_queries,
    trivial_baselines,
)
from latent_arithmetic.seq2seq.image_to_text import (
    END_TO_END,
    MODULAR,
)
from latent_arithmetic.seq2seq.length_generalization import (
    CELLS,
    LengthGeneralizationConfig,
    exact_matches,
    patterns_seen,
    sample_queries,
    train_column_rnn,
)
from latent_arithmetic.seq2seq.pipeline import TrainedSequenceModel, train
from latent_arithmetic.seq2seq.tasks import TASKS
from latent_arithmetic.seq2seq.text_to_text import TextToTextConfig
from latent_arithmetic.training import History

GROUPED, SQUARED_ERROR = "commutative-grouped", "mean-squared-error"
MODULAR_SCHEDULE = Schedule(epochs=20, batch_size=64, learning_rate=4e-3)
# Seed 0 was used to choose settings, by its validation queries.
TUNING_SEED, SEEDS, MORE_SEEDS = 0, (1, 2, 3), (4, 5)
# Fractions with five seeds.
HEADLINES = (0.9, 0.5, 0.1)
LONG_DIGITS, LONG_QUERIES = (3, 5, 10, 20, 100), 2_000
CLASSIFIER_SEED = 1  # one digit classifier scores all text-to-image models


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
        return f"exact match, {self.settings.split} split, {percent}% trained on"

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
        parts = {
            "encoder": settings.encoder_layers,
            "decoder": settings.decoder_layers,
            "rate": settings.learning_rate,
            "decay": settings.weight_decay,
            "epochs": settings.epochs,
        }
        percent = round(100 * settings.train_fraction)
        values = "-".join(f"{name}-{value:g}" for name, value in parts.items())
        return f"tuning-{self.task}-{percent}-{values}"

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
class BaselineExperiment(ModelExperiment):
    """The assignment's text-to-text model on its test queries."""

    variant: str = "baseline"

    @property
    def group(self) -> str:
        percent = round(100 * self.settings.train_fraction)
        return f"{self.task}-{self.variant}-{self.settings.split}-{percent}"

    def clean(self, work: Path) -> None:
        shutil.rmtree(work / self.name, ignore_errors=True)

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
        test, classifier = repeat_queries(test, profile.max_test_queries), None
        if trained.spec.gives_images:
            folder = work / "digit-classifier"
            classifier = train(
                "digit-classifier", folder, profile=profile, seed=CLASSIFIER_SEED
            )
        return summarize_trained(trained, *evaluate(trained, test, classifier))


@dataclass(frozen=True)
class LengthExperiment(ModelExperiment):
    """A column-wise RNN trained on two digits, tested on numbers of up to 100."""

    task: str = "length-generalization"

    @property
    def group(self) -> str:
        return f"{self.task}-{self.settings.cell}"

    @property
    def purpose(self) -> str:
        return "exact match on numbers of up to 100 digits, two trained on"

    def clean(self, work: Path) -> None:
        shutil.rmtree(work / self.name, ignore_errors=True)

    def measure(self, work: Path, profile: Profile) -> Measurement:
        folder = work / self.name
        model, history = train_column_rnn(folder, self.settings)
        test = self.settings.make_split().test
        estimates = {"exact_match": fraction_of(exact_matches(model, test.tolist()))}
        for digits in LONG_DIGITS:
            estimates |= self._evaluate(model, digits, profile)
        details = {"parameters": model.count_params()}
        return Measurement(estimates, details, history.seconds)

    def _evaluate(
        self, model: keras.Model, digits: int, profile: Profile
    ) -> dict[str, Estimate]:
        """Exact-match accuracy on numbers of so many digits: all, sums, differences,
        and by whether two digits show every column pattern."""
        count = min(LONG_QUERIES, profile.max_test_queries)
        queries = sample_queries(digits, count, self.seed)
        right, seen = exact_matches(model, queries), patterns_seen(queries)
        sums = np.array([sign > 0 for _, sign, _ in queries])
        parts = {
            "": np.ones(count, bool),
            "_sums": sums,
            "_differences": ~sums,
            "_seen_patterns": seen,
            "_unseen_patterns": ~seen,
        }
        estimates = {f"{digits}_digits_seen_patterns_fraction": fraction_of(seen)}
        for name, part in parts.items():
            if part.any():
                estimates[f"{digits}_digits{name}"] = fraction_of(right[part])
        return estimates


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


def _text(
    variant: str = "encoder-decoder",
    kind: type[TextExperiment] = TextExperiment,
    **settings,
) -> TextExperiment:
    """A text-to-text experiment; its schedule is that of the profile "full"."""
    config = TextToTextConfig(**asdict(FULL.text_to_text) | settings)
    return kind(config, variant=variant)


def _image(
    task: str, variant: str, schedule: Schedule | None = None, **settings
) -> HandwritingExperiment:
    schedule = schedule or FULL.schedule(task)
    config = TASKS[task].config_class(**asdict(schedule) | settings)
    return HandwritingExperiment(config, task, variant)


def split_experiments() -> list[TextExperiment]:
    """The default text-to-text model: both splits, all fractions; seed by seed."""
    return [
        _text(seed=seed, train_fraction=fraction, split=split)
        for seed in SEEDS + MORE_SEEDS
        for split in ("random", GROUPED)
        for fraction in FULL.train_fractions
        if seed in SEEDS or fraction in HEADLINES
    ]


def order_experiments() -> list[TextExperiment]:
    """The same, writing left to right, and reading characters in a shuffled order."""
    variants = {
        "left-to-right": dict(answer_order="left-to-right"),
        "shuffled-query": dict(query_order="shuffled"),
    }
    return [
        _text(variant, seed=seed, train_fraction=fraction, **settings)
        for seed in SEEDS
        for variant, settings in variants.items()
        for fraction in HEADLINES
    ]


def baseline_experiments() -> list[BaselineExperiment]:
    """The assignment's model: as many steps as ours, and trained to convergence."""
    variants = {"baseline": 15, "baseline-100-epochs": 100}
    return [
        BaselineExperiment(
            BaselineConfig(seed=seed, train_fraction=fraction, epochs=epochs),
            variant=variant,
        )
        for seed in SEEDS
        for variant, epochs in variants.items()
        for fraction in HEADLINES
    ]


def tuning_experiments() -> list[TextExperiment]:
    """Settings tried with few training queries, chosen by validation queries."""
    tried = [
        # fraction, encoder and decoder layers, learning rate, weight decay, epochs
        (0.1, 1, 1, 1e-2, 0.1, 60),
    ]
    return [
        _text(
            kind=TuningExperiment,
            seed=TUNING_SEED,
            train_fraction=fraction,
            encoder_layers=encoder,
            decoder_layers=decoder,
            learning_rate=rate,
            weight_decay=decay,
            epochs=epochs,
        )
        for fraction, encoder, decoder, rate, decay, epochs in tried
    ]


def image_to_text_experiments() -> list[HandwritingExperiment]:
    """The end-to-end models with the same schedule, and the modular one."""
    task, labels = "image-to-text", dict(supervision="characters")
    modular = dict(architecture=MODULAR, schedule=MODULAR_SCHEDULE)
    return [
        *(
            _image(task, name, seed=seed, architecture=name)
            for seed in SEEDS
            for name in END_TO_END
        ),
        *(_image(task, "modular-answers", seed=seed, **modular) for seed in SEEDS),
        *(
            _image(task, "modular-characters", seed=seed, **modular, **labels)
            for seed in SEEDS
        ),
    ]


def text_to_image_experiments() -> list[HandwritingExperiment]:
    """The conditional VAE and the squared error, around the same text model."""
    return [
        _image("text-to-image", decoder, seed=seed, decoder=decoder)
        for seed in SEEDS
        for decoder in ("conditional-vae", SQUARED_ERROR)
    ]


def depth_experiments() -> list[TextExperiment]:
    """Encoder depths with one decoder layer, decoder depths with one encoder layer."""
    depths = FULL.depths
    pairs = [(depth, 1) for depth in depths] + [(1, depth) for depth in depths[1:]]
    return [
        _text(
            f"depth-encoder-{encoder}-decoder-{decoder}",
            seed=seed,
            train_fraction=0.5,
            encoder_layers=encoder,
            decoder_layers=decoder,
        )
        for seed in SEEDS
        for encoder, decoder in pairs
    ]


def three_digit_experiments() -> list[TextExperiment]:
    """Numbers of up to three digits."""
    return [
        _text("encoder-decoder-three-digits", seed=seed, max_digits=3)
        for seed in SEEDS + MORE_SEEDS
    ]


def length_experiments() -> list[LengthExperiment]:
    """Numbers of up to 100 digits."""
    return [
        LengthExperiment(LengthGeneralizationConfig(seed=seed, cell=cell))
        for seed in SEEDS
        for cell in CELLS
    ]


def all_experiments() -> list[Experiment]:
    """All experiments of Task 2; the headlines first."""
    return [
        *split_experiments(),
        *order_experiments(),
        *baseline_experiments(),
        *tuning_experiments(),
        *image_to_text_experiments(),
        *text_to_image_experiments(),
        *depth_experiments(),
        *three_digit_experiments(),
        *length_experiments(),
    ]
