"""Time to 99% exact answers at 90% train: the baseline, and ours in two designs.

The clock runs from the questions to the first check over the threshold: encoding,
building, compiling and training. Checks, on 500 validation questions, are outside the
clock for all. All three are trained on the same questions by plain `fit` on arrays.
"""

from collections.abc import Callable
from dataclasses import dataclass

import keras
import numpy as np

from benchmarks import course_baseline
from benchmarks.measure import (
    Attempt,
    Check,
    Row,
    Stopwatch,
    attempt_from,
    ratio_text,
    spread,
)
from latent_arithmetic.arithmetic.designs import (
    build_text_design,
    encode_for,
    find_recipe,
)
from latent_arithmetic.arithmetic.lessons import Lesson, Split
from latent_arithmetic.arithmetic.models import TextToText, predict
from latent_arithmetic.arithmetic.questions import encode_answers
from latent_arithmetic.arithmetic.tasks import CLIP_NORM
from latent_arithmetic.progress import progress_bar, say
from latent_arithmetic.training import cosine_schedule

THRESHOLD = 0.99  # exact answers
TRAIN_FRACTION = 0.9
NOTE = (
    "Time to 99% exact answers on 500 validation questions, 90% of 20,000 trained on. "
    "Checks are outside the clock; the baseline is checked after every epoch, ours "
    "every few steps. Cold counts encoding, building and the first step, which "
    "compiles; warm does not. Ours is tuned by the validation questions of seed 0; "
    "repeats have seeds from 1. Baseline and ours take turns in one process."
)


@dataclass(frozen=True)
class Sprint:
    """How ours is trained when it has to be quick.

    weight_decay: of AdamW; much is for few questions, and slows the start.
    steps: of the whole cosine schedule, and at most. every: steps between checks.
    """

    batch_size: int
    learning_rate: float
    weight_decay: float
    steps: int
    every: int


# Chosen by the validation questions of seed 0.
SPRINTS = {
    "attention": Sprint(32, 1e-2, 0.1, steps=1_500, every=25),
    "place-aligned": Sprint(32, 1e-2, 0.1, steps=1_200, every=25),
}


@dataclass(frozen=True)
class Runner:
    """A compiled model with what it is trained on.

    encode: questions [n, 3] to inputs and to answer codes [n, 3].
    every: steps between checks. steps: at most.
    """

    model: keras.Model
    inputs: np.ndarray
    targets: np.ndarray
    batch_size: int
    every: int
    steps: int
    encode: Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

    def exact(self, questions: np.ndarray) -> float:
        """The share of exact answers, in [0, 1]."""
        inputs, answers = self.encode(questions)
        written = predict(self.model, inputs).argmax(axis=-1)
        return float((written == answers).all(axis=-1).mean())


