"""Training steps of image models: images a second, fraction of peak GEMM throughput."""

from dataclasses import asdict, replace

import keras

from benchmarks.gemm_fraction import (
    CONFIG,
    NOTE,
    Step,
    add_fractions_of_peak,
    batch_sizes,
    time_steps,
    traced_flops,
)
from benchmarks.measure import BenchmarkConfig, Result
from latent_arithmetic.config import FULL
from latent_arithmetic.images.dataset import ImageDataset, image_spec, load_images
from latent_arithmetic.images.pipeline import TASKS, training_arrays
from latent_arithmetic.images.presets import (
    compile_model,
    find_preset,
    resolve,
    training_schedule,
)

IMAGES = 1_000
PRESETS = ("baseline", "default")
MODELS = [(task, preset) for task in ("vae", "gan") for preset in PRESETS]


def image_step(task: str, preset: str, dataset: ImageDataset) -> Step:
    """An image model as it is trained, its operations a step, and a batch."""
    keras.utils.set_random_seed(0)
    spec = image_spec(dataset)
    config = resolve(find_preset(task, preset), spec)
    schedule = training_schedule(FULL, task, config, len(dataset.train))
    config = replace(config, **asdict(schedule))
    model = TASKS[task].build(config, spec, seed=0)
    compile_model(model, config, steps=1_000)
    arrays = training_arrays(task, model, dataset)
    inputs, targets = arrays if isinstance(arrays, tuple) else (arrays, {})
    batch = slice(config.batch_size)
    inputs, targets = keras.tree.map_structure(lambda a: a[batch], (inputs, targets))
    return model, traced_flops(model, inputs, targets), inputs, targets


def run(config: BenchmarkConfig) -> Result:
    """Baseline and default configuration in turns."""
    dataset = load_images(limit=IMAGES)
    steps = {
        f"{preset}_{task}": image_step(task, preset, dataset) for task, preset in MODELS
    }
    repeats = time_steps(steps, config.repeats, "steps of image models")
    return summarize(repeats, batch_sizes(steps))


def summarize(repeats: dict, sizes: dict[str, int]) -> Result:
    """Images a second against the baseline of the same task, and what they use."""
    result = Result(NOTE, CONFIG | {"images": IMAGES, "batch_size": sizes}, repeats)
    for name, measured in repeats["step_flops_and_seconds"].items():
        key, note = f"images_per_second_{name}", f"{sizes[name]} images a step"
        rates = [sizes[name] / seconds for _, seconds in measured]
        result.add(key, rates, "images/s", note=note)
        baseline = f"images_per_second_baseline_{name.split('_')[1]}"
        if key != baseline:
            result.add_ratio(key, baseline, more_is_better=True)
    add_fractions_of_peak(result)
    return result
