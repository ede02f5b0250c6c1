"""What the runner of experiments costs: checkpoints, and a process for every run.

The same run is done in the driver's process and in one of its own, each by a fresh
command, in turns. In the driver's process the time spent in writing checkpoints is
counted too.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.measure import BenchmarkConfig, Result
from latent_arithmetic.console import say

RUN = "text-to-text-encoder-decoder-random-10-seed-1"
NOTE = (
    f"The run {RUN}, profile full, by `experiments run` in this process and in one of "
    "its own, in turns; the whole command is timed. `checkpoints` is the fraction of "
    "the training's time in which checkpoints are written, one at most every ten "
    "seconds."
)
# A command that does the same as `latent-arithmetic`, and counts what checkpoints cost.
COUNTING = """
import sys, time
from latent_arithmetic.console import import_keras_quietly
import_keras_quietly()
from latent_arithmetic import cli, training
save, spent = training._Resume.save, []
def timed(self):
    started = time.perf_counter()
    save(self)
    spent.append(time.perf_counter() - started)
training._Resume.save = timed
status = cli.main(sys.argv[2:])
open(sys.argv[1], "w").write(str(sum(spent)))
sys.exit(status)
"""


def time_run(where: str, profile: str = "full") -> dict[str, float]:
    """Seconds of the whole command, of the training, and of its checkpoints."""
    with tempfile.TemporaryDirectory() as folder:
        records, count = Path(folder) / "records", Path(folder) / "count"
        options = ["experiments", "run", RUN, "--on", where, "--profile", profile]
        options += ["--records", str(records), "--work", f"{folder}/work"]
        started = time.perf_counter()
        command = [sys.executable, "-c", COUNTING, str(count), *options]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        seconds = time.perf_counter() - started
        training = json.loads((records / f"{RUN}.json").read_text())["seconds"]
        return {
            "seconds": seconds,
            "training": training,
            "checkpoints": float(count.read_text()),
        }


def run(config: BenchmarkConfig) -> Result:
    """Both ways in turns."""
    found: dict[str, list[dict]] = {"here": [], "processes": []}
    for repeat in range(1, config.repeats + 1):
        for where, done in found.items():
            say(f"{where}, {repeat} of {config.repeats}")
            done.append(time_run(where))
    return summarize(found)


def summarize(found: dict[str, list[dict]]) -> Result:
    """The time of both ways, their ratio, and the cost of checkpoints."""
    result = Result(NOTE, {"run": RUN}, found)
    for where, done in found.items():
        result.add(f"time_{where}", [each["seconds"] for each in done], "s")
    pairs = zip(found["processes"], found["here"], strict=True)
    ratios = [own["seconds"] / here["seconds"] for own, here in pairs]
    result.add("processes_to_here", ratios, "ratio")
    costs = [each["checkpoints"] / each["training"] for each in found["here"]]
    result.add("checkpoints", costs, "%")
    return result
