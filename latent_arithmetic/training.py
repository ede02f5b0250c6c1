"""Plain `fit`, with progress, checkpoints, exact resuming and a divergence guard."""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.checkpoints import (
    assign_variables,
    read_arrays,
    save_arrays,
    variable_arrays,
)
from latent_arithmetic.errors import TrainingDiverged, UserError
from latent_arithmetic.progress import progress_bar, say

CHECKPOINT_NAME = "checkpoint.npz"
CHECKPOINT_SECONDS = 10.0  # a checkpoint is written at most this often

Validate = Callable[[keras.Model], dict[str, float]]


@dataclass
class History:
    """What a training run went through, one entry an epoch.

    losses: every loss and metric of `fit`, by name.
    validation: what `validate` returned, with its own `epoch` column (from 1).
    seconds: wall-clock time spent in epochs and validation, over all resumes.
    """

    losses: dict[str, list[float]] = field(default_factory=dict)
    validation: dict[str, list[float]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def epochs(self) -> int:
        return max((len(values) for values in self.losses.values()), default=0)


class Batches(keras.utils.PyDataset):
    """Arrays in shuffled batches; the order depends on (seed, epoch) alone.

    Args:
        arrays: an array, or a tuple or dict of arrays, equally long.
        batch_size: rows in a batch; the remainder is left for another epoch.
        seed: seed of the shuffling.
        epoch_examples: rows in an epoch at most; each epoch takes others.
    """

    def __init__(
        self,
        arrays,
        batch_size: int,
        seed: int = 0,
        epoch_examples: int | None = None,
    ):
        # On TensorFlow, one worker would be fed through a self-tuning pipeline, whose
        # thread sleeps for up to a minute and is waited for at the end of every epoch.
        # On JAX, Keras looks at a batch before training, and two workers would skip it.
        super().__init__(workers=2 if keras.backend.backend() == "tensorflow" else 1)
        self.arrays = arrays
        self.count = len(keras.tree.flatten(arrays)[0])
        if not self.count:
            raise UserError("received no training examples; at least one is needed")
        self.epoch_examples = min(self.count, epoch_examples or self.count)
        self.batch_size = min(batch_size, self.epoch_examples)
        self.seed = seed
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Shuffle for the given epoch."""
        order = np.random.default_rng((self.seed, epoch))
        self.order = order.permutation(self.count)

    def __len__(self) -> int:
        return self.epoch_examples // self.batch_size

    def __getitem__(self, index: int):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return keras.tree.map_structure(lambda array: array[rows], self.arrays)


def cosine_schedule(
    learning_rate: float, steps: int, warm_up: float = 0.05
) -> keras.optimizers.schedules.LearningRateSchedule:
    """Linear warm-up over a share of `steps`, then a cosine to zero (SGDR, 2017)."""
    warm_up_steps = max(1, int(warm_up * steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / warm_up_steps,
        decay_steps=max(1, steps - warm_up_steps),
        warmup_target=learning_rate,
        warmup_steps=warm_up_steps,
    )


class _Bar(keras.callbacks.Callback):
    """Moves the progress bar and shows the running loss."""

    def __init__(self, bar):
        super().__init__()
        self.bar = bar

    def on_train_batch_end(self, batch, logs=None):
        if logs and "loss" in logs:
            self.bar.set_postfix(loss=f"{float(logs['loss']):.4g}", refresh=False)
        self.bar.update()


class _Session:
    """The state of one `train` call that a checkpoint has to hold."""

    def __init__(self, model: keras.Model, path: Path | None, settings: dict | None):
        self.model = model
        self.path = path
        self.settings = json.dumps(settings or {}, sort_keys=True)
        self.history = History()
        self.best_value = -math.inf
        self.best_arrays: dict[str, np.ndarray] = {}
        self.saved_at = time.monotonic()
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)

    def save(self) -> None:
        """Write everything needed to go on from the end of this epoch."""
        state = {
            "settings": self.settings,
            "losses": self.history.losses,
            "validation": self.history.validation,
            "seconds": self.history.seconds,
            "best_value": self.best_value,
        }
        parts = {
            "model": variable_arrays(self.model.variables),
            "optimizer": variable_arrays(self.model.optimizer.variables),
            "best": self.best_arrays,
        }
        arrays = {
            f"{part}/{key}": value
            for part, values in parts.items()
            for key, value in values.items()
        }
        save_arrays(self.path, arrays | {"state": np.array(json.dumps(state))})
        self.saved_at = time.monotonic()

    def restore(self) -> None:
        """Go back to the checkpoint.

        Raises:
            UserError: it was written by a run with other settings.
        """
        arrays = read_arrays(self.path)
        if "state" not in arrays:
            raise UserError(f"{self.path} is no training checkpoint; remove it")
        state = json.loads(str(arrays.pop("state")))
        if state["settings"] != self.settings:
            raise UserError(
                f"{self.path} was left by a run with the settings {state['settings']}, "
                f"this one has {self.settings}; choose another folder or remove it"
            )
        parts: dict[str, dict] = {"model": {}, "optimizer": {}, "best": {}}
        for name, value in arrays.items():
            part, key = name.split("/")
            parts[part][key] = value
        assign_variables(self.model.variables, parts["model"], self.path)
        assign_variables(self.model.optimizer.variables, parts["optimizer"], self.path)
        self.best_arrays = parts["best"]
        self.best_value = state["best_value"]
        self.history = History(state["losses"], state["validation"], state["seconds"])

    def record_losses(self, losses: dict[str, list[float]]) -> None:
        """Add one epoch's losses; refuse what is not finite."""
        for name, values in losses.items():
            self.history.losses.setdefault(name, []).append(float(values[-1]))
        values = {name: entry[-1] for name, entry in self.history.losses.items()}
        if not all(math.isfinite(value) for value in values.values()):
            kept = (
                f"the last good checkpoint is {self.path}"
                if self.path and self.path.exists()
                else "no checkpoint had been written yet"
            )
            raise TrainingDiverged(
                f"the loss is no finite number after epoch {self.history.epochs} "
                f"({values}); {kept}; try a lower learning rate"
            )

    def record_validation(self, values: dict[str, float], best: str | None) -> None:
        """Add one validation; keep the weights if it is the best so far."""
        columns = {"epoch": self.history.epochs, **values}
        for name, value in columns.items():
            self.history.validation.setdefault(name, []).append(float(value))
        if best and values[best] > self.best_value:
            self.best_value = float(values[best])
            self.best_arrays = variable_arrays(self.model.variables)

    def finish(self) -> History:
        """Put the best weights back, if any were kept."""
        if self.best_arrays:
            assign_variables(self.model.variables, self.best_arrays, Path("best"))
        return self.history


def train(
    model: keras.Model,
    batches: Batches,
    *,
    epochs: int,
    title: str,
    folder: Path | None = None,
    settings: dict | None = None,
    validate: Validate | None = None,
    every: int = 1,
    best: str | None = None,
) -> History:
    """Train a built, compiled model for `epochs` passes over `batches`.

    Args:
        title: what the progress bar says is happening.
        folder: where the checkpoint is kept; a run killed there is resumed there
            and ends with the same weights as an uninterrupted one.
        settings: whatever makes this run this run; a checkpoint left by other
            settings is refused.
        validate: measures the model after every `every` epochs and after the last.
        best: the value of `validate` to maximise; the weights of the epoch that
            was best are the ones the model ends with.

    Raises:
        TrainingDiverged: a loss is no longer a finite number.
        UserError: the folder holds the checkpoint of another run.
    """
    path = folder / CHECKPOINT_NAME if folder else None
    session = _Session(model, path, settings)
    if path and path.exists():
        session.restore()
        say(f"{title}: resumed after epoch {session.history.epochs} of {epochs}")
    first = session.history.epochs
    bar = progress_bar(epochs * len(batches), title, done=first * len(batches))
    with bar:
        for epoch in range(first, epochs):
            started = time.perf_counter()
            bar.set_description(f"{title} {epoch + 1}/{epochs}")
            batches.start_epoch(epoch)
            fitted = model.fit(batches, shuffle=False, verbose=0, callbacks=[_Bar(bar)])
            session.record_losses(fitted.history)
            last = epoch + 1 == epochs
            if validate and (last or (epoch + 1) % every == 0):
                session.record_validation(validate(model), best)
            session.history.seconds += time.perf_counter() - started
            due = time.monotonic() - session.saved_at >= CHECKPOINT_SECONDS
            if path and (due or last):
                session.save()
    history = session.finish()
    say(_summary(title, history))
    return history


def _summary(title: str, history: History) -> str:
    """One line that stays where the bar was."""
    parts = [f"{title}: {history.epochs} epochs in {history.seconds:.0f} s"]
    last = {name: values[-1] for name, values in history.losses.items() if values}
    last |= {
        f"validation {name}": values[-1]
        for name, values in history.validation.items()
        if name != "epoch"
    }
    parts += [f"{name} {value:.4g}" for name, value in last.items()]
    return ", ".join(parts)
