"""Folders of finished training runs: run.json and model.weights.h5."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import keras

from latent_arithmetic.console import say
from latent_arithmetic.io import (
    PROCESS,
    UserError,
    first_line,
    locked,
    make_folder,
    plain,
    remove_abandoned,
)
from latent_arithmetic.records import (
    Estimate,
    Record,
    find_record,
    provenance,
    read_record,
)
from latent_arithmetic.training import CHECKPOINT_NAME, History

RUN_NAME, WEIGHTS_NAME, LOCK_NAME = "run.json", "model.weights.h5", ".lock"
OLD_WEIGHTS_NAME = "weights.npz"  # of versions before 0.2


@dataclass(frozen=True)
class Run:
    """A finished training run: a folder with run.json and model.weights.h5.

    Args:
        task: such as "vae" or "text-to-text".
        config: every setting; enough to build the model again.
        record: what run.json says; its estimates are those of validation.
    """

    folder: Path
    task: str
    config: dict
    history: History
    record: Record

    def load_weights(self, model: keras.Model) -> keras.Model:
        """Fill a model that was built with the same configuration.

        Raises:
            UserError: the weights are missing, damaged or of another architecture.
        """
        path = self.folder / WEIGHTS_NAME
        if _checksum(path) != self.record.details.get("weights_sha256"):
            raise UserError(
                f"{path} is damaged or belongs to another model: its checksum is not "
                f"the one in {RUN_NAME}; restore the file or train the model again"
            )
        try:
            model.load_weights(path)
        except (ValueError, OSError, KeyError) as error:
            raise UserError(
                f"{path} does not fit the model that {RUN_NAME} describes "
                f"({first_line(error)}); restore both files or train the model again"
            ) from None
        return model


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _save_weights(model: keras.Model, path: Path) -> None:
    """Write a model's weights without its optimizer, atomically."""
    unfinished = path.with_name(
        f"{path.name}.{PROCESS}{os.getpid()}.unfinished.weights.h5"
    )
    remove_abandoned(path)
    optimizer, model.optimizer = model.optimizer, None
    try:
        model.save_weights(unfinished)
        os.replace(unfinished, path)
    except OSError as error:
        raise UserError(
            f"could not write {path} ({first_line(error)}); free some space or choose "
            "another folder, then repeat the command: training is not lost"
        ) from error
    finally:
        model.optimizer = optimizer
        unfinished.unlink(missing_ok=True)


def save_run(
    folder: Path,
    model: keras.Model,
    *,
    task: str,
    config: dict,
    history: History,
    profile: str,
    estimates: dict[str, Estimate] | None = None,
) -> Run:
    """Write the weights, then run.json; the checkpoint is no longer needed."""
    _save_weights(model, folder / WEIGHTS_NAME)
    details = {
        "losses": history.losses,
        "validation": history.validation,
        "parameters": model.count_params(),
        "weights_sha256": _checksum(folder / WEIGHTS_NAME),
    }
    record = Record(
        name=folder.name,
        group=task,
        config={"task": task, **plain(config)},
        estimates=estimates or {},
        details=details,
        seeds=(config.get("seed", 0),),
        seconds=history.seconds,
        provenance=provenance(profile),
    )
    record.write(folder / RUN_NAME)
    (folder / CHECKPOINT_NAME).unlink(missing_ok=True)
    return read_run(folder)


def _is_finished(folder: Path) -> bool:
    """Whether the folder holds a whole run.

    Raises:
        UserError: it holds one of an older version, whose weights cannot be read.
    """
    if (folder / OLD_WEIGHTS_NAME).is_file():
        raise UserError(
            f"{folder} holds a model of an older version ({OLD_WEIGHTS_NAME}), which "
            "cannot be read; remove the folder and train again"
        )
    return (folder / RUN_NAME).is_file() and (folder / WEIGHTS_NAME).is_file()


def read_run(folder: Path) -> Run:
    """Read what a run folder says of itself.

    Raises:
        UserError: the folder holds no finished run, or its run.json is damaged.
    """
    folder = Path(folder)
    if not _is_finished(folder):
        raise UserError(
            f"{folder} holds no finished run (expected {RUN_NAME} and {WEIGHTS_NAME} "
            "in it); train one with `latent-arithmetic train TASK --out FOLDER`"
        )
    record = read_record(folder / RUN_NAME)
    try:
        config = dict(record.config)
        task, details = config.pop("task"), record.details
        history = History(details["losses"], details["validation"], record.seconds)
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder / RUN_NAME} is damaged ({error!r}); train the model again"
        ) from None
    return Run(folder, task, config, history, record)


def train_once(
    folder: Path, task: str, config: dict, train: Callable[[], None]
) -> None:
    """Call `train`, unless this very run is finished in `folder`.

    If another process is training there, it is waited for.

    Raises:
        UserError: the folder holds another run.
    """
    if finished_run(folder, task, config):
        return
    make_folder(folder)
    with locked(folder / LOCK_NAME) as free:
        if not free:
            say(f"another process is training into {folder}; waiting for it")
    with locked(folder / LOCK_NAME, wait=True):
        if not finished_run(folder, task, config):
            train()


def finished_run(folder: Path, task: str, config: dict) -> Run | None:
    """The run in `folder` if it is this one, None if the folder is free.

    Raises:
        UserError: the folder holds another run.
    """
    if not _is_finished(folder):
        return None
    find_record(folder / RUN_NAME, {"task": task, **plain(config)})
    return read_run(folder)
