"""Time to 95% exact-match accuracy of modular image-to-text, its text model included.

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
CONFIG = ImageToTextConfig(text_architecture="attention-alignment-given")
THRESHOLD = 0.95  # exact-match accuracy
# The text model has about as many steps as in QUICK, since its errors mislead the CNN;
# the CNN has fewer than half as many. Epochs are short, as a check ends each.
PROFILE = replace(
    QUICK,
    epoch_examples=2_240,
    text_to_text=Schedule(epochs=56, batch_size=128, learning_rate=1e-2),
    image_to_text=Schedule(epochs=9, batch_size=64, learning_rate=4e-3),
)
NOTE = (
    "Time to 95% exact match on validation queries in handwriting of validation "
    "digits, 90% of the queries trained on; the model is modular, its frozen text "
    "model is attention-alignment-given. Training the text model is included; "
    "time_of_text_model ends where the CNN's training begins. Checks of the image "
    "model, after every epoch, are outside the clock."
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
        value = logs["val_exact_match"]
        self.checks.append(Check(self.step, self.seconds, value))
        self.model.stop_training = value >= THRESHOLD


def time_to_threshold(seed: int, profile: Profile = PROFILE) -> Attempt:
    """Train image-to-text until the threshold or the end of the schedule.

    The attempt's preparation is all that comes before the CNN's training.
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
    once = replace(schedule, epochs=1)
    short = replace(
        PROFILE,
        epoch_examples=schedule.batch_size,
        text_to_text=once,
        image_to_text=once,
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
    """The whole time, and that before the CNN's training."""
    about = {
        "threshold": THRESHOLD,
        "text_architecture": CONFIG.text_architecture,
        "epoch_examples": PROFILE.epoch_examples,
        "text_to_text": asdict(PROFILE.text_to_text),
        "image_to_text": asdict(PROFILE.image_to_text),
    }
    result = Result(NOTE, about, {"modular": list(map(asdict, attempts))})
    times, missed = [attempt.seconds for attempt in attempts], missed_note(attempts)
    result.add("time_with_text_model", times, "s", note=missed)
    times = [attempt.preparation_seconds for attempt in attempts]
    result.add("time_of_text_model", times, "s")
    return result
