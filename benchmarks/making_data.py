"""Making the data of the whole task: the course's way, and ours.

The course's `create_data(99)` draws all questions and answers once. Ours makes all
questions, their codes and the bank of glyphs; pictures are drawn from the bank in
every step and never stored. The bank counts as ours, all of it.

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

from benchmarks import course_baseline
from benchmarks.measure import Row, ratio_text, spread
from latent_arithmetic.arithmetic import glyphs
from latent_arithmetic.arithmetic.questions import (
    all_questions,
    encode_answers,
    encode_questions,
)
from latent_arithmetic.data_files import MNIST, read_data
from latent_arithmetic.progress import say
from latent_arithmetic.workspace import project_folder

HIGHEST = 99
MEGABYTE = 1e6  # bytes
MAKERS = ("course baseline", "ours")
NOTE = (
    "Numbers 0 to 99, + and -: questions and answers as text and in handwriting. "
    "Ours keeps codes and the bank of glyphs its pictures are drawn from, and counts "
    "both. MNIST is read and checked alike by both, before: once not counted, once "
    "counted. Memory is what Python and NumPy allocate on top of MNIST (tracemalloc), "
    "at the peak and afterwards. Every measurement is a fresh process, in turns."
)


def make_baseline(mnist: dict[str, np.ndarray]):
    """The course's arrays, of MNIST's train file."""
    digits = mnist["x_train"], mnist["y_train"]
    return course_baseline.create_data(HIGHEST, mnist=digits)


def make_ours(mnist: dict[str, np.ndarray]):
    """Questions, their codes, their answers' codes, and the glyphs to train with."""
    glyphs.read_data = lambda file_name: mnist  # it has been read
    questions = all_questions()
    bank = glyphs.glyph_bank("train")
    return questions, encode_questions(questions), encode_answers(questions), bank


def measure(make: Callable, memory: bool) -> dict[str, float]:
    """Make the data once in this process.

    Returns: seconds reading MNIST and making, or megabytes at the peak and kept.
    """
    started = time.perf_counter()
    mnist = read_data(MNIST)
    reading = time.perf_counter() - started
    if memory:
        tracemalloc.start()
    started = time.perf_counter()
    made = make(mnist)
    making = time.perf_counter() - started
    if not memory:
        return {"making": making, "with MNIST": reading + making}
    kept, peak = tracemalloc.get_traced_memory()
    del made
    return {"peak": peak / MEGABYTE, "kept": kept / MEGABYTE}


def measure_elsewhere(maker: str, memory: bool) -> dict[str, float]:
    """`measure` in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.making_data", maker]
    done = subprocess.run(
        command + ["--memory"] * memory,
        capture_output=True,
        text=True,
        cwd=project_folder(),
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def run_making_data(repeats: int) -> tuple[list[Row], str, dict]:
    """Both makers in turns."""
    measured: dict[str, list[dict]] = {maker: [] for maker in MAKERS}
    for repeat in range(1, repeats + 1):
        for maker, found in measured.items():
            say(f"making the data, {repeat} of {repeats}: {maker}")
            timed = measure_elsewhere(maker, memory=False)
            found.append(timed | measure_elsewhere(maker, memory=True))
    return data_rows(measured), NOTE, measured


def data_rows(measured: dict[str, list[dict]]) -> list[Row]:
    """Two rows for each thing that was measured."""
    rows = []
    for name in measured[MAKERS[0]][0]:
        memory = name in ("peak", "kept")
        what = f"the data: {'memory, ' if memory else 'time, '}{name}"
        baseline, ours = (
            spread([one[name] for one in measured[maker]], "MB" if memory else "s")
            for maker in MAKERS
        )
        rows.append(Row(what, MAKERS[0], baseline))
        rows.append(Row(what, MAKERS[1], ours, ratio_text(ours, baseline)))
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="make the data once, print JSON")
    parser.add_argument("maker", choices=MAKERS)
    parser.add_argument("--memory", action="store_true")
    asked = parser.parse_args()
    makers = dict(zip(MAKERS, (make_baseline, make_ours), strict=True))
    print(json.dumps(measure(makers[asked.maker], asked.memory)))
