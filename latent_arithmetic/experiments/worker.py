"""Run one experiment, in whatever process: train, measure, and reply in plain values.

Nothing is recorded here. `python -m latent_arithmetic.experiments.worker JOB.json
REPLY.json` is a process of its own, which ends when the process that started it does.
"""

import base64
import io
import os
import platform
import sys
import tempfile
import threading
import traceback
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path

from latent_arithmetic.io import (
    UserError,
    locked,
    make_folder,
    plain,
    read_json,
    write_json,
)


@dataclass(frozen=True)
class Job:
    """Which experiment is run, and how.

    Args:
        name: of the experiment.
        profile: name of the profile.
        work: folder below which models are trained, and resumed.
        catalog: "module:function" that returns all experiments.
        threads: limit of NumPy's threads; those of TensorFlow and JAX are limited
            before the process starts.
    """

    name: str
    profile: str
    work: str
    catalog: str
    threads: int


def run_job(values: dict) -> dict:
    """Run one experiment.

    Args:
        values: the fields of a `Job`.

    Returns:
        `result`: configuration, estimates, details, seconds, provenance, and samples
        as a .png file in base 64; or `error`, with `traceback` and `host`.
    """
    job = Job(**values)
    try:
        from latent_arithmetic.console import import_keras_quietly

        import_keras_quietly()
        return {"result": _measure(job)}
    except Exception as error:
        shown = f"{type(error).__name__}: {error}"
        about = {"traceback": traceback.format_exc(), "host": platform.node()}
        return {"error": shown, **about}


def _measure(job: Job) -> dict:
    from threadpoolctl import threadpool_limits

    from latent_arithmetic.config import get_profile
    from latent_arithmetic.records import provenance

    module, function = job.catalog.split(":")
    experiments = getattr(import_module(module), function)()
    experiment = {each.name: each for each in experiments}.get(job.name)
    if experiment is None:
        raise UserError(f"{job.catalog} has no experiment {job.name}")
    work = _usable_folder(Path(job.work))
    lock = locked(work / f".{job.name}.lock", wait=True)
    with lock, threadpool_limits(job.threads):
        found = experiment.measure(work, get_profile(job.profile))
    return plain(
        {
            "config": experiment.config,
            "estimates": {name: asdict(each) for name, each in found.estimates.items()},
            "details": found.details,
            "seconds": round(found.seconds, 1),
            "provenance": provenance(job.profile),
            "png": _png(found.images),
        }
    )


def _usable_folder(folder: Path) -> Path:
    """The folder, or one for temporary files on a machine where it cannot be made."""
    try:
        make_folder(folder)
    except UserError:
        return make_folder(Path(tempfile.gettempdir(), "latent-arithmetic"))
    return folder


def _png(images) -> str:
    """Images, uint8 [n, side, side, 3], in one column."""
    if images is None:
        return ""
    import numpy as np
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(np.concatenate(list(images))).save(file, format="PNG")
    return base64.b64encode(file.getvalue()).decode()


def _end_with_parent() -> None:
    """End this process once standard input is closed: its parent holds the other end
    of that pipe, and lets go of it even when it is killed."""

    def wait():
        while os.read(0, 1):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def main() -> None:
    job, reply = map(Path, sys.argv[1:])
    _end_with_parent()
    write_json(reply, run_job(read_json(job)))


if __name__ == "__main__":
    main()
