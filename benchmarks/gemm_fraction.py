"""Fraction of the peak GEMM throughput that training steps of sequence models reach.

Small recurrent steps stay far below the peak, because each waits for the one before
and multiplies matrices too small to keep all cores busy; the rest goes into
element-wise gates, memory traffic and starting hundreds of tiny operations.
"""

import math
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
from keras import layers, ops

from benchmarks.measure import BenchmarkConfig, Result
from benchmarks.time_to_accuracy import (
    Training,
    prepare_baseline,
    prepare_text_model,
)
from latent_arithmetic.config import FULL
from latent_arithmetic.console import say
from latent_arithmetic.seq2seq.image_to_text import ImageToTextConfig
from latent_arithmetic.seq2seq.pipeline import train
from latent_arithmetic.seq2seq.tasks import TASKS
from latent_arithmetic.seq2seq.text_to_text import TextToTextConfig

GEMM_SIDE = 3_000  # rows and columns of the product that sets the peak
GEMM_TRIES = 5  # the fastest counts
TRAINING_FACTOR = 3  # a backward pass costs two forward passes
WARM_UP_STEPS, TIMED_STEPS = 3, 20
CONFIG = {
    "gemm_side": GEMM_SIDE,
    "gemm_tries": GEMM_TRIES,
    "warm_up_steps": WARM_UP_STEPS,
    "timed_steps": TIMED_STEPS,
}
NOTE = (
    f"The peak is the fastest of {GEMM_TRIES} float32 products of {GEMM_SIDE}x"
    f"{GEMM_SIDE} matrices in the same backend. A text step's operations are counted "
    "from its weight matrices (a multiply and an add are two; backward twice the "
    "forward). An image step's products are counted in its graph by TensorFlow's "
    f"profiler. A step is timed as the median of {TIMED_STEPS} on the same batch, "
    f"after {WARM_UP_STEPS}."
)

Step = tuple[keras.Model, int | None, np.ndarray, np.ndarray]


def gemm_peak() -> float:
    """Floating-point operations a second of one large matrix product."""
    random = np.random.default_rng(0)
    side = (GEMM_SIDE, GEMM_SIDE)
    left, right = (
        ops.convert_to_tensor(random.standard_normal(side, "float32")) for _ in "ab"
    )
    seconds = []
    for _ in range(GEMM_TRIES + 1):
        started = time.perf_counter()
        float(ops.matmul(left, right)[0, 0])
        seconds.append(time.perf_counter() - started)
    return 2 * GEMM_SIDE**3 / min(seconds[1:])


def forward_flops(layer: layers.Layer) -> int:
    """Floating-point operations of the matrix products for one example.

    Every weight matrix is used once at each position: of the sequence in a recurrent
    layer, of the output in a dense or convolutional one.
    """
    if isinstance(layer, keras.Model):
        return sum(map(forward_flops, layer.layers))
    matrices = sum(math.prod(w.shape) for w in _weights(layer) if len(w.shape) > 1)
    if not matrices:
        return 0
    recurrent = isinstance(layer, (layers.RNN, layers.Bidirectional))
    positions = layer.input.shape[1:-1] if recurrent else layer.output.shape[1:-1]
    return 2 * matrices * math.prod(positions)


def _weights(layer: layers.Layer) -> list:
    """The weights of a layer whose shapes tell its operations."""
    known = (
        layers.Dense,
        layers.Conv2D,
        layers.RNN,
        layers.Bidirectional,
        layers.TimeDistributed,
    )
    return layer.weights if isinstance(layer, known) else []


def training_flops(model: keras.Model, batch_size: int) -> int:
    """Floating-point operations of one training step."""
    return TRAINING_FACTOR * batch_size * forward_flops(model)


def traced_flops(model: keras.Model, inputs, targets) -> int | None:
    """Operations of a training step's products, as TensorFlow's profiler counts them.

    Returns:
        None where they cannot be counted: on another backend, or where a loop hides
        them (the profiler would count its body once).
    """
    if keras.backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    arrays = keras.tree.map_structure(tf.convert_to_tensor, (inputs, targets))
    step = tf.function(lambda x, y: model.train_step((x, y)))
    specs = keras.tree.map_structure(tf.TensorSpec.from_tensor, arrays)
    traced = step.get_concrete_function(*specs)
    if any("While" in operation.type for operation in traced.graph.get_operations()):
        return None
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    options["account_type_regexes"] = [".*MatMul.*", ".*Conv2D.*"]
    counted = tf.compat.v1.profiler.profile(traced.graph, cmd="op", options=options)
    return counted.total_float_ops


