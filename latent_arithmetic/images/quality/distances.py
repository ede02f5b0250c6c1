"""How far generated pictures are from real ones, measured on their features.

A feature map turns a picture into a vector; here is what comes after it: two arrays
[n, d], one row a picture. Numbers of two feature maps, or of two sizes of sets, must
never be compared; ``quality`` keeps them equal and sets the floor beside each.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from sklearn.metrics import pairwise_distances_chunked
from sklearn.neighbors import NearestNeighbors

from latent_arithmetic.errors import UserError
from latent_arithmetic.results import NORMAL_97_5

PRECISION_NEIGHBOURS = 3  # as Kynkaanniemi et al.
COVERAGE_NEIGHBOURS = 5  # as Naeem et al.
HALVES = 20  # of the generated rows, drawn for the Fréchet distance's interval
SUBSETS, SUBSET_SIZE = 50, 500  # of the kernel distance
ROUNDING = 1e-6  # of the longest row: distances that differ less count as equal


def frechet_distance(real: np.ndarray, generated: np.ndarray) -> float:
    """Squared Fréchet distance of the two Gaussians with the sets' means and
    covariances, 0 or above (Heusel et al. 2017, arXiv:1706.08500).

    real, generated: features [n, d] and [m, d]; n and m may be smaller than d.

    Small sets of one distribution are some way apart: the distance is too large by
    about a constant / n (Chong and Forsyth 2020, arXiv:1911.07023). Two sets of
    1,000 rows of one standard normal with d = 256 are 34 apart, with d = 512 132,
    where the truth is 0. Compare only equal n, and beside the floor, which shares
    the error.

    Raises:
        UserError: the arrays are no features of one map, or have under 2 rows.
    """
    real, generated = _expect_features(real, generated, fewest=2)
    return next(_frechet_distances(real, [generated]))


def frechet_interval(
    real: np.ndarray, generated: np.ndarray, halves: int = HALVES, seed: int = 0
) -> tuple[float, float]:
    """95% interval of the Fréchet distance over the draw of the generated pictures.

    The distance itself, plus and minus 1.96 standard deviations of the distances of
    random halves of the generated rows (the delete-half jackknife of Shao and Wu
    1989). The bias of a half is larger, so only the spread is taken from it. Seen
    10 to 30% too wide for normals with n = 1,000; a bootstrap, which repeats rows,
    40 to 70%. It says nothing of the bias of a small n, nor of other real pictures.

    Raises:
        UserError: the arrays are no features of one map, or have under 4 rows.
    """
    real, generated = _expect_features(real, generated, fewest=4)
    generator = np.random.default_rng(seed)
    n = len(generated)
    samples = (generated[generator.permutation(n)[: n // 2]] for _ in range(halves))
    spread = float(np.std(list(_frechet_distances(real, samples)), ddof=1))
    half_width = NORMAL_97_5 * spread
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
    """Squared maximum mean discrepancy under the kernel (x y / d + 1)^3
    (Binkowski et al. 2018, arXiv:1801.01401).

    The mean over random subsets of both sets, of ``subset_size`` rows or of all if
    there are fewer. Unbiased for every n: about 0 for two sets of one distribution,
    so it may be slightly negative.

    Raises:
        UserError: the arrays are no features of one map, or have under 2 rows.
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
        alike = _mean_of_others(first) + _mean_of_others(second)
        distances.append(alike - 2 * _kernel(first, second).mean())
    return float(np.mean(distances))


def precision_recall(
    real: np.ndarray, generated: np.ndarray, neighbours: int = PRECISION_NEIGHBOURS
) -> tuple[float, float]:
    """Improved precision and recall (Kynkaanniemi et al. 2019, arXiv:1904.06991).

    A ball around every row reaches to its k-th nearest neighbour in its own set.
    Precision is the share of generated rows inside a real ball (are they good?),
    recall the share of real rows inside a generated ball (is all there?).

    Raises:
        UserError: the arrays are no features of one map, or have too few rows.
    """
    real, generated = _expect_features(real, generated, fewest=neighbours + 1)
    good = _balls_around(generated, real, _radii(real, neighbours)) > 0
    found = _balls_around(real, generated, _radii(generated, neighbours)) > 0
    return float(good.mean()), float(found.mean())


def density_coverage(
    real: np.ndarray, generated: np.ndarray, neighbours: int = COVERAGE_NEIGHBOURS
) -> tuple[float, float]:
    """Density and coverage (Naeem et al. 2020, arXiv:2002.09797).

    The balls are those of the real rows alone, so that stray generated rows cannot
    inflate the result. Density is the mean number of real balls around a generated
    row, divided by k (about 1 for real rows, may be larger); coverage is the share of
    real balls with a generated row inside, in [0, 1].

    Raises:
        UserError: the arrays are no features of one map, or have too few rows.
    """
    real, generated = _expect_features(real, generated, fewest=neighbours + 1)
    radii = _radii(real, neighbours)
    density = _balls_around(generated, real, radii).mean() / neighbours
    nearest = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(generated)
    covered = nearest.kneighbors(real)[0][:, 0] <= radii + _rounding(real)
    return float(density), float(covered.mean())


