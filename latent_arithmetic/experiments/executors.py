"""Where experiments run: in this process, in processes of their own, or on Ray.

Every executor has `slots`, the number of experiments that it runs at the same time,
and the methods `start(job)`, `wait(seconds)`, which returns the outcomes of those that
have ended, `last_line(name)` and `stop()`.
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

from latent_arithmetic.console import interruption
from latent_arithmetic.experiments.worker import Job, run_job
from latent_arithmetic.io import (
    CONTENT_CHECKSUMS,
    DATA_VARIABLE,
    UserError,
    find_data,
    first_line,
    make_folder,
    read_json,
    write_json,
)

PACKAGE = Path(__file__).resolve().parents[1]
THREADS_VARIABLE = "LATENT_ARITHMETIC_THREADS"
THREADS = 2  # of one experiment; another number may round sums differently
LOG_TAIL = 4_000  # bytes of a log in which its last line is searched


def threads() -> int:
    """The number of threads of one experiment."""
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
class Outcome:
    """How an attempt at an experiment ended.

    Args:
        name: of the experiment.
        reply: of `run_job`; None if the process crashed before it could reply.
        crash: how it crashed.
        out_of_memory: whether that was, most likely, for lack of memory.
    """

    name: str
    reply: dict | None = None
    crash: str = ""
    out_of_memory: bool = False


@dataclass
class InProcess:
    """One experiment after the other, in this process."""

    slots: int = 1
    outcomes: list[Outcome] = field(default_factory=list)

    def start(self, job: Job) -> None:
        self.outcomes.append(Outcome(job.name, run_job(asdict(job))))
        interruption.raise_if_requested()

    def wait(self, seconds: float) -> list[Outcome]:
        ended, self.outcomes = self.outcomes, []
        return ended

    def last_line(self, name: str) -> str:
        return ""

    def stop(self) -> None:
        pass


class Subprocesses:
    """A fresh interpreter for every experiment, `workers` of them at a time.

    Args:
        folder: gets a log of every experiment, and while they run their jobs and
            replies.
    """

    def __init__(self, workers: int, folder: Path):
        self.slots, self.logs, self.jobs = workers, folder / "logs", folder / "jobs"
        self.running: dict[str, subprocess.Popen] = {}

    def start(self, job: Job) -> None:
        make_folder(self.logs)
        job_file, reply = self.jobs / f"{job.name}.json", self._reply(job.name)
        reply.unlink(missing_ok=True)
        write_json(job_file, asdict(job))
        module = "latent_arithmetic.experiments.worker"
        with open(self._log(job.name), "wb") as output:
            self.running[job.name] = subprocess.Popen(
                [sys.executable, "-m", module, str(job_file), str(reply)],
                stdin=subprocess.PIPE,  # never written: it closes when we end
                stdout=output,
                stderr=output,
                env=os.environ | thread_variables(),
            )

    def _reply(self, name: str) -> Path:
        return self.jobs / f"{name}.reply.json"

    def _log(self, name: str) -> Path:
        return self.logs / f"{name}.log"

    def wait(self, seconds: float) -> list[Outcome]:
        deadline = time.monotonic() + seconds
        while True:
            running = self.running.items()
            done = [name for name, each in running if each.poll() is not None]
            if done or time.monotonic() > deadline:
                return [self._outcome(name) for name in done]
            time.sleep(0.1)

    def _outcome(self, name: str) -> Outcome:
        process, log = self.running.pop(name), self._log(name)
        process.stdin.close()
        try:
            return Outcome(name, read_json(self._reply(name)))
        except UserError:
            number = -process.returncode
        if number <= 0:
            return Outcome(name, None, f"it ended with status {-number}; log: {log}")
        killed = number == getattr(signal, "SIGKILL", None)
        crash = f"it was stopped by signal {number} ({signal.strsignal(number)})"
        crash += ", most likely for lack of memory" if killed else ""
        return Outcome(name, None, f"{crash}; log: {log}", killed)

    def last_line(self, name: str) -> str:
        """What an experiment printed last."""
        try:
            with open(self._log(name), "rb") as log:
                log.seek(max(0, os.fstat(log.fileno()).st_size - LOG_TAIL))
                lines = re.split(r"[\r\n]+", log.read().decode(errors="replace"))
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")

    def stop(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        shutil.rmtree(self.jobs, ignore_errors=True)


class RayCluster:
    """A task of a Ray cluster for every experiment, each in a fresh process.

    The package is sent along, without the repository around it, and so are the
    data files; Keras and its backend, and other data, have to be on every node. On a
    cluster with GPUs every experiment gets one.

    Args:
        address: of a running cluster ("auto", "HOST:6379"); None: start one here.
        workers: tasks at a time at most; None: as many as the cluster has room for.
    """

    def __init__(self, address: str | None, workers: int | None, **options):
        os.environ.setdefault("RAY_AUTH_MODE", "token")  # read when Ray is imported
        try:
            import ray
        except ImportError:
            raise UserError(
                "--on ray needs the package ray: pip install '.[cluster]'"
            ) from None
        self.ray, self.workers, self.threads = ray, workers, threads()
        self.running: dict = {}
        with tempfile.TemporaryDirectory() as data:
            for name in CONTENT_CHECKSUMS:
                shutil.copy(find_data(name), data)
            environment = {
                "py_modules": [str(PACKAGE)],
                "working_dir": data,
                "excludes": ["__pycache__"],
                "env_vars": thread_variables() | {DATA_VARIABLE: "."} | _backend(),
            }
            errors = (ConnectionError, RuntimeError, ValueError)
            try:
                ray.init(
                    address or "local",
                    runtime_env=environment,
                    log_to_driver=False,
                    logging_level="CRITICAL",
                    include_dashboard=False if address is None else None,
                    **options,
                )
            except (*errors, ray.exceptions.RayError) as error:
                where = address or "this machine"
                raise UserError(f"no Ray cluster at {where}: {error}") from None
        self.gpus = 1 if ray.cluster_resources().get("GPU") else 0
        if not self.slots:
            raise UserError(
                f"no node of the Ray cluster has the {self.threads} CPUs that one "
                f"experiment needs; add a node, or set {THREADS_VARIABLE} to fewer"
            )
        task = ray.remote(
            max_calls=1,  # TensorFlow keeps its memory between tasks
            max_retries=0,  # the driver starts it again, and counts
            num_cpus=self.threads,
            num_gpus=self.gpus,
        )
        self.task = task(run_job)

    @property
    def slots(self) -> int:
        """How many experiments fit on the nodes that are alive."""
        nodes = [each["Resources"] for each in self.ray.nodes() if each["Alive"]]
        room = sum(int(node.get("CPU", 0)) // self.threads for node in nodes)
        if self.gpus:
            room = min(room, sum(int(node.get("GPU", 0)) for node in nodes))
        return min(self.workers or room, room)

    def start(self, job: Job) -> None:
        self.running[self.task.remote(asdict(job))] = job.name

    def wait(self, seconds: float) -> list[Outcome]:
        if not self.running:  # no node has room now; others may come
            time.sleep(seconds)
            return []
        ready, _ = self.ray.wait(list(self.running), num_returns=1, timeout=seconds)
        return [self._outcome(ref) for ref in ready]

    def _outcome(self, ref) -> Outcome:
        name, errors = self.running.pop(ref), self.ray.exceptions
        try:
            return Outcome(name, self.ray.get(ref))
        except errors.OutOfMemoryError as error:
            crash = f"its node ran out of memory ({first_line(error)})"
            return Outcome(name, None, crash, out_of_memory=True)
        except errors.RayTaskError as error:
            shown = first_line(error.cause or error)
            return Outcome(name, {"error": shown, "traceback": str(error)})
        except errors.RayError as error:
            shown = first_line(error).partition(". ")[0]
            return Outcome(name, None, f"its node or worker died ({shown})")

    def last_line(self, name: str) -> str:
        return ""

    def stop(self) -> None:
        self.ray.shutdown()


def _backend() -> dict[str, str]:
    """The variables of this process that choose a backend and its arithmetic."""
    names = ("KERAS_BACKEND", "TF_ENABLE_ONEDNN_OPTS")
    return {name: os.environ[name] for name in names if name in os.environ}


Executor = InProcess | Subprocesses | RayCluster


def make_executor(
    on: str, workers: int | None, address: str | None, work: Path
) -> Executor:
    """The executor "here", "processes" or "ray".

    Raises:
        UserError: an option has no effect there, or Ray is not installed.
    """
    if address and on != "ray":
        raise UserError("--address is for --on ray; leave it out")
    if workers and on == "here":
        raise UserError("--workers is for --on processes or ray; leave it out")
    if on == "ray":
        return RayCluster(address, workers)
    if on == "processes":
        return Subprocesses(workers or max(1, (os.cpu_count() or 1) // threads()), work)
    return InProcess()
