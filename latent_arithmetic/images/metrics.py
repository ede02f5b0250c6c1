"""Metrics of images and of image sets: fidelity, diversity, duplicates, likelihood.

Images are uint8 [n, height, width, 3]. Metrics of sets compare features, arrays
[n, d] with one row an image, as a `FeatureExtractor` gives them. Values of two
extractors, or of sets of different sizes, must not be compared. Arrays that do not
belong together, or are too few, raise a `UserError`.
"""

import math
from collections.abc import Iterable, Iterator

import numpy as np
from scipy.stats import norm
from skimage.metrics import structural_similarity
from sklearn.metrics import pairwise_distances_argmin_min, pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from latent_arithmetic.io import UserError
from latent_arithmetic.records import CONFIDENCE, Estimate, fraction_of

SET_METRICS = ("frechet_distance", "kernel_distance")
SET_METRICS += ("precision", "recall", "density", "coverage")
PRECISION_NEIGHBORS = 3  # as Kynkäänniemi et al.
COVERAGE_NEIGHBORS = 5  # as Naeem et al.
HALVES = 20  # random halves of the generated rows for the Fréchet distance's interval
SUBSETS, SUBSET_SIZE = 50, 500  # of the kernel distance
ROUNDING = 1e-6  # of the longest row: distances that differ less count as equal
NEAR_QUANTILE = 0.01  # of held-out distances: below it, an image is a near-duplicate
BLOCK = 1000  # images compared at a time: 100 MB for 64 x 64
SSIM_WINDOW = 11  # pixels
SSIM = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
SSIM |= {"data_range": 1, "channel_axis": -1}
COLLAPSED = 0.5  # fraction of the real diversity below which a GAN counts as collapsed


