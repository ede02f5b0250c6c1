"""The numbers a trained picture model is reported with, on pictures it never saw."""

import numpy as np

from latent_arithmetic.images.data.datasets import Pictures, to_unit
from latent_arithmetic.images.data.palette import find_palette
from latent_arithmetic.images.latent import active_units
from latent_arithmetic.images.quality.distances import quality
from latent_arithmetic.images.quality.features import FeatureMap
from latent_arithmetic.images.quality.metrics import (
    bits_per_dimension,
    diversity,
    mean_squared_errors,
    peak_signal_to_noise,
    structural_similarity,
)
from latent_arithmetic.images.quality.samples import (
    copy_rates,
    marginal_errors,
    on_palette_rate,
)
from latent_arithmetic.images.trained import Trained, in_parts, targets
from latent_arithmetic.progress import say
from latent_arithmetic.results import Number, mean_of_examples

FEWEST_TEST = 10
Numbers = dict[str, Number | float]


def measure_reconstruction(trained: Trained, pictures: Pictures) -> Numbers:
    """How well test pictures are restored, each picture for itself.

    Keys: test_psnr (dB), test_ssim, test_mse, mean_picture_psnr (what the average
    training picture would score, the floor), latent_dim; for a VAE also
    active_latents, and bits_per_dimension, its bound on what a picture costs.
    """
    test = pictures.test
    again = trained.reconstruct(test)
    average = pictures.train.mean(axis=0).round().astype(np.uint8)
    floor = np.broadcast_to(average, test.shape)
    numbers = {
        "test_psnr": mean_of_examples(peak_signal_to_noise(test, again), unit="dB"),
        "test_ssim": mean_of_examples(structural_similarity(test, again)),
        "test_mse": mean_of_examples(mean_squared_errors(test, again)),
        "mean_picture_psnr": mean_of_examples(
            peak_signal_to_noise(test, floor), unit="dB"
        ),
        "latent_dim": trained.model.latent_dim,
    }
    if trained.task == "vae":
        numbers["active_latents"] = active_units(trained.encode(pictures.validation))
        numbers["bits_per_dimension"] = mean_of_examples(
            measure_bits(trained, test, pictures.test_labels)
        )
    return numbers


def measure_bits(
    trained: Trained, images: np.ndarray, labels: np.ndarray
) -> np.ndarray:
    """Bits for each value of uint8 pictures, by a VAE's bound: [n]; given their
    attributes (labels, bool [n, attributes]), if the model was told any.

    A Gaussian's are those of a density, a palette's those of a choice: they cannot
    be compared with each other. Doubled pixels count once for a palette.
    """
    model, chooser = trained.model, trained.model.palette
    told = targets(model, images, labels)
    nats = in_parts(
        lambda part, *values: model.negative_elbo(
            to_unit(part), dict(zip(told, values, strict=True))
        ),
        images,
        *told.values(),
    )
    block = chooser.block if chooser else 1
    height, width = (side // block for side in images.shape[1:3])
    return bits_per_dimension(nats, (height, width, 3), discrete=bool(chooser))


def measure_quality(
    samples: np.ndarray, pictures: Pictures, features: FeatureMap, seed: int = 0
) -> Numbers:
    """How good and how varied generated pictures are, each number beside what as many
    test pictures score against the same training pictures (``_floor``).

    samples: uint8 [n, size, size, 3], as many as there are test pictures.

    Keys: those of ``quality`` and ``copy_rates``; diversity and real_diversity, mean
    distances of pairs; with a palette, on_palette; if the feature map sees attributes,
    marginals and pairs: the mean error of their shares; n. None at all if there are
    fewer than ``FEWEST_TEST`` test pictures.
    """
    if len(pictures.test) < FEWEST_TEST:
        say(f"{len(pictures.test)} test pictures are too few to measure quality by")
        return {}
    chosen = np.random.default_rng(seed).permutation(len(pictures.train))
    reference = pictures.train[chosen[: len(pictures.test)]]
    sets = reference, pictures.test, samples
    numbers: Numbers = quality(*map(features.features, sets), seed=seed)
    low, high = numbers.pop("frechet_low"), numbers.pop("frechet_high")
    n = numbers["n"]
    numbers["frechet"] = Number(numbers["frechet"], low, high, n)
    block = 2 if pictures.has_doubled_pixels else 1
    drawn = (part[:, ::block, ::block] for part in (pictures.train, *sets[1:]))
    numbers |= copy_rates(*drawn)
    numbers["diversity"] = diversity(samples)
    numbers["real_diversity"] = diversity(pictures.test)
    palette = find_palette(pictures.train)
    if palette is not None:
        numbers["on_palette"] = on_palette_rate(samples, palette)
        numbers["on_palette_floor"] = on_palette_rate(pictures.test, palette)
    if features.label_names:
        seen = [features.see(part) for part in sets]
        for end, labels in (("", seen[2]), ("_floor", seen[1])):
            found = marginal_errors(seen[0], labels)
            numbers[f"marginals{end}"] = found.error
            numbers[f"pairs{end}"] = found.pair_error
    return numbers


def measure_judge(features: FeatureMap, pictures: Pictures) -> Numbers:
    """How often a judge is right about test pictures.

    Keys: exact: all attributes right. precision, recall: of all attributes seen, and
    of all there are.
    """
    seen, true = features.see(pictures.test), pictures.test_labels
    both = (seen & true).sum()
    return {
        "exact": mean_of_examples((seen == true).all(axis=1), unit="%"),
        "precision": float(both / max(seen.sum(), 1)),
        "recall": float(both / max(true.sum(), 1)),
    }
