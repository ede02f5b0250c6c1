"""Where experiments run: in this process, in processes of their own, or on Ray.

Every executor has `slots`, the number of runs beside one another, and three methods:
`start(job)`, `wait(seconds)`, which returns the runs that have ended, and `stop()`.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

from latent_arithmetic.experiments.worker import Job, run_job
from latent_arithmetic.io import (
    CRYPTOPUNKS,
    DATA_VARIABLE,
    MNIST,
    UserError,
    find_data,
    read_json,
    write_json,
)

PACKAGE = Path(__file__).resolve().parents[1]
THREADS_VARIABLE = "LATENT_ARITHMETIC_THREADS"
THREADS = 2  # of one run; another number may round sums differently
LOG_TAIL = 4_000  # bytes of a log in which its last line is searched


def threads() -> int:
    """The number of threads of one run."""
    text = os.environ.get(THREADS_VARIABLE, str(THREADS))
    if not text.isdecimal() or int(text) < 1:
        raise UserError(
            f"{THREADS_VARIABLE} is {text!r}; expected a whole number from 1"
        )
    return int(text)


def thread_variables() -> dict[str, str]:
    """Environment variables that limit the threads of TensorFlow, JAX (NPROC) and
    NumPy; these read them when they are imported."""
    names = ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "OMP_NUM_THREADS")
    names += ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
    return dict.fromkeys(names, str(threads()))


@dataclass(frozen=True)
class Ended:
    """How a run ended.

    Args:
        answer: of `run_job`; None if its process died before it could answer.
        death: how it died.
        out_of_memory: whether that was, most likely, for want of memory.
    """

    job: Job
    answer: dict | None = None
    death: str = ""
    out_of_memory: bool = False


@dataclass
class Here:
    """One run after the other, in this process."""

    slots: int = 1
    ended: list[Ended] = field(default_factory=list)

    def start(self, job: Job) -> None:
        self.ended.append(Ended(job, run_job(asdict(job))))

    def wait(self, seconds: float) -> list[Ended]:
        ended, self.ended = self.ended, []
        return ended

    def last_line(self, job: Job) -> str:
        return ""

    def stop(self) -> None:
        pass


class Processes:
    """A fresh interpreter for every run, `workers` of them at a time.

    Args:
        folder: for their logs, one for each run, which are kept.
    """

    def __init__(self, workers: int, folder: Path):
        self.slots, self.logs = workers, folder
        self.folder = Path(tempfile.mkdtemp(prefix="latent-arithmetic-"))
        self.running: dict[Job, subprocess.Popen] = {}

    def _files(self, job: Job) -> tuple[Path, Path, Path]:
        question = self.folder / f"{job.name}.job.json"
        answer = self.folder / f"{job.name}.answer.json"
        return question, answer, self.logs / f"{job.name}.log"

    def start(self, job: Job) -> None:
        question, answer, log = self._files(job)
        log.parent.mkdir(parents=True, exist_ok=True)
        answer.unlink(missing_ok=True)
        write_json(question, asdict(job))
        module = "latent_arithmetic.experiments.worker"
        with open(log, "wb") as output:
            self.running[job] = subprocess.Popen(
                [sys.executable, "-m", module, str(question), str(answer)],
                stdin=subprocess.PIPE,  # never written: it closes when we end
                stdout=output,
                stderr=output,
                env=os.environ | thread_variables(),
            )

    def wait(self, seconds: float) -> list[Ended]:
        deadline = time.monotonic() + seconds
        while True:
            done = [
                job for job, each in self.running.items() if each.poll() is not None
            ]
            if done or time.monotonic() > deadline:
                return [self._end(job) for job in done]
            time.sleep(0.1)

    def _end(self, job: Job) -> Ended:
        process = self.running.pop(job)
        process.stdin.close()
        answer = self._files(job)[1]
        if answer.is_file():
            return Ended(job, read_json(answer))
        death, killed = f"it ended with status {process.returncode}", False
        if process.returncode < 0:
            name = signal.Signals(-process.returncode).name
            killed = -process.returncode == getattr(signal, "SIGKILL", None)
            death = f"it was killed ({name})"
            death += ", most likely for want of memory" if killed else ""
        return Ended(job, None, f"{death}; log: {self._files(job)[2]}", killed)

    def last_line(self, job: Job) -> str:
        """What a run printed last."""
        with open(self._files(job)[2], "rb") as log:
            log.seek(max(0, os.fstat(log.fileno()).st_size - LOG_TAIL))
            lines = re.split(r"[\r\n]+", log.read().decode(errors="replace"))
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class OnRay:
    """A task of a Ray cluster for every run, each in a fresh process.

    The package is sent along, without the repository around it, and so are MNIST and
    CryptoPunks; what else it needs (Keras and its backend) has to be there.

    Args:
        address: of the cluster ("auto", "HOST:6379"); None: one on this machine.
        workers: tasks at a time at most; None: as many as the cluster has room for.
            On a cluster with GPUs every run gets one.
    """

    def __init__(self, address: str | None, workers: int | None, **options):
        os.environ.setdefault("RAY_AUTH_MODE", "token")
        try:
            import ray
        except ImportError:
            raise UserError(
                "--on ray needs the package ray: pip install '.[cluster]'"
            ) from None
        self.ray, self.workers, self.threads = ray, workers, threads()
        self.running: dict = {}
        with tempfile.TemporaryDirectory() as data:
            for name in (MNIST, CRYPTOPUNKS):
                shutil.copy(find_data(name), data)
            environment = {
                "py_modules": [str(PACKAGE)],
                "working_dir": data,
                "excludes": ["__pycache__"],
                "env_vars": thread_variables() | {DATA_VARIABLE: "."} | _backend(),
            }
            try:
                ray.init(
                    address,
                    runtime_env=environment,
                    log_to_driver=False,
                    include_dashboard=False if address is None else None,
                    **options,
                )
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise UserError(
                    f"no Ray cluster at {address or 'this machine'}: {error}"
                ) from None
            self.gpus = 1 if ray.cluster_resources().get("GPU") else 0
            task = ray.remote(
                max_calls=1,  # TensorFlow keeps its memory between tasks
                max_retries=0,  # the driver starts a run again, and counts
                num_cpus=self.threads,
                num_gpus=self.gpus,
            )
            self.task = task(run_job)

    @property
    def slots(self) -> int:
        resources = self.ray.cluster_resources()
        room = int(resources.get("CPU", 0)) // self.threads
        room = min(room, int(resources.get("GPU", 0))) if self.gpus else room
        return min(self.workers or room, room)

    def start(self, job: Job) -> None:
        self.running[self.task.remote(asdict(job))] = job

    def wait(self, seconds: float) -> list[Ended]:
        refs = list(self.running)
        ready, _ = self.ray.wait(refs, num_returns=1, timeout=seconds)
        return [self._end(ref) for ref in ready]

    def _end(self, ref) -> Ended:
        job, errors = self.running.pop(ref), self.ray.exceptions
        try:
            return Ended(job, self.ray.get(ref))
        except errors.OutOfMemoryError as error:
            return Ended(job, None, f"its node ran out of memory ({error})", True)
        except errors.RayTaskError as error:
            shown = str(error.cause or error).strip().splitlines()[-1]
            return Ended(job, {"error": shown, "traceback": str(error)})
        except errors.RayError as error:
            shown = f"{type(error).__name__}: {error}".splitlines()[0]
            return Ended(job, None, f"its node or worker died ({shown})")

    def last_line(self, job: Job) -> str:
        return ""

    def stop(self) -> None:
        self.ray.shutdown()


def _backend() -> dict[str, str]:
    """The variables of this process that choose a backend and its arithmetic."""
    names = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS")
    return {name: os.environ[name] for name in names if name in os.environ}


def make_executor(
    on: str, workers: int | None, address: str | None, logs: Path
) -> Here | Processes | OnRay:
    """The executor of that name.

    Raises:
        UserError: an option has no effect there, or Ray is not installed.
    """
    if address and on != "ray":
        raise UserError("--address is for --on ray; leave it out")
    if workers and on == "here":
        raise UserError("--workers is for --on processes or ray; leave it out")
    if on == "ray":
        return OnRay(address, workers)
    if on == "processes":
        return Processes(workers or max(1, (os.cpu_count() or 1) // threads()), logs)
    return Here()
