"""Time to the Fréchet distance at which the assignment's GAN ends: it, and the default.

The baseline is trained for all its epochs; where it ends is the goal. The default
configuration, trained as in the quick profile, is measured after every epoch until it
is there.
"""

import tempfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np

from benchmarks.measure import BenchmarkConfig, Result, Stopwatch
from benchmarks.time_to_accuracy import StopAtGoal
from latent_arithmetic.config import QUICK, resolve_schedule
from latent_arithmetic.console import say
from latent_arithmetic.images.classifier import FeatureExtractor, feature_extractor
from latent_arithmetic.images.dataset import ImageDataset, image_spec, load_images
from latent_arithmetic.images.gan import GAN
from latent_arithmetic.images.metrics import frechet_distance
from latent_arithmetic.images.pipeline import training_arrays
from latent_arithmetic.images.presets import (
    build_gan,
    compile_model,
    find_preset,
    resolve,
)
from latent_arithmetic.images.sampling import decode, random_latents

PRESETS = ("baseline", "default")
NOTE = (
    "Seconds until the assignment's GAN has had all its epochs, and until the default "
    "configuration is at most as far from training images as that one ended: Fréchet "
    "distance of as many samples as there are validation images, in the features of "
    "the attribute classifier. Measuring is outside the clock; building and compiling "
    "are not. The default is conditional and samples with attributes of validation "
    "images, the baseline is unconditional. Both take turns in one process."
)


def measure_distance(
    model: GAN, dataset: ImageDataset, extractor: FeatureExtractor
) -> float:
    """The Fréchet distance of samples to as many training images."""
    count = len(dataset.validation)
    latents = random_latents(count, model.latent_dim, seed=0)
    if model.n_attributes:
        latents = np.asarray(model.embed(latents, dataset.validation_labels))
    real = extractor.features(dataset.train[:count])
    return frechet_distance(real, extractor.features(decode(model, latents)))


def train_gan(
    preset: str,
    dataset: ImageDataset,
    seed: int,
    measure: Callable[[GAN], float],
    goal: float = 0.0,
) -> list[tuple[float, float]]:
    """Train a preset's GAN to the goal, or to its last epoch.

    Returns:
        Seconds and distance after every epoch.
    """
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    watch = Stopwatch()
    spec = image_spec(dataset)
    config = resolve(find_preset("gan", preset), spec)
    usual = replace(QUICK.gan, epochs=config.max_epochs or QUICK.gan.epochs)
    config = replace(config, **asdict(resolve_schedule(config, usual)))
    model = build_gan(config, spec, seed=seed)
    steps_per_epoch = -(-len(dataset.train) // config.batch_size)
    steps = config.epochs * steps_per_epoch
    compile_model(model, config, steps)
    arrays = training_arrays("gan", model, dataset)
    stop = StopAtGoal(
        watch,
        f"GAN, {preset}, seed {seed}",
        measure=measure,
        is_reached=lambda distance: distance <= goal,
        steps=steps,
        every=steps_per_epoch,
    )
    model.fit(
        *(arrays if isinstance(arrays, tuple) else (arrays,)),
        batch_size=config.batch_size,
        epochs=config.epochs,
        callbacks=[stop],
        verbose=0,
    )
    return [(check.seconds, check.value) for check in stop.checks]


def run(config: BenchmarkConfig) -> Result:
    """Baseline and default configuration in turns, with seeds 1, 2, ..."""
    dataset = load_images(limit=QUICK.max_images)
    with tempfile.TemporaryDirectory() as folder:
        extractor = feature_extractor(dataset, Path(folder), QUICK)

    def measure(model: GAN) -> float:
        return measure_distance(model, dataset, extractor)

    histories: dict[str, list] = {preset: [] for preset in PRESETS}
    for seed in range(1, config.repeats + 1):
        histories["baseline"].append(train_gan("baseline", dataset, seed, measure))
        goal = histories["baseline"][-1][-1][1]
        say(f"the baseline ends at a Fréchet distance of {goal:.2f}")
        histories["default"].append(train_gan("default", dataset, seed, measure, goal))
    result = summarize(histories, len(dataset.validation))
    result.others["feature_extractor"] = extractor.version
    return result


def summarize(histories: dict[str, list], n: int) -> Result:
    """Seconds and final distances; a ratio if the goal was reached every time."""
    result = Result(NOTE, {"max_images": QUICK.max_images}, histories)
    ends = {name: [history[-1] for history in histories[name]] for name in PRESETS}
    for name, last in ends.items():
        note = "ends at " + ", ".join(f"{distance:.2f}" for _, distance in last)
        result.add(f"time_{name}_gan", [seconds for seconds, _ in last], "s", n, note)
    pairs = zip(ends["baseline"], ends["default"], strict=True)
    if all(default[1] <= baseline[1] for baseline, default in pairs):
        result.add_ratio("time_default_gan", "time_baseline_gan")
    return result
