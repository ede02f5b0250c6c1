"""First measurements: how close a reconstruction is, how varied samples are."""

import math

import cv2
import numpy as np

from latent_arithmetic.errors import UserError

WINDOW, WINDOW_SIGMA = 11, 1.5  # of the structural similarity, in pixels
SMALLEST_MEAN, SMALLEST_VARIANCE = 0.01**2, 0.03**2  # its constants, for [0, 1]
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


def expect_alike(*sets: np.ndarray) -> None:
    """Refuse anything but pictures uint8 [n, height, width, 3] of one size.

    Raises:
        UserError: says what was received.
    """
    sizes = {pictures.shape[1:] for pictures in sets}
    shapes_fit = all(pictures.ndim == 4 and len(pictures) for pictures in sets)
    bytes_only = all(pictures.dtype == np.uint8 for pictures in sets)
    if not (shapes_fit and bytes_only and len(sizes) == 1 and sets[0].shape[-1] == 3):
        received = ", ".join(f"{p.dtype} {list(p.shape)}" for p in sets)
        raise UserError(
            f"received pictures {received}; expected uint8 [n, height, width, 3] of "
            "one size (from_unit and from_signed turn values into uint8)"
        )


def structural_similarity(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """SSIM of every picture, averaged over places and colours: float64 [n], 1 for
    equal pictures, about 0 for unrelated ones (Wang et al. 2004, IEEE TIP 13(4)).

    Only windows that lie inside the picture count, as in the paper; a picture of
    doubled pixels therefore differs in score from the same one at half the size.
    images, others: uint8 [n, height, width, 3].

    Raises:
        UserError: the pictures differ in number or size, or are below 11 pixels.
    """
    expect_alike(images, others)
    if len(images) != len(others) or min(images.shape[1:3]) < WINDOW:
        raise UserError(
            f"received pictures {list(images.shape)} and {list(others.shape)}; "
            f"expected equally many of at least {WINDOW} x {WINDOW} pixels"
        )
    pairs = zip(images, others, strict=True)
    return np.array([_similarity(image / 255, other / 255) for image, other in pairs])


def _similarity(image: np.ndarray, other: np.ndarray) -> float:
    mean, other_mean = _window_means(image), _window_means(other)
    variance = _window_means(image**2) - mean**2
    other_variance = _window_means(other**2) - other_mean**2
    covariance = _window_means(image * other) - mean * other_mean
    light = (2 * mean * other_mean + SMALLEST_MEAN) / (
        mean**2 + other_mean**2 + SMALLEST_MEAN
    )
    structure = (2 * covariance + SMALLEST_VARIANCE) / (
        variance + other_variance + SMALLEST_VARIANCE
    )
    return float((light * structure).mean())


def _window_means(values: np.ndarray) -> np.ndarray:
    """Gaussian averages around the pixels whose window lies inside the picture."""
    border = WINDOW // 2
    smooth = cv2.GaussianBlur(values, (WINDOW, WINDOW), WINDOW_SIGMA)
    return smooth[border:-border, border:-border]


def bits_per_dimension(
    nats_per_picture: float | np.ndarray,
    shape: tuple[int, ...],
    *,
    discrete: bool = False,
    levels: int = 256,
) -> float | np.ndarray:
    """Bits for each of the picture's height * width * colours values; 8 is no model.

    Args:
        nats_per_picture: negative log-likelihood, or its bound, the negative ELBO;
            summed over the picture's values.
        shape: (height, width, colours) of a picture.
        discrete: whether the likelihood is one of the ``levels`` themselves, such as
            a categorical one; its bits are taken as they are. Else it is a density
            over [0, 1], where one level is 1 / levels wide: log2(levels) is added.
        levels: of a value: 256 for 8 bits.

    A density's bits bound those of a discrete model, and may be compared with them,
    only if they were measured on dequantised pictures, (value + u) / 256 with u
    uniform in [0, 1) (Theis et al. 2016, arXiv:1511.01844). On the levels themselves
    a narrow density gains bits without end: compare such numbers with each other at
    most. Where one category stands for a whole pixel (a palette), ``shape`` still
    counts its 3 colours. The numbers of two picture sizes cannot be compared.
    """
    bits = nats_per_picture / (math.prod(shape) * math.log(2))
    return bits if discrete else bits + math.log2(levels)


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