def step_seconds(model: keras.Model, inputs, targets) -> list[float]:
    """Seconds of each of TIMED_STEPS training steps on one batch."""
    seconds = []
    for _ in range(WARM_UP_STEPS + TIMED_STEPS):
        started = time.perf_counter()
        model.train_on_batch(inputs, targets)  # returns the loss: the step is over
        seconds.append(time.perf_counter() - started)
    return seconds[WARM_UP_STEPS:]


def text_step(training: Training) -> Step:
    """A text model, its operations a step, and a batch."""
    network = getattr(training.model, "encoder_decoder", training.model)
    batch = slice(training.batch_size)
    flops = training_flops(network, training.batch_size)
    return training.model, flops, training.inputs[batch], training.targets[batch]


def image_step() -> Step:
    """The end-to-end image-to-text model, its operations a step, and a batch.

    It has been trained for one step; its accuracy does not matter here.
    """
    task, config = TASKS["image-to-text"], ImageToTextConfig()
    schedule = replace(FULL.image_to_text, epochs=1)
    size = schedule.batch_size
    short = replace(FULL, epoch_examples=size, image_to_text=schedule)
    keeper = keras.callbacks.Callback()  # Keras gives it the compiled model
    with tempfile.TemporaryDirectory() as folder:
        train(task.name, Path(folder), profile=short, config=config, callbacks=[keeper])
    arrays = task.examples(config, config.make_split(), size)
    inputs, targets = (array[:size] for array in arrays)
    return keeper.model, traced_flops(keeper.model, inputs, targets), inputs, targets


def run(config: BenchmarkConfig) -> Result:
    """The fraction of the peak that each kind of step reaches."""
    split = TextToTextConfig().make_split()
    models = {
        "baseline": prepare_baseline(split, 0, config),
        "encoder_decoder": prepare_text_model(split, 0, "encoder-decoder"),
    }
    steps = {name: text_step(training) for name, training in models.items()}
    steps["image_to_text"] = image_step()
    repeats = time_steps(steps, config.repeats, "fraction of peak GEMM throughput")
    result = Result(NOTE, CONFIG | {"batch_size": batch_sizes(steps)}, repeats)
    add_fractions_of_peak(result)
    return result


def batch_sizes(steps: dict[str, Step]) -> dict[str, int]:
    """Examples in a step of every model."""
    return {name: len(inputs) for name, (_, _, inputs, _) in steps.items()}


def time_steps(steps: dict[str, Step], repeats: int, title: str) -> dict:
    """Peak throughput, and operations and seconds of a step of each model.

    All are measured anew in every repeat, in turns.
    """
    peaks: list[float] = []
    measured: dict[str, list[tuple]] = {name: [] for name in steps}
    for repeat in range(1, repeats + 1):
        peaks.append(gemm_peak())
        for name, (model, flops, inputs, targets) in steps.items():
            say(f"{title}, {repeat} of {repeats}: {name}")
            seconds = statistics.median(step_seconds(model, inputs, targets))
            measured[name].append((flops, seconds))
    return {"gemm_flops_per_second": peaks, "step_flops_and_seconds": measured}


def add_fractions_of_peak(result: Result) -> None:
    """Add the peak, and a step's time and fraction of the peak for each model."""
    peaks = result.repeats["gemm_flops_per_second"]
    result.add("peak_gemm_throughput", [peak / 1e9 for peak in peaks], "GFLOP/s")
    for name, measured in result.repeats["step_flops_and_seconds"].items():
        step_time = f"step_time_{name}"
        result.add(step_time, [1e3 * seconds for _, seconds in measured], "ms")
        flops = measured[0][0]
        if flops is None:
            result.notes[step_time] = "operations could not be counted"
            continue
        fractions = [
            flops / seconds / peak
            for (_, seconds), peak in zip(measured, peaks, strict=True)
        ]
        note = f"{flops / 1e6:.0f} MFLOP a step"
        result.add(f"fraction_of_peak_{name}", fractions, "%", note=note)
