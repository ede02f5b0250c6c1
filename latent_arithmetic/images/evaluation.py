"""The numbers a trained picture model is reported with, on pictures it never saw."""

import numpy as np

from latent_arithmetic.images.datasets import Pictures
from latent_arithmetic.images.metrics import (
    diversity,
    mean_squared_errors,
    peak_signal_to_noise,
)
from latent_arithmetic.images.tasks import COMPARED, Trained
from latent_arithmetic.results import Number, mean_of_examples

ACTIVE = 0.01  # variance of a latent's mean above which it says something (Burda 2016)


def measure_reconstruction(
    trained: Trained, pictures: Pictures
) -> dict[str, Number | float]:
    """PSNR (dB) and mean squared error of test pictures; for a VAE, its active units.

    Keys: test_psnr, test_mse, mean_picture_psnr (what the average training picture
    would score, the floor), latent_dim, and active_latents for a VAE.
    """
    test = pictures.test
    again = trained.reconstruct(test)
    average = pictures.train.mean(axis=0).round().astype(np.uint8)
    floor = np.broadcast_to(average, test.shape)
    numbers = {
        "test_psnr": mean_of_examples(peak_signal_to_noise(test, again), unit="dB"),
        "test_mse": mean_of_examples(mean_squared_errors(test, again)),
        "mean_picture_psnr": mean_of_examples(
            peak_signal_to_noise(test, floor), unit="dB"
        ),
        "latent_dim": trained.model.latent_dim,
    }
    if trained.task == "vae":
        codes = trained.encode(pictures.validation)
        numbers["active_latents"] = int((codes.var(axis=0) > ACTIVE).sum())
    return numbers


def measure_samples(
    trained: Trained, pictures: Pictures, seed: int = 0
) -> dict[str, Number | float]:
    """How much samples vary: mean distance of pairs, also as a share of real pairs'."""
    samples = trained.generate(COMPARED, seed)
    found, expected = diversity(samples), diversity(pictures.test)
    return {
        "diversity": found,
        "real_diversity": expected,
        "relative_diversity": found / expected,
    }
