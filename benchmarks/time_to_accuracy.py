"""Time to 99% exact-match accuracy of text-to-text, with 90% of queries trained on.

The clock runs from the queries to the first check at which the threshold is reached:
encoding, building, compiling and training. Checks, on 500 validation queries, are
outside the clock for all models. All are trained on the same queries by plain `fit` on
arrays.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import keras
import numpy as np

from benchmarks.measure import (
    Attempt,
    BenchmarkConfig,
    Check,
    Result,
    Stopwatch,
    finish_attempt,
    missed_note,
)
from latent_arithmetic.console import progress_bar
from latent_arithmetic.seq2seq.baseline import build_baseline, encode_text
from latent_arithmetic.seq2seq.queries import encode_answers, encode_queries
from latent_arithmetic.seq2seq.splits import Split
from latent_arithmetic.seq2seq.tasks import answer_loss
from latent_arithmetic.seq2seq.text_to_text import (
    TextToText,
    TextToTextConfig,
    build_text_model,
    predict,
)
from latent_arithmetic.training import adamw, jit_compile

THRESHOLD = 0.99  # exact-match accuracy
TRAIN_FRACTION = 0.9
NOTE = (
    "Time to 99% exact match on 500 validation queries, 90% of 20,000 queries trained "
    "on. Checks are outside the clock; the baseline is checked after every epoch, the "
    "other models every few steps. `first_call` counts encoding, building and the "
    "first step, which compiles; `steady_state` does not. Schedules were chosen by the "
    "validation queries of seed 0; repeats have seeds from 1. All models take turns in "
    "one process. The encoder-decoder, with two encoder layers and one decoder layer, "
    "is given nothing; its decoder writes the units first."
)


@dataclass(frozen=True)
class ShortSchedule:
    """How a model is trained when it has to be quick.

    Args:
        weight_decay: of AdamW; much is for few queries, and slows the start.
        steps: of the whole cosine schedule, and at most.
        every: steps between checks.
    """

    batch_size: int
    learning_rate: float
    weight_decay: float
    steps: int
    every: int


# Chosen by the validation queries of seed 0.
SCHEDULES = {
    "encoder-decoder": ShortSchedule(128, 1e-2, 0.1, steps=850, every=25),
}
LAYERS = dict(encoder_layers=2, decoder_layers=1)


@dataclass(frozen=True)
class Training:
    """A compiled model with what it is trained on.

    Args:
        steps: at most.
        every: steps between checks.
        encode: queries [n, 3] to inputs and to answer codes [n, 3].
    """

    model: keras.Model
    inputs: np.ndarray
    targets: np.ndarray
    batch_size: int
    steps: int
    every: int
    encode: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

    def exact_match(self, queries: np.ndarray) -> float:
        """The fraction of queries answered exactly, in [0, 1]."""
        inputs, answers = self.encode(queries)
        predicted = predict(self.model, inputs).argmax(axis=-1)
        return float((predicted == answers).all(axis=-1).mean())


def prepare_baseline(split: Split, seed: int, config: BenchmarkConfig) -> Training:
    """The assignment's model as it is, checked after every epoch."""
    keras.utils.set_random_seed(seed)
    inputs, targets = encode_text(split.train)
    batch_size = config.baseline_batch_size
    every = -(-len(inputs) // batch_size)  # once an epoch

    def encode(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        codes, answers = encode_text(queries)
        return codes, answers.argmax(axis=-1)

    model, steps = build_baseline(), config.baseline_epochs * every
    model.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    return Training(model, inputs, targets, batch_size, steps, every, encode)


def prepare_text_model(
    split: Split, seed: int, name: str, schedule: ShortSchedule | None = None
) -> Training:
    """A text-to-text model with a short schedule, one of `SCHEDULES`."""
    schedule = schedule or SCHEDULES[name]
    keras.utils.set_random_seed(seed)

    def encode(queries: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return encode_queries(queries), encode_answers(queries)

    model = TextToText(build_text_model(TextToTextConfig(**LAYERS)))
    optimizer = adamw(schedule, schedule.steps)
    model.compile(optimizer, answer_loss(), jit_compile=jit_compile())
    size, steps, every = schedule.batch_size, schedule.steps, schedule.every
    return Training(model, *encode(split.train), size, steps, every, encode)


class StopAtGoal(keras.callbacks.Callback):
    """Measures a model in training, outside the clock, and stops it at the goal.

    Args:
        measure: the model -> a value.
        is_reached: whether a value is good enough.
        steps: of the whole training; it ends there.
        every: steps between measurements.

    Attributes:
        checks: all measurements.
        first_step_seconds: until the end of the first step, which compiles.
    """

    def __init__(
        self,
        watch: Stopwatch,
        title: str,
        *,
        measure: Callable[[keras.Model], float],
        is_reached: Callable[[float], bool],
        steps: int,
        every: int,
    ):
        super().__init__()
        self.watch, self.measure, self.is_reached = watch, measure, is_reached
        self.steps, self.every = steps, every
        self.bar = progress_bar(steps, title)
        self.checks: list[Check] = []
        self.first_step_seconds = 0.0

    def on_train_batch_end(self, batch, logs=None):
        float(logs["loss"])  # the step is over only when its loss is known
        self.bar.update()
        step = self.bar.n
        if step == 1:
            self.first_step_seconds = self.watch.seconds
        last = step >= self.steps
        if step % self.every and not last:
            return
        with self.watch.paused() as seconds:
            value = self.measure(self.model)  # on JAX, this brings it up to date
        self.checks.append(Check(step, seconds, value))
        self.bar.set_postfix(value=f"{value:.4g}", seconds=f"{seconds:.0f}")
        if last or self.is_reached(value):
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.bar.close()


def train_to_threshold(
    title: str, prepare: Callable[[], Training], split: Split, seed: int
) -> Attempt:
    """Train until the threshold or the last step, with the clock running."""
    keras.utils.clear_session()
    watch = Stopwatch()
    training = prepare()
    stop = StopAtGoal(
        watch,
        f"{title}, seed {seed}",
        measure=lambda model: training.exact_match(split.validation),
        is_reached=lambda value: value >= THRESHOLD,
        steps=training.steps,
        every=training.every,
    )
    training.model.fit(
        training.inputs,
        training.targets,
        batch_size=training.batch_size,
        epochs=-(-training.steps * training.batch_size // len(training.inputs)),
        callbacks=[stop],
        verbose=0,
    )
    test, preparation = training.exact_match(split.test), stop.first_step_seconds
    return finish_attempt(title, seed, stop.checks[-1], THRESHOLD, preparation, test)


def warm_up() -> None:
    """Do what only the first model of a process has to wait for, outside any clock."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.zeros((32, 1)), np.zeros((32, 1)), verbose=0)


def run(config: BenchmarkConfig) -> Result:
    """All models in turns, each with seeds 1, 2, ..."""
    warm_up()
    attempts: dict[str, list[Attempt]] = {"baseline": []}
    attempts |= {name: [] for name in SCHEDULES}
    for seed in range(1, config.repeats + 1):
        queries = TextToTextConfig(seed=seed, train_fraction=TRAIN_FRACTION)
        split = queries.make_split()
        for name, done in attempts.items():

            def prepare(name=name, split=split, seed=seed) -> Training:
                if name == "baseline":
                    return prepare_baseline(split, seed, config)
                return prepare_text_model(split, seed, name)

            done.append(train_to_threshold(name, prepare, split, seed))
    return summarize(attempts, len(split.validation), config)


def summarize(
    attempts: dict[str, list[Attempt]], n: int, config: BenchmarkConfig
) -> Result:
    """Two estimates each: with and without the time to the first step's end.

    Args:
        n: queries in a check.
    """
    about = {"threshold": THRESHOLD, "train_fraction": TRAIN_FRACTION}
    about["baseline_epochs"] = config.baseline_epochs
    about["baseline_batch_size"] = config.baseline_batch_size
    about |= {name: asdict(schedule) for name, schedule in SCHEDULES.items()}
    repeats = {name: list(map(asdict, done)) for name, done in attempts.items()}
    result = Result(NOTE, about, repeats)
    bound = ">" if missed_note(attempts["baseline"]) else ""
    times = {"first_call": "seconds", "steady_state": "steady_state_seconds"}
    for prefix, column in times.items():
        for name, done in attempts.items():
            key, missed = f"{prefix}_{name.replace('-', '_')}", missed_note(done)
            result.add(key, [getattr(one, column) for one in done], "s", n, missed)
            if name != "baseline" and not missed:
                result.add_ratio(key, f"{prefix}_baseline", bound=bound)
    return result