def enter_baseline(
    parts: Split,
    seed: int,
    epochs: int = course_baseline.EPOCHS,
    batch_size: int = course_baseline.BATCH_SIZE,
) -> Runner:
    """The course baseline at its plain settings, checked after every epoch."""
    keras.utils.set_random_seed(seed)
    inputs, targets = course_baseline.encode_text(parts.train)
    steps = -(-len(inputs) // batch_size)

    def encode(questions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        asked, answers = course_baseline.encode_text(questions)
        return asked, answers.argmax(axis=-1)

    model = course_baseline.build_text_model()
    return Runner(model, inputs, targets, batch_size, steps, epochs * steps, encode)


def enter_ours(
    parts: Split, seed: int, design: str, sprint: Sprint | None = None
) -> Runner:
    """One of our designs with a short schedule."""
    sprint, recipe = sprint or SPRINTS[design], find_recipe(design)
    keras.utils.set_random_seed(seed)

    def encode(questions: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return encode_for(design, questions), encode_answers(questions)

    layers = recipe.decoder_layers
    model = TextToText(build_text_design(design, decoder_layers=layers))
    optimizer = keras.optimizers.AdamW(
        cosine_schedule(sprint.learning_rate, sprint.steps),
        weight_decay=sprint.weight_decay,
        beta_2=0.99,
        global_clipnorm=CLIP_NORM,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer, loss)
    inputs, targets = encode(parts.train)
    size, every, steps = sprint.batch_size, sprint.every, sprint.steps
    return Runner(model, inputs, targets, size, every, steps, encode)


class CheckUntil(keras.callbacks.Callback):
    """Checks every few steps, outside the clock, and stops over the threshold."""

    def __init__(
        self, runner: Runner, questions: np.ndarray, watch: Stopwatch, title: str
    ):
        super().__init__()
        self.runner, self.questions, self.watch = runner, questions, watch
        self.bar = progress_bar(runner.steps, title)
        self.checks: list[Check] = []
        self.preparing = 0.0

    def on_train_batch_end(self, batch, logs=None):
        float(logs["loss"])  # the step is over only when its loss is known
        self.bar.update()
        if not self.preparing:
            self.preparing = self.watch.seconds
        step = self.bar.n
        last = step >= self.runner.steps
        if step % self.runner.every and not last:
            return
        seconds = self.watch.seconds
        with self.watch.paused():
            assert self.model is self.runner.model  # on JAX this brings it up to date
            exact = self.runner.exact(self.questions)
        self.checks.append(Check(step, seconds, exact))
        self.bar.set_postfix(exact=f"{exact:.3f}", seconds=f"{seconds:.0f}")
        if last or exact >= THRESHOLD:
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self.bar.close()


def race(title: str, enter: Callable[[], Runner], parts: Split, seed: int) -> Attempt:
    """Train until the threshold or the last step, with the clock running."""
    keras.utils.clear_session()
    watch = Stopwatch()
    runner = enter()
    checker = CheckUntil(runner, parts.validation, watch, f"{title}, seed {seed}")
    runner.model.fit(
        runner.inputs,
        runner.targets,
        batch_size=runner.batch_size,
        epochs=-(-runner.steps * runner.batch_size // len(runner.inputs)),
        callbacks=[checker],
        verbose=0,
    )
    test_exact = runner.exact(parts.test)
    attempt = attempt_from(
        checker.checks,
        THRESHOLD,
        seed=seed,
        preparing=checker.preparing,
        test_exact=test_exact,
    )
    outcome = "reached" if attempt.reached else "NOT reached"
    say(
        f"{title}, seed {seed}: 99% {outcome} after {attempt.seconds:.1f} s "
        f"({attempt.preparing:.1f} s of it to the first step's end), step "
        f"{attempt.steps}; exact on test questions {100 * test_exact:.1f}%"
    )
    return attempt


def warm_up() -> None:
    """Pay for what only the first model of a process pays for, outside any clock."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    model.fit(np.zeros((32, 1)), np.zeros((32, 1)), verbose=0)


def run_text_race(repeats: int, **baseline) -> tuple[list[Row], str, dict]:
    """Baseline and ours in turns, each with seeds 1, 2, ...

    baseline: its most epochs and its batch size, if not the plain ones.
    """
    warm_up()
    attempts: dict[str, list[Attempt]] = {"course baseline": []}
    attempts |= {design: [] for design in SPRINTS}
    for seed in range(1, repeats + 1):
        parts = Lesson(seed=seed, train_fraction=TRAIN_FRACTION).parts()
        for name, done in attempts.items():

            def enter(name=name, parts=parts, seed=seed) -> Runner:
                if name in SPRINTS:
                    return enter_ours(parts, seed, name)
                return enter_baseline(parts, seed, **baseline)

            done.append(race(name, enter, parts, seed))
    details = {name: [vars(one) for one in done] for name, done in attempts.items()}
    details |= {"sprints": {name: vars(sprint) for name, sprint in SPRINTS.items()}}
    details |= {"baseline": {"epochs": course_baseline.EPOCHS} | baseline}
    return race_rows(attempts, len(parts.validation)), NOTE, details


def race_rows(attempts: dict[str, list[Attempt]], n: int) -> list[Row]:
    """Two rows each: with and without the time to the first step's end.

    n: questions in a check.
    """
    rows = []
    for what, column in (("cold", "seconds"), ("warm", "warm_seconds")):
        baseline = None
        for who, done in attempts.items():
            number = spread([getattr(one, column) for one in done], "s", n)
            missed = sum(not one.reached for one in done)
            note = f"{missed} of {len(done)} never got there" if missed else ""
            times = ""
            if baseline is None:
                baseline, bound = number, ">" if missed else ""
            else:
                times = "-" if missed else ratio_text(number, baseline, bound)
            rows.append(Row(f"text to 99% exact, {what}", who, number, times, note))
    return rows
