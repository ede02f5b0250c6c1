"""One Keras `fit` with progress, exact resume and a divergence guard."""

import json
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from latent_arithmetic.console import interruption, progress_bar, say
from latent_arithmetic.io import (
    TrainingDiverged,
    UserError,
    plain,
    read_arrays,
    save_arrays,
)

CHECKPOINT_NAME = "checkpoint.npz"
CHECKPOINT_SECONDS = 10.0  # a checkpoint is written at most this often
SHOWN_DIFFERENCES = 5
SHOWN_MEASURES = 3  # of a validation, in the line that sums up a training

Validate = Callable[[keras.Model], dict[str, float]]

# A user's ~/.keras/keras.json may say otherwise; all models here are built for these.
keras.config.set_floatx("float32")
keras.config.set_image_data_format("channels_last")


@dataclass
class History:
    """Losses and validation of a training run, one entry an epoch.

    Args:
        losses: every loss and metric of `fit`, by name.
        validation: what `validate` returned, with its own `epoch` column (from 1).
        seconds: wall-clock time of epochs and validation, over all resumes.
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
        batch_size: examples in a batch; the remainder is left for another epoch.
        seed: seed of the shuffling.
        epoch_examples: examples in an epoch at most; each epoch takes others.
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
    """Linear warm-up over a fraction of `steps`, then a cosine to zero (SGDR, 2017)."""
    warm_up_steps = max(1, int(warm_up * steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=learning_rate / warm_up_steps,
        decay_steps=max(1, steps - warm_up_steps),
        warmup_target=learning_rate,
        warmup_steps=warm_up_steps,
    )


def adamw(config: Any, steps: int, beta_2: float = 0.99) -> keras.optimizers.AdamW:
    """The optimizer of sequence models: `cosine_schedule`, clipped gradients.

    Args:
        config: has `learning_rate` (the peak) and `weight_decay`.
        steps: of the whole training.
    """
    return keras.optimizers.AdamW(
        cosine_schedule(config.learning_rate, steps),
        weight_decay=config.weight_decay,
        beta_2=beta_2,
        global_clipnorm=1.0,
    )


def jit_compile() -> bool | str:
    """What to pass as `jit_compile`, by backend and device.

    On a CPU, TensorFlow's just-in-time compiler makes convolutions several times
    slower than oneDNN's; Keras's compilation with torch fails or slows down.
    """
    backend = keras.backend.backend()
    if backend == "torch":
        return False
    if backend == "tensorflow":
        return "auto" if has_accelerator() else False
    return "auto"


def has_accelerator() -> bool:
    """Whether Keras sees a device other than the CPU."""
    return any("cpu" not in device for device in keras.distribution.list_devices())


def use_all_devices() -> None:
    """Split the batches of all training from here on among the devices (data parallel).

    Raises:
        UserError: the backend is not JAX, or there is one device only.
    """
    if keras.backend.backend() != "jax":
        raise UserError(
            "--data-parallel needs JAX: set KERAS_BACKEND=jax (pip install '.[jax]')"
        )
    devices = keras.distribution.list_devices()
    if len(devices) < 2:
        raise UserError(f"--data-parallel needs 2 or more devices; found {devices}")
    distribution = keras.distribution.DataParallel(devices=devices)
    keras.distribution.set_distribution(distribution)
    say(f"every batch is split among {len(devices)} devices: {', '.join(devices)}")


def predict_in_batches(
    function: Callable, *arrays: np.ndarray, batch_size: int = 250
) -> np.ndarray:
    """`function(*arrays)`, a few hundred rows at a time, as one NumPy array."""
    starts = range(0, len(arrays[0]), batch_size)
    parts = [
        function(*(array[start : start + batch_size] for array in arrays))
        for start in starts
    ]
    return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])


class _ProgressBar(keras.callbacks.Callback):
    """Moves the progress bar and shows the running loss."""

    def __init__(self, title: str, epochs: int, steps: int, first: int):
        super().__init__()
        self.title, self.epochs = title, epochs
        self.bar = progress_bar(epochs * steps, title, done=first * steps)

    def on_epoch_begin(self, epoch, logs=None):
        self.bar.set_description(
            f"{self.title} {epoch + 1}/{self.epochs}", refresh=False
        )

    def on_train_batch_end(self, batch, logs=None):
        interruption.raise_if_requested()
        if logs and "loss" in logs:
            self.bar.set_postfix(loss=f"{float(logs['loss']):.4g}", refresh=False)
        self.bar.update()


class _Resume(keras.callbacks.Callback):
    """Shuffles every epoch, records losses and validation, and writes checkpoints.

    A checkpoint holds all variables of model and optimizer by position, random seeds
    included, so that a resumed run ends with the same weights.
    """

    def __init__(self, model, batches, epochs, folder, config, validate, every):
        super().__init__()
        self.trained, self.batches, self.epochs = model, batches, epochs
        self.path = Path(folder) / CHECKPOINT_NAME if folder else None
        self.config = json.dumps(plain(config or {}), sort_keys=True)
        self.validate, self.every = validate, every
        self.history = History()
        self.saved_at = time.monotonic()
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)

    def on_epoch_begin(self, epoch, logs=None):
        self.started = time.perf_counter()
        self.batches.start_epoch(epoch)

    def on_epoch_end(self, epoch, logs=None):
        losses = {name: float(value) for name, value in (logs or {}).items()}
        for name, value in losses.items():
            self.history.losses.setdefault(name, []).append(value)
        self._expect_finite(losses)
        last = epoch + 1 == self.epochs
        if self.validate and (last or (epoch + 1) % self.every == 0):
            values = {"epoch": epoch + 1, **self.validate(self.trained)}
            for name, value in values.items():
                self.history.validation.setdefault(name, []).append(float(value))
                if logs is not None and name != "epoch":
                    logs[f"val_{name}"] = float(value)  # for the user's callbacks
        self.history.seconds += time.perf_counter() - self.started
        due = time.monotonic() - self.saved_at >= CHECKPOINT_SECONDS
        if self.path and (due or last):
            self.save()

    def _expect_finite(self, losses: dict[str, float]) -> None:
        if all(math.isfinite(value) for value in losses.values()):
            return
        kept = "no checkpoint had been written yet"
        if self.path and self.path.exists():
            kept = f"the last good checkpoint is {self.path}"
        raise TrainingDiverged(
            f"the loss is not finite after epoch {self.history.epochs} ({losses}); "
            f"{kept}; try a lower learning rate"
        )

    def save(self) -> None:
        """Write everything needed to go on from the end of this epoch."""
        state = {
            "config": self.config,
            "losses": self.history.losses,
            "validation": self.history.validation,
            "seconds": self.history.seconds,
        }
        arrays = {"state": np.array(json.dumps(state))}
        for part, variables in self._parts().items():
            for index, variable in enumerate(variables):
                value = keras.ops.convert_to_numpy(variable.value)
                arrays[f"{part}/{index:04d}"] = value
        save_arrays(self.path, arrays)
        self.saved_at = time.monotonic()

    def restore(self) -> None:
        """Go back to the checkpoint.

        Raises:
            UserError: it was written by a run with another configuration.
        """
        arrays = read_arrays(self.path)
        if "state" not in arrays:
            raise UserError(f"{self.path} is no training checkpoint; remove it")
        state = json.loads(str(arrays.pop("state")))
        if state.get("config") != self.config:
            raise UserError(
                f"{self.path} was left by a run with the configuration "
                f"{state.get('config')}, this one has {self.config}; choose another "
                "folder or remove it"
            )
        for part, variables in self._parts().items():
            saved = [arrays[key] for key in sorted(arrays) if key.startswith(part)]
            _assign(variables, saved, self.path)
        self.history = History(state["losses"], state["validation"], state["seconds"])

    def _parts(self) -> dict[str, Sequence]:
        model = self.trained
        return {"model": model.variables, "optimizer": model.optimizer.variables}


def _assign(variables: Sequence, saved: list[np.ndarray], origin: Path) -> None:
    """Put saved values into variables of the same number and shapes."""
    differences = [
        f"{variable.path}: file has {value.shape}, model has {tuple(variable.shape)}"
        for variable, value in zip(variables, saved, strict=False)
        if tuple(variable.shape) != value.shape
    ]
    if len(saved) != len(variables):
        differences.insert(
            0, f"file has {len(saved)} arrays, model has {len(variables)}"
        )
    if differences:
        shown = "; ".join(differences[:SHOWN_DIFFERENCES])
        raise UserError(
            f"{origin} belongs to another architecture ({shown}); remove it, or use "
            "the configuration it was made with"
        )
    for variable, value in zip(variables, saved, strict=True):
        variable.assign(value)


def fit(
    model: keras.Model,
    batches: Batches,
    *,
    epochs: int,
    title: str,
    folder: Path | None = None,
    config: dict | None = None,
    validate: Validate | None = None,
    every: int = 1,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> History:
    """Train a built, compiled model for `epochs` passes over `batches`.

    Args:
        title: what the progress bar says is happening.
        folder: where the checkpoint is kept; a run killed there is resumed there
            and ends with the same weights as an uninterrupted one.
        config: everything that identifies the run; a checkpoint left by another
            configuration is refused.
        validate: measures the model after every `every` epochs and after the last.
        callbacks: more Keras callbacks; validation appears in their logs as `val_...`.

    Raises:
        TrainingDiverged: a loss is no longer finite.
        UserError: the folder holds the checkpoint of another run.
    """
    resume = _Resume(model, batches, epochs, folder, config, validate, every)
    if resume.path and resume.path.exists():
        resume.restore()
        say(f"{title}: resumed after epoch {resume.history.epochs} of {epochs}")
    first = resume.history.epochs
    if first < epochs:
        progress = _ProgressBar(title, epochs, len(batches), first)
        with progress.bar:
            model.fit(
                batches,
                initial_epoch=first,
                epochs=epochs,
                shuffle=False,
                verbose=0,
                callbacks=[resume, progress, *callbacks],
            )
    say(_summary(title, resume.history))
    return resume.history


def _summary(title: str, history: History) -> str:
    """One line that stays where the progress bar was."""
    parts = [f"{title}: {history.epochs} epochs in {history.seconds:.0f} s"]
    last = {name: values[-1] for name, values in history.losses.items() if values}
    measures = [name for name in history.validation if name != "epoch"]
    last |= {
        f"validation {name}": history.validation[name][-1]
        for name in measures[:SHOWN_MEASURES]
    }
    parts += [f"{name} {value:.4g}" for name, value in last.items()]
    return ", ".join(parts)
