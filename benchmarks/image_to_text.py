"""Time to 95% exact-match accuracy of end-to-end image-to-text.

The clock runs from `train` to the first check at which the threshold is reached, on
validation queries in handwriting of validation digits. What is trained, and how, is
the package's own; here stands only for how long.
"""

import tempfile
from dataclasses import asdict, replace
from pathlib import Path

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
from latent_arithmetic.config import QUICK, Profile, Schedule
from latent_arithmetic.seq2seq.glyphs import glyph_bank
from latent_arithmetic.seq2seq.image_to_text import ImageToTextConfig
from latent_arithmetic.seq2seq.pipeline import train
from latent_arithmetic.seq2seq.queries import encode_answers
from latent_arithmetic.seq2seq.tasks import TASKS
from latent_arithmetic.seq2seq.text_to_text import predict

TASK = "image-to-text"
CONFIG = ImageToTextConfig()
THRESHOLD = 0.95  # exact-match accuracy
PROFILE = replace(
    QUICK, image_to_text=Schedule(epochs=30, batch_size=64, learning_rate=4e-3)
)
NOTE = (
    "Time to 95% exact match on validation queries in handwriting of validation "
    "digits, 90% of the queries trained on; the model is the end-to-end CNN + LSTM, "
    "trained on answers alone. Checks, after every third epoch, are outside the clock."
)


class StopAtThreshold(keras.callbacks.Callback):
    """Stops training when the validation that `fit` does after every epoch reaches the
    threshold; validation and checkpoints are outside the clock.

    Attributes:
        checks: the validations.
        preparation_seconds: until the training of this model.
    """

    def __init__(self, watch: Stopwatch):
        super().__init__()
        self.watch, self.step = watch, 0
        self.checks: list[Check] = []

    def on_train_begin(self, logs=None):
        self.preparation_seconds = self.watch.seconds

    def on_train_batch_end(self, batch, logs=None):
        float(logs["loss"])  # the step is over only when its loss is known
        self.step += 1
        self.seconds = self.watch.seconds

    def on_epoch_end(self, epoch, logs=None):
        self.watch.set_to(self.seconds)
        value = logs.get("val_exact_match")
        if value is None:  # not validated after this epoch
            return
        self.checks.append(Check(self.step, self.seconds, value))
        self.model.stop_training = value >= THRESHOLD


def time_to_threshold(seed: int, profile: Profile = PROFILE) -> Attempt:
    """Train image-to-text until the threshold or the end of the schedule.

    The attempt's preparation is all that comes before the first step.
    """
    keras.utils.clear_session()
    stop, config = StopAtThreshold(Stopwatch()), replace(CONFIG, seed=seed)
    with tempfile.TemporaryDirectory() as folder:
        trained = train(
            TASK, Path(folder), profile=profile, config=config, callbacks=[stop]
        )
    test = config.make_split().test
    images = glyph_bank("test").sample(TASKS[TASK].encode(config, test), seed)
    predicted = predict(trained.model, images).argmax(axis=-1)
    exact_match = float((predicted == encode_answers(test)).all(axis=-1).mean())
    preparation = stop.preparation_seconds
    return finish_attempt(
        TASK, seed, stop.checks[-1], THRESHOLD, preparation, exact_match
    )


def model_and_batch() -> tuple[keras.Model, np.ndarray, np.ndarray]:
    """The image model, compiled as it is trained, and the inputs and targets of a step.

    It has been trained for one step; its accuracy does not matter here.
    """
    schedule = PROFILE.image_to_text
    short = replace(
        PROFILE,
        epoch_examples=schedule.batch_size,
        image_to_text=replace(schedule, epochs=1),
    )
    keeper = keras.callbacks.Callback()  # Keras gives it the compiled model
    with tempfile.TemporaryDirectory() as folder:
        train(TASK, Path(folder), profile=short, config=CONFIG, callbacks=[keeper])
    arrays = TASKS[TASK].examples(CONFIG, CONFIG.make_split(), schedule.batch_size)
    inputs, targets = (array[: schedule.batch_size] for array in arrays)
    return keeper.model, inputs, targets


def run(config: BenchmarkConfig) -> Result:
    """Seeds 1, 2, ..."""
    return summarize([time_to_threshold(seed + 1) for seed in range(config.repeats)])


def summarize(attempts: list[Attempt]) -> Result:
    """Seconds to the threshold."""
    about = {
        "threshold": THRESHOLD,
        "epoch_examples": PROFILE.epoch_examples,
        "image_to_text": asdict(PROFILE.image_to_text),
    }
    result = Result(NOTE, about, {"end_to_end": list(map(asdict, attempts))})
    times, missed = [attempt.seconds for attempt in attempts], missed_note(attempts)
    result.add("time_end_to_end", times, "s", note=missed)
    return result
