"""Preparing all data of Task 2: the assignment's arrays, or codes and a glyph bank.

The assignment's `create_data(99)` samples images of all queries and answers once. By
default, all queries, their codes and the glyph bank are made; images are sampled from
the bank in every training step and never stored. The bank is counted as a whole.

Every measurement is a fresh process; time and memory are measured in different ones,
since tracing is slow.
"""

import argparse
import json
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable

import numpy as np

from benchmarks import baseline
from benchmarks.measure import BenchmarkConfig, Result
from latent_arithmetic.console import say
from latent_arithmetic.io import MNIST, project_folder, read_data
from latent_arithmetic.seq2seq import glyphs
from latent_arithmetic.seq2seq.queries import (
    all_queries,
    encode_answers,
    encode_queries,
)

HIGHEST = 99
MEGABYTE = 1e6  # bytes
NOTE = (
    "Numbers 0 to 99, + and -: queries and answers as text and in handwriting. "
    "The default makes codes and the glyph bank that images are sampled from in "
    "training, and both are counted. MNIST is read and checked in the same way for "
    "both, before: once not counted, once counted (`with_mnist`). Memory is what "
    "Python and NumPy allocate beside MNIST (tracemalloc), at the peak and afterwards. "
    "Every measurement is a fresh process, both methods in turns."
)


def prepare_baseline(mnist: dict[str, np.ndarray]):
    """The assignment's arrays, from MNIST's training file."""
    digits = mnist["x_train"], mnist["y_train"]
    return baseline.create_data(HIGHEST, mnist=digits)


def prepare_default(mnist: dict[str, np.ndarray]):
    """Queries, their codes, their answers' codes, and the glyphs to train with."""
    glyphs.read_data = lambda file_name: mnist  # it has been read
    queries = all_queries()
    bank = glyphs.glyph_bank("train")
    return queries, encode_queries(queries), encode_answers(queries), bank


METHODS = {"baseline": prepare_baseline, "default": prepare_default}


def measure(prepare: Callable, memory: bool) -> dict[str, float]:
    """Prepare the data once in this process.

    Returns:
        Seconds with and without reading MNIST, or megabytes at the peak and kept.
    """
    started = time.perf_counter()
    mnist = read_data(MNIST)
    reading = time.perf_counter() - started
    if memory:
        tracemalloc.start()
    started = time.perf_counter()
    data = prepare(mnist)
    seconds = time.perf_counter() - started
    if not memory:
        return {"time": seconds, "time_with_mnist": reading + seconds}
    kept, peak = tracemalloc.get_traced_memory()
    del data
    return {"peak_memory": peak / MEGABYTE, "kept_memory": kept / MEGABYTE}


def measure_in_new_process(method: str, memory: bool) -> dict[str, float]:
    """`measure` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.data_preparation", method]
    done = subprocess.run(
        command + ["--memory"] * memory,
        capture_output=True,
        text=True,
        cwd=project_folder(),
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run(config: BenchmarkConfig) -> Result:
    """Both methods in turns."""
    repeats: dict[str, list[dict]] = {method: [] for method in METHODS}
    for repeat in range(1, config.repeats + 1):
        for method, measured in repeats.items():
            say(f"data preparation, {repeat} of {config.repeats}: {method}")
            timed = measure_in_new_process(method, memory=False)
            measured.append(timed | measure_in_new_process(method, memory=True))
    return summarize(repeats)


def summarize(repeats: dict[str, list[dict]]) -> Result:
    """An estimate for everything that was measured of each method."""
    result = Result(NOTE, {"highest": HIGHEST}, repeats)
    for name in repeats["baseline"][0]:
        for method, measured in repeats.items():
            unit = "MB" if name.endswith("memory") else "s"
            result.add(f"{name}_{method}", [each[name] for each in measured], unit)
        result.add_ratio(f"{name}_default", f"{name}_baseline")
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="prepare the data once, print JSON")
    parser.add_argument("method", choices=METHODS)
    parser.add_argument("--memory", action="store_true")
    options = parser.parse_args()
    print(json.dumps(measure(METHODS[options.method], options.memory)))
