"""How much of what the machine can multiply do the training steps use?

Small recurrent steps stay far below the peak, because each waits for the one before
and multiplies matrices too small to keep all cores busy; the rest goes into
element-wise gates, memory traffic and starting hundreds of tiny operations.
"""

import math
import statistics
import time
from dataclasses import replace

import keras
import numpy as np
from keras import layers, ops

from benchmarks.image_to_text import prepare_step
from benchmarks.measure import Row, spread
from benchmarks.text_race import Runner, enter_baseline, enter_ours
from latent_arithmetic.arithmetic.lessons import Lesson
from latent_arithmetic.progress import say

GEMM_SIDE = 3_000  # rows and columns of the product that sets the peak
GEMM_TRIES = 5  # the fastest counts
TRAINING_FACTOR = 3  # a backward pass costs two forward passes
WARM_STEPS, TIMED_STEPS = 3, 20
NOTE = (
    f"The peak is the fastest of {GEMM_TRIES} float32 products of {GEMM_SIDE}x"
    f"{GEMM_SIDE} matrices in the same backend. A text step's operations are counted "
    "from its weight matrices (a multiply and an add are two; backward twice the "
    "forward); attention's own products, about 1%, are left out. An image step's "
    "products are counted in its graph by TensorFlow's profiler. A step is timed as "
    f"the median of {TIMED_STEPS} on the same batch, after {WARM_STEPS}."
)


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

    Every weight matrix is used once at each place: of the sequence in a recurrent
    layer, of the output in a dense or convolutional one.
    """
    if isinstance(layer, keras.Model):
        return sum(map(forward_flops, layer.layers))
    matrices = sum(math.prod(w.shape) for w in _weights(layer) if len(w.shape) > 1)
    if not matrices:
        return 0
    recurrent = isinstance(layer, (layers.RNN, layers.Bidirectional))
    places = layer.input.shape[1:-1] if recurrent else layer.output.shape[1:-1]
    return 2 * matrices * math.prod(places)


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

    Returns: None where they cannot be counted: on another backend, or where a loop
        hides them (the profiler would count its body once).
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
    for _ in range(WARM_STEPS + TIMED_STEPS):
        started = time.perf_counter()
        model.train_on_batch(inputs, targets)  # returns the loss: the step is over
        seconds.append(time.perf_counter() - started)
    return seconds[WARM_STEPS:]


def text_step(runner: Runner) -> tuple[keras.Model, int, np.ndarray, np.ndarray]:
    """A text model, its operations a step, and a batch."""
    network = getattr(runner.model, "encoder_decoder", runner.model)
    batch = slice(runner.batch_size)
    flops = training_flops(network, runner.batch_size)
    return runner.model, flops, runner.inputs[batch], runner.targets[batch]


def image_step() -> tuple[keras.Model, int | None, np.ndarray, np.ndarray]:
    """The image-to-text model, its operations a step, and a batch."""
    model, (inputs, targets) = prepare_step()
    return model, traced_flops(model, inputs, targets), inputs, targets


def run_share_of_peak(repeats: int) -> tuple[list[Row], str, dict]:
    """The share of the peak each kind of step reaches."""
    parts = Lesson().parts()
    entries = {
        "course baseline, text": text_step(enter_baseline(parts, 0)),
        "attention, text": text_step(enter_ours(parts, 0, "attention")),
        "place-aligned, text": text_step(enter_ours(parts, 0, "place-aligned")),
        "image-to-text": image_step(),
    }
    peaks, steps = steps_in_turns(entries, repeats, "share of the peak")
    details = {"peak, operations a second": peaks}
    details |= {"operations and seconds of a step": steps}
    return peak_rows(peaks, steps), NOTE, details


def steps_in_turns(
    entries: dict[str, tuple], repeats: int, title: str
) -> tuple[list[float], dict[str, list[tuple]]]:
    """The peak, and of each model a step's operations and seconds, anew every repeat.

    entries: models with a step's operations, inputs and targets.
    """
    peaks: list[float] = []
    steps: dict[str, list[tuple]] = {name: [] for name in entries}
    for repeat in range(1, repeats + 1):
        peaks.append(gemm_peak())
        for name, (model, flops, inputs, targets) in entries.items():
            say(f"{title}, {repeat} of {repeats}: {name}")
            seconds = statistics.median(step_seconds(model, inputs, targets))
            steps[name].append((flops, seconds))
    return peaks, steps


def peak_rows(peaks: list[float], steps: dict[str, list[tuple]]) -> list[Row]:
    """The peak, then a step's time and share of it for each model."""
    peak = spread([peak / 1e9 for peak in peaks], "GFLOP/s")
    rows = [Row("GEMM peak", "this machine", peak)]
    for name, measured in steps.items():
        milliseconds = spread([1e3 * seconds for _, seconds in measured], "ms")
        rows.append(Row("a training step", name, milliseconds))
        if measured[0][0] is None:
            rows[-1] = replace(rows[-1], note="operations could not be counted")
            continue
        shares = [
            flops / seconds / peak
            for (flops, seconds), peak in zip(measured, peaks, strict=True)
        ]
        note = f"{measured[0][0] / 1e6:.0f} MFLOP a step"
        rows.append(Row("share of the peak", name, spread(shares, "%"), note=note))
    return rows