def mean_squared_errors(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Mean squared error of each image pair, for pixel values in [0, 1]: [n]."""
    differences = (images.astype(np.float32) - others.astype(np.float32)) / 255
    return np.square(differences).mean(axis=(1, 2, 3))


def psnr(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Peak signal-to-noise ratio of each image pair in dB: [n].

    Identical images count as half an 8-bit step apart: 54 dB.
    """
    smallest = (0.5 / 255) ** 2
    return -10 * np.log10(np.maximum(mean_squared_errors(images, others), smallest))


def ssim(images: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Structural similarity (SSIM) of each image pair, at most 1: float64 [n].

    Only windows of 11 x 11 pixels inside the image count, as in the paper.

    Reference: Wang et al. 2004, IEEE TIP 13(4).
    """
    _expect_images(images, others)
    if len(images) != len(others) or min(images.shape[1:3]) < SSIM_WINDOW:
        raise UserError(
            f"received images {list(images.shape)} and {list(others.shape)}; expected "
            f"equally many of at least {SSIM_WINDOW} x {SSIM_WINDOW} pixels"
        )
    pairs = zip(images, others, strict=True)
    return np.array([structural_similarity(a / 255, b / 255, **SSIM) for a, b in pairs])


def bits_per_dimension(
    nats: float | np.ndarray, shape: tuple[int, int, int], *, discrete: bool = False
) -> float | np.ndarray:
    """Negative log-likelihood in bits per pixel value; 8 is a uniform distribution.

    Args:
        nats: negative log-likelihood of an image, or its bound, the negative ELBO.
        shape: (height, width, channels) of the image.
        discrete: whether the likelihood is that of discrete values, such as a
            categorical one. If not, it is a density over [0, 1] in which one of 256
            levels is 1 / 256 wide, so that 8 bits are added.

    Bits of a density and of a discrete likelihood can be compared only if the density
    was measured on dequantized images. A palette's `shape` still counts 3 channels.

    Reference: Theis et al. 2016, arXiv:1511.01844.
    """
    bits = nats / (math.prod(shape) * math.log(2))
    return bits if discrete else bits + 8


def diversity(images: np.ndarray, pairs: int = 500, seed: int = 0) -> float:
    """Mean root-mean-square distance of random pairs, for pixel values in [0, 1]."""
    generator = np.random.default_rng(seed)
    first = generator.integers(len(images), size=pairs)
    second = (first + generator.integers(1, len(images), size=pairs)) % len(images)
    return float(np.sqrt(mean_squared_errors(images[first], images[second])).mean())


def collapse_warning(samples: np.ndarray, real: np.ndarray) -> str | None:
    """A warning if the samples vary far less than real images do, else None."""
    found, expected = diversity(samples), diversity(real)
    if found >= COLLAPSED * expected:
        return None
    return (
        f"the samples hardly vary: two of them differ by {found:.3f}, two real images "
        f"by {expected:.3f}. Either training was too short (choose a longer profile or "
        "more epochs), or the GAN collapsed (start again with another seed, a larger "
        "gamma, a lower learning rate or more images)"
    )


def nearest_distances(train: np.ndarray, images: np.ndarray) -> np.ndarray:
    """Distance of each image to the nearest training image: float64 [n].

    The root mean square over pixel values in [0, 1]. It is exactly 0 for a duplicate
    and for nothing else, since sums of integers below 2^53 are exact in float64.
    """
    _expect_images(train, images)
    train, images = (some.reshape(len(some), -1) for some in (train, images))
    nearest = np.full(len(images), np.inf)
    for start in range(0, len(images), BLOCK):
        rows = slice(start, start + BLOCK)
        for begin in range(0, len(train), BLOCK):
            block = train[begin : begin + BLOCK]
            found = pairwise_distances_argmin_min(images[rows], block)[1]
            nearest[rows] = np.minimum(nearest[rows], found)
    return nearest / (255 * np.sqrt(train.shape[1]))


def duplicate_rates(
    train: np.ndarray, held_out: np.ndarray, generated: np.ndarray
) -> dict[str, Estimate | float]:
    """Fractions of generated images that duplicate a training image.

    Returns:
        `exact_duplicate_rate`: equal to a training image in every pixel.
        `near_duplicate_rate`: equal, or nearer than `near_duplicate_distance`,
        the first percentile of the held-out images' distances to their nearest
        training image. Both again with `_reference`, for the held-out images.
    """
    reference = nearest_distances(train, held_out)
    found = nearest_distances(train, generated)
    near = float(np.quantile(reference, NEAR_QUANTILE))
    rates = {"near_duplicate_distance": near}
    for end, distances in (("", found), ("_reference", reference)):
        exact = distances == 0
        rates[f"exact_duplicate_rate{end}"] = fraction_of(exact)
        rates[f"near_duplicate_rate{end}"] = fraction_of(exact | (distances < near))
    return rates


def palette_fraction(images: np.ndarray, palette: np.ndarray) -> float:
    """Fraction of pixels whose color is exactly one of the palette's."""
    _expect_images(images)
    if palette.dtype != np.uint8 or palette.shape[1:] != (3,):
        raise UserError(
            f"received a palette {palette.dtype} {list(palette.shape)}; expected "
            "uint8 [m, 3]"
        )
    known = np.zeros((256, 256, 256), bool)
    known[tuple(palette.T)] = True
    fractions = [known[tuple(image.reshape(-1, 3).T)].mean() for image in images]
    return float(np.mean(fractions))


def attribute_frequency_errors(
    real: np.ndarray, generated: np.ndarray
) -> tuple[float, float]:
    """Mean absolute difference of attribute frequencies: single and in pairs.

    Args:
        real, generated: attributes, bool [n, k] and [m, k]. Both should be predicted
            by one classifier, or its errors count as the generator's.
    """
    both = real, generated
    fits = all(labels.ndim == 2 and labels.dtype == bool for labels in both)
    if not fits or real.shape[1:] != generated.shape[1:] or not real.size:
        received = " and ".join(f"{a.dtype} {list(a.shape)}" for a in both)
        raise UserError(
            f"received attributes {received}; expected bool [n, k] and [m, k]: apply "
            "a threshold to a classifier's probabilities"
        )
    joint = [values.T @ values / len(values) for values in map(np.float64, both)]
    differences = np.abs(joint[0] - joint[1])
    pairs = differences[np.triu_indices(len(differences), k=1)]
    single = float(differences.diagonal().mean())
    return single, float(pairs.mean()) if len(pairs) else 0.0


def _expect_images(*sets: np.ndarray) -> None:
    fits = len({images.shape[1:] for images in sets}) == 1 and all(
        images.dtype == np.uint8 and images.ndim == 4 and 0 < len(images)
        for images in sets
    )
    if not fits or sets[0].shape[-1] != 3:
        received = ", ".join(f"{a.dtype} {list(a.shape)}" for a in sets)
        raise UserError(
            f"received images {received}; expected uint8 [n, height, width, 3] of one "
            "size (from_unit turns values in [0, 1] into uint8)"
        )


def sample_quality(
    train: np.ndarray, test: np.ndarray, generated: np.ndarray, seed: int = 0
) -> dict[str, Estimate | float]:
    """Metrics of generated features, each beside the real-vs-real reference.

    Args:
        train, test, generated: features [*, d]; those of `test` are of real images
            that the model never saw. All are cut to the size n of the smallest set.
        seed: draws these n rows, and the subsets of the kernel distance.

    Returns:
        `n`; `frechet_distance` (with its interval), `kernel_distance`,
        `precision`, `recall`, `density` and `coverage` of generated against
        training features; each again with `_reference` for test against training
        features, and with `_ratio`, value / reference, where that is meaningful
        (never for the kernel distance, whose reference is about 0).

    A model that repeats training images beats the reference; see `duplicate_rates`.
    """
    sets = train, test, generated
    n = min(len(features) for features in sets)
    generator = np.random.default_rng(seed)
    train, test, generated = (
        features[generator.permutation(len(features))[:n]] for features in sets
    )
    found: dict[str, Estimate | float] = {"n": n}
    references = _set_metrics(train, test, seed)
    for name, value in _set_metrics(train, generated, seed).items():
        found |= {name: value, f"{name}_reference": references[name]}
        if name != "kernel_distance" and references[name] > 0:
            found[f"{name}_ratio"] = value / references[name]
    low, high = frechet_interval(train, generated, seed=seed)
    distance = Estimate(found["frechet_distance"], low, high, n)
    return found | {"frechet_distance": distance}


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Squared Fréchet distance of the Gaussians with both sets' moments, >= 0.

    Args:
        real, generated: features [n, d] and [m, d]; n and m may be smaller than d.

    The estimate is biased upwards by about a constant / n: two sets of 1,000 rows of
    one standard normal with d = 256 are 34 apart. Compare only equal n, and beside the
    real-vs-real reference, which has the same bias.

    Reference: Heusel et al. 2017, arXiv:1706.08500; Chong and Forsyth 2020,
        arXiv:1911.07023.
    """
    real, generated = _expect_features(real, generated, fewest=2)
    return next(_frechet_distances(real, [generated]))


def frechet_interval(
    real: np.ndarray, generated: np.ndarray, halves: int = HALVES, seed: int = 0
) -> tuple[float, float]:
    """95% interval of the Fréchet distance over the draw of the generated images.

    The distance plus and minus 1.96 standard deviations of the distances of random
    halves of the generated rows; 10 to 30% too wide for normals with n = 1,000. It
    covers neither the bias of a small n nor other real images.

    Reference: delete-half jackknife, Shao and Wu 1989.
    """
    real, generated = _expect_features(real, generated, fewest=4)
    generator = np.random.default_rng(seed)
    n = len(generated)
    samples = (generated[generator.permutation(n)[: n // 2]] for _ in range(halves))
    deviation = np.std(list(_frechet_distances(real, samples)), ddof=1)
    half_width = float(norm.ppf(0.5 + CONFIDENCE / 2) * deviation)
    distance = frechet_distance(real, generated)
    return max(distance - half_width, 0.0), distance + half_width


def kernel_distance(
    real: np.ndarray,
    generated: np.ndarray,
    *,
    subsets: int = SUBSETS,
    subset_size: int = SUBSET_SIZE,
    seed: int = 0,
) -> float:
    """Squared maximum mean discrepancy under the kernel (x y / d + 1)^3.

    The mean over random subsets of `subset_size` rows, or of all if there are fewer.
    Unbiased, so that it may be slightly negative.

    Reference: Binkowski et al. 2018, arXiv:1801.01401.
    """
    real, generated = _expect_features(real, generated, fewest=2)
    size = min(subset_size, len(real), len(generated))
    generator = np.random.default_rng(seed)
    distances = []
    for _ in range(subsets):
        first, second = (
            features[generator.choice(len(features), size, replace=False)]
            for features in (real, generated)
        )
        within = _mean_off_diagonal(first) + _mean_off_diagonal(second)
        distances.append(within - 2 * _kernel(first, second).mean())
    return float(np.mean(distances))


def precision_recall(
    real: np.ndarray, generated: np.ndarray, neighbors: int = PRECISION_NEIGHBORS
) -> tuple[float, float]:
    """Improved precision and recall, each in [0, 1].

    A ball around every row reaches to its k-th nearest neighbor in its own set.
    Precision is the fraction of generated rows inside a real ball, recall the fraction
    of real rows inside a generated ball.

    Reference: Kynkäänniemi et al. 2019, arXiv:1904.06991.
    """
    real, generated = _expect_features(real, generated, fewest=neighbors + 1)
    precise = _balls_around(generated, real, _radii(real, neighbors)) > 0
    recalled = _balls_around(real, generated, _radii(generated, neighbors)) > 0
    return float(precise.mean()), float(recalled.mean())


def density_coverage(
    real: np.ndarray, generated: np.ndarray, neighbors: int = COVERAGE_NEIGHBORS
) -> tuple[float, float]:
    """Density (about 1 for real rows, unbounded) and coverage (in [0, 1]).

    Of the balls around real rows only: density is their mean number around a generated
    row, divided by k; coverage is the fraction with a generated row inside.

    Reference: Naeem et al. 2020, arXiv:2002.09797.
    """
    real, generated = _expect_features(real, generated, fewest=neighbors + 1)
    radii = _radii(real, neighbors)
    density = _balls_around(generated, real, radii).mean() / neighbors
    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(generated)
    covered = nearest.kneighbors(real)[0][:, 0] <= radii + _rounding(real)
    return float(density), float(covered.mean())


def _set_metrics(real: np.ndarray, generated: np.ndarray, seed: int) -> dict:
    values = [frechet_distance(real, generated)]
    values += [kernel_distance(real, generated, seed=seed)]
    values += [*precision_recall(real, generated), *density_coverage(real, generated)]
    return dict(zip(SET_METRICS, values, strict=True))


def _expect_features(real: np.ndarray, generated: np.ndarray, fewest: int):
    if np.ndim(real) != 2 or np.shape(real)[1:] != np.shape(generated)[1:]:
        expected = "[n, d] and [m, d], both of the same extractor"
    elif min(len(real), len(generated)) < fewest:
        expected = f"at least {fewest} rows of each: use more images"
    elif not (np.isfinite(real).all() and np.isfinite(generated).all()):
        expected = "finite values: look at the images and the extractor's weights"
    else:
        return np.asarray(real, np.float64), np.asarray(generated, np.float64)
    shapes = f"{np.shape(real)} and {np.shape(generated)}"
    raise UserError(f"received features {shapes}; expected {expected}")


def _frechet_distances(real, samples: Iterable[np.ndarray]) -> Iterator[float]:
    """The trace of (A B)^1/2 is taken as that of the symmetric (A^1/2 B A^1/2)^1/2,
    which also exists if A or B has no inverse."""
    mean, covariance = real.mean(axis=0), np.atleast_2d(np.cov(real.T))
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    for sample in samples:
        other = np.atleast_2d(np.cov(sample.T))
        shared = np.linalg.eigvalsh(root @ other @ root).clip(0)
        spread = np.trace(covariance) + np.trace(other) - 2 * np.sqrt(shared).sum()
        shift = np.square(mean - sample.mean(axis=0)).sum()
        yield max(float(shift + spread), 0.0)


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    similarity = first @ second.T / first.shape[1] + 1
    return similarity * similarity * similarity  # many times faster than ** 3


def _mean_off_diagonal(features: np.ndarray) -> float:
    kernel = _kernel(features, features)
    n = len(features)
    return (kernel.sum() - np.trace(kernel)) / (n * (n - 1))


def _radii(features: np.ndarray, neighbors: int) -> np.ndarray:
    """Distance of each row to its k-th nearest other row: [n]."""
    search = NearestNeighbors(n_neighbors=neighbors, algorithm="brute")
    return search.fit(features).kneighbors()[0][:, -1]


def _balls_around(points, centers, radii) -> np.ndarray:
    """In how many balls each point lies: int [n]. Bounded in memory."""
    reach = radii + _rounding(centers)
    chunks = pairwise_distances_chunked(
        points, centers, reduce_func=lambda block, _: (block <= reach).sum(axis=1)
    )
    return np.concatenate(list(chunks))


def _rounding(features: np.ndarray) -> float:
    return ROUNDING * float(np.linalg.norm(features, axis=1).max())
