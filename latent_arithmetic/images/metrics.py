"""First measurements: how close a reconstruction is, how varied samples are."""

import numpy as np

COLLAPSED = 0.5  # samples that differ less than this share of real pictures


def mean_squared_errors(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Squared error of pixels in [0, 1], averaged over each picture: [n].

    images, others: uint8 [n, height, width, 3].
    """
    differences = (images.astype(np.float32) - others.astype(np.float32)) / 255
    return np.square(differences).mean(axis=(1, 2, 3))


def peak_signal_to_noise(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """PSNR of every picture in decibels: 20 is rough, 30 is good, 40 hardly differs.

    A perfect picture counts as one wrong by half a step of its 8 bits (54 dB).
    """
    smallest = (0.5 / 255) ** 2
    return -10 * np.log10(np.maximum(mean_squared_errors(images, others), smallest))


def diversity(images: np.ndarray, pairs: int = 500, seed: int = 0) -> float:
    """Mean distance of two different pictures: root mean square of pixels in [0, 1]."""
    generator = np.random.default_rng(seed)
    first = generator.integers(len(images), size=pairs)
    second = (first + generator.integers(1, len(images), size=pairs)) % len(images)
    return float(np.sqrt(mean_squared_errors(images[first], images[second])).mean())


def collapse_warning(samples: np.ndarray, real: np.ndarray) -> str | None:
    """What to do if the samples vary far less than real pictures, else None."""
    found, expected = diversity(samples), diversity(real)
    if found >= COLLAPSED * expected:
        return None
    return (
        f"the samples hardly vary: two of them differ by {found:.3f}, two real "
        f"pictures by {expected:.3f}. Either the GAN trained too short (choose "
        "a longer profile or more epochs), or it collapsed (start again with another "
        "seed, a larger gamma, a lower learning rate or more pictures)"
    )
