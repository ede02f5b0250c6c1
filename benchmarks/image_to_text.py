"""Time to 95% exact image-to-text, from nothing: text model, eye, everything.

The clock runs from `train_task` to the first check over the threshold, on validation
questions in handwriting of validation digits; checks are outside the clock. What is
trained, and how, is the package's own; here stands only for how long.
"""

import contextlib
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import keras

from benchmarks.measure import (
    Attempt,
    Check,
    Row,
    Stopwatch,
    attempt_from,
    spread,
)
from latent_arithmetic.arithmetic import tasks
from latent_arithmetic.arithmetic.designs import encode_for
from latent_arithmetic.arithmetic.glyphs import glyph_bank
from latent_arithmetic.arithmetic.lessons import Lesson
from latent_arithmetic.arithmetic.models import predict
from latent_arithmetic.arithmetic.questions import encode_answers
from latent_arithmetic.profiles import QUICK, SMOKE, Budget, Profile
from latent_arithmetic.progress import say

TASK, DESIGN = "image-to-text", "attention"
THRESHOLD = 0.95  # exact answers
# The text model has about as many steps as in QUICK, since what it gets wrong misleads
# the eye; the eye has fewer than half as many. Epochs are short, as a check ends each.
PROFILE = replace(
    QUICK,
    epoch_examples=2_240,
    text_to_text=Budget(epochs=56, batch_size=128, learning_rate=1e-2),
    image_to_text=Budget(epochs=9, batch_size=64, learning_rate=4e-3),
)
NOTE = (
    "Time to 95% exact answers on validation questions in handwriting of validation "
    "digits, 90% of the questions trained on. It includes teaching the text model it "
    "starts from; checks of the image model, after every epoch, are outside the clock."
)


class _Enough(Exception):
    """Nothing more has to be trained."""


def prepare(seed: int, profile: Profile, folder: Path, take_over: Callable) -> None:
    """Let `train_task` prepare everything, the text model too, and take over there.

    take_over: called in place of `train`, with its arguments, when the image model
        is ready to be trained.
    """
    real_train = tasks.train

    def train(model, batches, *, title, **rest):
        act = take_over if title == TASK else real_train
        return act(model, batches, title=title, **rest)

    with patch.object(tasks, "train", train), contextlib.suppress(_Enough):
        tasks.train_task(TASK, folder / TASK, profile=profile, seed=seed, design=DESIGN)


def prepare_step() -> tuple[keras.Model, tuple]:
    """The image model before its first step, and a batch for it.

    Its text model has hardly been taught; how well it answers does not matter here.
    """
    kept = []

    def keep(model, batches, **rest):
        kept.extend((model, batches[0]))
        raise _Enough

    short = replace(PROFILE, text_to_text=SMOKE.text_to_text)
    with tempfile.TemporaryDirectory() as folder:
        prepare(0, short, Path(folder), keep)
    model, batch = kept
    return model, batch


class Referee:
    """Trains in place of `train`: checks with the clock stopped, and stops in time."""

    def __init__(self, watch: Stopwatch):
        self.watch, self.train = watch, tasks.train
        self.checks: list[Check] = []
        self.preparing = 0.0
        self.model: keras.Model | None = None

    def __call__(self, model, batches, *, validate, every, **rest):
        self.model, self.preparing = model, self.watch.seconds

        def checked(model: keras.Model) -> dict[str, float]:
            seconds = self.watch.seconds
            with self.watch.paused():
                values = validate(model)
            step = (len(self.checks) + 1) * len(batches)
            self.checks.append(Check(step, seconds, values["exact"]))
            if values["exact"] >= THRESHOLD:
                raise _Enough
            return values

        return self.train(model, batches, validate=checked, every=1, **rest)


def time_to_exact(seed: int) -> Attempt:
    """Teach the package's image-to-text task until the threshold.

    The attempt's `preparing` is the time until the image model's own training.
    """
    keras.utils.clear_session()
    referee = Referee(Stopwatch())
    with tempfile.TemporaryDirectory() as folder:
        prepare(seed, PROFILE, Path(folder), referee)
    test = Lesson(seed=seed, design=DESIGN).parts().test
    asked = glyph_bank("test").draw(encode_for(DESIGN, test), seed)
    written = predict(referee.model, asked).argmax(axis=-1)
    test_exact = float((written == encode_answers(test)).all(axis=-1).mean())
    return attempt_from(
        referee.checks,
        THRESHOLD,
        seed=seed,
        preparing=referee.preparing,
        test_exact=test_exact,
    )


def run_image_to_text(repeats: int) -> tuple[list[Row], str, dict]:
    """Seeds 1, 2, ..."""
    attempts = []
    for seed in range(1, repeats + 1):
        attempt = time_to_exact(seed)
        outcome = "reached" if attempt.reached else "NOT reached"
        say(f"{TASK}, seed {seed}: 95% {outcome} after {attempt.seconds:.0f} s")
        attempts.append(attempt)
    missed = sum(not attempt.reached for attempt in attempts)
    note = f"{missed} of {repeats} never got there" if missed else ""
    rows = [
        Row(
            "image-to-text to 95% exact",
            "ours, text model included",
            spread([attempt.seconds for attempt in attempts], "s"),
            note=note,
        ),
        Row(
            "image-to-text to 95% exact",
            "of it, before the eye's training",
            spread([attempt.preparing for attempt in attempts], "s"),
        ),
    ]
    budgets = {"text": vars(PROFILE.text_to_text), "image": vars(PROFILE.image_to_text)}
    return rows, NOTE, {"attempts": list(map(vars, attempts)), "budgets": budgets}