def quality(
    real_train_features: np.ndarray,
    real_test_features: np.ndarray,
    generated_features: np.ndarray,
    seed: int = 0,
) -> dict[str, float]:
    """Every distance of generated pictures, beside what unseen real ones score.

    Args:
        real_train_features: [*, d], the reference of both comparisons.
        real_test_features: [*, d], real pictures the model never saw: the floor.
        generated_features: [*, d].
        seed: draws the same n rows of each (all sets are cut to the smallest) and
            the subsets of the kernel distance.

    Returns:
        n; frechet, kernel, precision, recall, density and coverage of the generated
        rows against the reference; each again with ``_floor`` for the test rows
        against the same reference, and with ``_ratio``, value / floor, where the
        floor is above 0 (never for the kernel distance, whose floor is about 0);
        frechet_low and frechet_high, the 95% interval of ``frechet_interval``.

    A model that repeats its training pictures scores better than the floor: read a
    good result with ``latent_arithmetic.images.quality.samples.copy_rates``.

    Raises:
        UserError: the arrays are no features of one map, or have too few rows.
    """
    sets = real_train_features, real_test_features, generated_features
    n = min(len(features) for features in sets)
    generator = np.random.default_rng(seed)
    reference, test, generated = (
        features[generator.permutation(len(features))[:n]] for features in sets
    )
    numbers = {"n": n}
    floors = _distances(reference, test, seed)
    for name, value in _distances(reference, generated, seed).items():
        numbers |= {name: value, f"{name}_floor": floors[name]}
        if name != "kernel" and floors[name] > 0:
            numbers[f"{name}_ratio"] = value / floors[name]
    low, high = frechet_interval(reference, generated, seed=seed)
    return numbers | {"frechet_low": low, "frechet_high": high}


def _distances(real: np.ndarray, generated: np.ndarray, seed: int) -> dict[str, float]:
    precision, recall = precision_recall(real, generated)
    density, coverage = density_coverage(real, generated)
    return {
        "frechet": frechet_distance(real, generated),
        "kernel": kernel_distance(real, generated, seed=seed),
        "precision": precision,
        "recall": recall,
        "density": density,
        "coverage": coverage,
    }


def _expect_features(
    real: np.ndarray, generated: np.ndarray, fewest: int
) -> tuple[np.ndarray, np.ndarray]:
    """Both as float64, if they are finite, [n, d] with one d and enough rows."""
    shapes = f"received features {np.shape(real)} and {np.shape(generated)}"
    if np.ndim(real) != 2 or np.shape(real)[1:] != np.shape(generated)[1:]:
        raise UserError(
            f"{shapes}; expected [n, d] and [m, d], both from the same feature map"
        )
    if min(len(real), len(generated)) < fewest:
        raise UserError(
            f"{shapes}; expected at least {fewest} rows of each: use more pictures"
        )
    real, generated = np.asarray(real, np.float64), np.asarray(generated, np.float64)
    if not (np.isfinite(real).all() and np.isfinite(generated).all()):
        raise UserError(
            f"{shapes} with values that are no finite numbers; look for them in the "
            "pictures and in the weights of the feature map"
        )
    return real, generated


def _frechet_distances(
    real: np.ndarray, samples: Iterable[np.ndarray]
) -> Iterator[float]:
    """The distance of each sample. The trace of (A B)^1/2 is taken as that of the
    symmetric (A^1/2 B A^1/2)^1/2, which also exists if A or B has no inverse."""
    mean, covariance = real.mean(axis=0), _covariance(real)
    values, vectors = np.linalg.eigh(covariance)
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    for sample in samples:
        other = _covariance(sample)
        shared = np.linalg.eigvalsh(root @ other @ root).clip(0)
        spread = np.trace(covariance) + np.trace(other) - 2 * np.sqrt(shared).sum()
        shift = np.square(mean - sample.mean(axis=0)).sum()
        yield max(float(shift + spread), 0.0)


def _covariance(features: np.ndarray) -> np.ndarray:
    return np.atleast_2d(np.cov(features, rowvar=False))


def _kernel(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    similarity = first @ second.T / first.shape[1] + 1
    return similarity * similarity * similarity  # many times faster than ** 3


def _mean_of_others(features: np.ndarray) -> float:
    """The kernel's mean over all pairs of different rows."""
    kernel = _kernel(features, features)
    n = len(features)
    return (kernel.sum() - np.trace(kernel)) / (n * (n - 1))


def _radii(features: np.ndarray, neighbours: int) -> np.ndarray:
    """How far the k-th nearest other row is from every row: [n]."""
    search = NearestNeighbors(n_neighbors=neighbours, algorithm="brute")
    return search.fit(features).kneighbors()[0][:, -1]


def _balls_around(
    points: np.ndarray, centres: np.ndarray, radii: np.ndarray
) -> np.ndarray:
    """In how many balls every point lies: int [n]. Bounded in memory."""
    reach = radii + _rounding(centres)
    chunks = pairwise_distances_chunked(
        points, centres, reduce_func=lambda block, _: (block <= reach).sum(axis=1)
    )
    return np.concatenate(list(chunks))


def _rounding(features: np.ndarray) -> float:
    return ROUNDING * float(np.linalg.norm(features, axis=1).max())
