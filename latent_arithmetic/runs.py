"""A finished training run is a folder: run.json, which says what it is, and
weights.npz, which holds its variables."""

import json
from dataclasses import dataclass
from pathlib import Path

import keras

from latent_arithmetic.checkpoints import load_variables, save_variables
from latent_arithmetic.errors import UserError
from latent_arithmetic.provenance import plain, provenance
from latent_arithmetic.results import GENERATED, write_json
from latent_arithmetic.training import CHECKPOINT_NAME, History

RUN_NAME = "run.json"
WEIGHTS_NAME = "weights.npz"


@dataclass(frozen=True)
class RunRecord:
    """What run.json says: enough to build the model again and to judge it."""

    folder: Path
    task: str
    settings: dict
    history: History
    numbers: dict
    provenance: dict

    def load_weights(self, model: keras.Model) -> keras.Model:
        """Fill a model built with the same settings."""
        load_variables(model.variables, self.folder / WEIGHTS_NAME)
        return model


def is_finished(folder: Path) -> bool:
    """Whether the folder holds a whole run."""
    return (folder / RUN_NAME).is_file() and (folder / WEIGHTS_NAME).is_file()


def save_run(
    folder: Path,
    model: keras.Model,
    *,
    task: str,
    settings: dict,
    history: History,
    profile: str,
    numbers: dict | None = None,
) -> RunRecord:
    """Write weights, then run.json; the checkpoint is no longer needed."""
    save_variables(model.variables, folder / WEIGHTS_NAME)
    content = {
        "generated": GENERATED,
        "task": task,
        "settings": settings,
        "losses": history.losses,
        "validation": history.validation,
        "seconds": history.seconds,
        "numbers": numbers or {},
        "provenance": provenance(profile),
    }
    write_json(folder / RUN_NAME, content)
    (folder / CHECKPOINT_NAME).unlink(missing_ok=True)
    return read_run(folder)


def read_run(folder: Path) -> RunRecord:
    """Read what a run folder says of itself.

    Raises:
        UserError: the folder holds no finished run, or its run.json is damaged.
    """
    path = folder / RUN_NAME
    if not is_finished(folder):
        raise UserError(
            f"{folder} holds no finished run (expected {RUN_NAME} and {WEIGHTS_NAME} "
            "in it); train one with `latent-arithmetic train TASK --out FOLDER`"
        )
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        history = History(content["losses"], content["validation"], content["seconds"])
        return RunRecord(
            folder,
            content["task"],
            content["settings"],
            history,
            content["numbers"],
            content["provenance"],
        )
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(
            f"{path} is damaged ({error!r}); train the model again"
        ) from None


def finished_run(folder: Path, task: str, settings: dict) -> RunRecord | None:
    """The run in `folder` if it is this one, None if the folder is free.

    Raises:
        UserError: the folder holds another run.
    """
    if not is_finished(folder):
        return None
    run = read_run(folder)
    wanted = {"task": task, **plain(settings)}
    found = {"task": run.task, **run.settings}
    differences = [
        f"{key}: there {found.get(key)!r}, wanted {wanted.get(key)!r}"
        for key in sorted(found.keys() | wanted.keys())
        if found.get(key) != wanted.get(key)
    ]
    if differences:
        raise UserError(
            f"{folder} already holds another run ({'; '.join(differences)}); "
            "choose another folder or remove this one"
        )
    return run
