"""Metrics of images and image sets: against closed forms, and against others'
implementations (prdc, scipy) as oracles."""

import numpy as np
import prdc
import pytest
import sklearn
from scipy.linalg import sqrtm

from latent_arithmetic.images import metrics
from latent_arithmetic.images.metrics import (
    attribute_frequency_errors,
    bits_per_dimension,
    collapse_warning,
    density_coverage,
    diversity,
    duplicate_rates,
    frechet_distance,
    frechet_interval,
    kernel_distance,
    mean_squared_errors,
    nearest_distances,
    palette_fraction,
    precision_recall,
    psnr,
    sample_quality,
    ssim,
)
from latent_arithmetic.io import UserError


def normal(n=300, d=16, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def whitened(n=300, d=6, seed=0):
    """Rows whose own mean is 0 and whose own covariance is the identity, exactly."""
    features = normal(n, d, seed)
    features -= features.mean(axis=0)
    return features @ np.linalg.inv(np.linalg.cholesky(np.cov(features.T))).T


def noise(n=8, height=16, width=16, seed=0):
    generator = np.random.default_rng(seed)
    return generator.integers(256, size=(n, height, width, 3), dtype=np.uint8)


def modes(n=400, count=4, seed=0):
    """Rows around ``count`` far corners, in turn; and the corner of each."""
    corner = np.arange(n) % count
    return normal(n, 8, seed) + 50 * np.eye(8)[corner], corner


# Fréchet distance


def test_frechet_of_two_known_gaussians():
    real, other = whitened(seed=1), whitened(n=200, seed=2)
    sigma, shift = np.array([1, 2, 3, 0.5, 1, 4]), np.array([1, -2, 0, 0, 0.5, 3])
    by_hand = (shift**2).sum() + ((sigma - 1) ** 2).sum()
    assert frechet_distance(real, other * sigma + shift) == pytest.approx(by_hand)
    assert frechet_distance(other * sigma + shift, real) == pytest.approx(by_hand)


def test_frechet_of_equal_and_of_shifted_sets():
    real = normal()
    assert frechet_distance(real, real[::-1]) == pytest.approx(0, abs=1e-6)
    assert frechet_distance(real, real + 0.5) == pytest.approx(16 * 0.25, abs=1e-6)
    assert frechet_distance(real[:, :1], real[:, :1] + 3) == pytest.approx(9)


def test_frechet_is_that_of_the_matrix_square_root():
    mixing = normal(16, 16, seed=3)
    real, other = normal(seed=1) @ mixing, normal(200, seed=2) ** 3 + 1
    first, second = np.cov(real.T), np.cov(other.T)
    root = np.trace(sqrtm(first @ second).real)
    shift = np.square(real.mean(axis=0) - other.mean(axis=0)).sum()
    oracle = shift + np.trace(first) + np.trace(second) - 2 * root
    assert frechet_distance(real, other) == pytest.approx(oracle, rel=1e-8)


def test_frechet_with_fewer_rows_than_features_and_with_copies():
    real, other = normal(20, 64, seed=1), normal(30, 64, seed=2)
    # tr (A B)^1/2 is the sum of the singular values of X Y', X and Y centered.
    first, second = real - real.mean(axis=0), other - other.mean(axis=0)
    shared = np.linalg.svd(first @ second.T, compute_uv=False).sum()
    oracle = (
        np.square(real.mean(axis=0) - other.mean(axis=0)).sum()
        + np.square(first).sum() / 19
        + np.square(second).sum() / 29
        - 2 * shared / np.sqrt(19 * 29)
    )
    assert frechet_distance(real, other) == pytest.approx(oracle, rel=1e-5)
    assert 0 <= frechet_distance(real, real) < 1e-3
    ones = np.ones((5, 64))
    assert frechet_distance(ones, ones) == 0
    assert frechet_distance(ones, ones + 1) == pytest.approx(64)


def test_small_sets_share_the_bias_that_the_docstring_states():
    assert frechet_distance(normal(1000, 256), normal(1000, 256, 1)) == pytest.approx(
        34, rel=0.05
    )


def test_frechet_interval_is_about_as_wide_as_fresh_draws_spread():
    real = normal(500)
    draws = [1.3 * normal(500, seed=seed) for seed in range(1, 41)]
    distances = [frechet_distance(real, draw) for draw in draws]
    low, high = frechet_interval(real, draws[0], seed=0)
    assert low < distances[0] < high
    assert (low, high) == frechet_interval(real, draws[0], seed=0)
    widths = [np.ptp(frechet_interval(real, draw)) for draw in draws[:10]]
    fair = 2 * 1.96 * np.std(distances, ddof=1)
    assert 0.8 * fair < np.mean(widths) < 1.7 * fair


# Kernel distance


def kernel_by_hand(first, second):
    def kernel(x, y):
        return (x @ y / len(x) + 1) ** 3

    def others(rows):
        pairs = [
            kernel(x, y) for i, x in enumerate(rows) for y in np.delete(rows, i, 0)
        ]
        return np.mean(pairs)

    across = np.mean([kernel(x, y) for x in first for y in second])
    return others(first) + others(second) - 2 * across


def test_kernel_distance_by_hand():
    first, second = normal(30, 4), 1.5 * normal(30, 4, seed=1) + 0.3
    found = kernel_distance(first, second, subsets=1, subset_size=30)
    assert found == pytest.approx(kernel_by_hand(first, second))
    fewer = kernel_distance(first, second[:12], subsets=4000)
    assert fewer == pytest.approx(kernel_by_hand(first, second[:12]), rel=0.05)
    with_subsets = kernel_distance(first, second, subsets=2000, subset_size=10)
    assert with_subsets == pytest.approx(kernel_by_hand(first, second), rel=0.05)


def test_kernel_distance_is_unbiased():
    pairs = [(normal(50, 8, seed), normal(50, 8, 1000 + seed)) for seed in range(60)]
    equal = [kernel_distance(*pair, subsets=1) for pair in pairs]
    assert abs(np.mean(equal)) < 3 * np.std(equal) / np.sqrt(len(equal))
    assert min(equal) < 0 < max(equal)
    assert kernel_distance(normal(), normal(seed=1) + 1) > 1


# Precision, recall, density, coverage


@pytest.mark.parametrize("neighbors", [1, 3, 5])
@pytest.mark.parametrize(("scale", "shift", "m"), [(1, 0, 300), (1.2, 0.3, 200)])
def test_balls_against_prdc(neighbors, scale, shift, m):
    real, generated = normal(), scale * normal(m, seed=1) + shift
    oracle = prdc.compute_prdc(real, generated, neighbors)
    assert 0 < oracle["precision"] < 1 and 0 < oracle["coverage"] < 1
    precision, recall = precision_recall(real, generated, neighbors)
    density, coverage = density_coverage(real, generated, neighbors)
    assert precision == pytest.approx(oracle["precision"])
    assert recall == pytest.approx(oracle["recall"])
    assert density == pytest.approx(oracle["density"])
    assert coverage == pytest.approx(oracle["coverage"])


def test_a_bounded_memory_changes_nothing():
    real, generated = normal(), 1.2 * normal(200, seed=1)
    whole = precision_recall(real, generated), density_coverage(real, generated)
    with sklearn.config_context(working_memory=0.01):  # MiB: a few rows at a time
        parts = precision_recall(real, generated), density_coverage(real, generated)
    assert whole == parts


def test_copies_lie_inside_balls_of_no_size():
    """The papers' balls are closed; prdc, with open ones, finds nothing here."""
    repeated = np.repeat(normal(20, 32, seed=4), 6, axis=0)
    assert precision_recall(repeated, repeated[::6]) == (1.0, 1.0)
    assert density_coverage(repeated, repeated)[1] == 1.0
    assert precision_recall(repeated, repeated + 1)[0] == 0.0


def test_dropped_modes_cost_recall_and_coverage_not_precision():
    real, _ = modes()
    generated, corner = modes(800, seed=1)
    half = generated[corner < 2]
    precision, recall = precision_recall(real, generated)
    half_precision, half_recall = precision_recall(real, half)
    assert half_precision == pytest.approx(precision, abs=0.05)
    assert half_recall < 0.6 * recall
    coverage = density_coverage(real, generated)[1]
    assert density_coverage(real, half)[1] < 0.6 * coverage


def test_noise_costs_precision_and_density():
    real, generated = normal(), normal(seed=1)
    noisy = generated + 2 * normal(seed=2)
    assert precision_recall(real, noisy)[0] < 0.5 * precision_recall(real, generated)[0]
    assert density_coverage(real, noisy)[0] < 0.5 * density_coverage(real, generated)[0]


def test_features_that_cannot_be_compared_are_one_clear_error():
    with pytest.raises(UserError, match="same extractor"):
        frechet_distance(normal(d=4), normal(d=5))
    with pytest.raises(UserError, match="same extractor"):
        kernel_distance(normal()[:, :, None], normal()[:, :, None])
    with pytest.raises(UserError, match="at least 2 rows"):
        frechet_distance(normal(), normal(1))
    with pytest.raises(UserError, match="at least 4 rows"):
        precision_recall(normal(3), normal())
    with pytest.raises(UserError, match="at least 6 rows"):
        density_coverage(normal(5), normal())
    with pytest.raises(UserError, match="at least 6 rows"):
        sample_quality(normal(), normal(5), normal())
    with pytest.raises(UserError, match="finite"):
        kernel_distance(normal(), normal() * np.nan)


# Sample quality beside its reference


def test_sample_quality_compares_equally_many_with_one_reference():
    train, test, generated = normal(500), normal(120, seed=1), normal(200, seed=2)
    found = sample_quality(train, test, generated + 1)
    assert found["n"] == found["frechet_distance"].n == 120
    assert found == sample_quality(train, test, generated + 1)
    distance = found["frechet_distance"]
    assert distance.low < distance.value < distance.high
    assert found["frechet_distance_ratio"] > 5
    assert found["kernel_distance"] > 20 * abs(found["kernel_distance_reference"])
    assert "kernel_distance_ratio" not in found
    for name in ("precision", "recall", "density", "coverage"):
        assert found[f"{name}_ratio"] < 0.8
        ratio = found[name] / found[f"{name}_reference"]
        assert found[f"{name}_ratio"] == pytest.approx(ratio)


def test_more_samples_earn_no_better_score():
    found = sample_quality(normal(2000), normal(100, seed=1), normal(2000, seed=2))
    assert 0.6 < found["frechet_distance_ratio"] < 1.6  # uncut, 0.1


def test_sample_quality_of_unseen_real_images_is_the_reference():
    train, test = normal(300), normal(300, seed=1)
    found = sample_quality(train, test, test[::-1])
    distance, reference = found["frechet_distance"], found["frechet_distance_reference"]
    assert distance.value == pytest.approx(reference, abs=1e-3)
    for name in ("kernel_distance", "precision", "recall", "density", "coverage"):
        assert found[name] == pytest.approx(found[f"{name}_reference"], abs=1e-3)
    memorized = sample_quality(train, test, train)
    assert memorized["frechet_distance_ratio"] < 0.01


# Duplicates


def test_nearest_distance_is_exact_across_blocks(monkeypatch):
    monkeypatch.setattr(metrics, "BLOCK", 3)
    train, images = noise(10), noise(7, seed=1)
    images[2] = train[9]
    differences = images[:, None].astype(int) - train[None]
    squares = np.square(differences / 255).mean(axis=(2, 3, 4)).min(axis=1)
    found = nearest_distances(train, images)
    np.testing.assert_allclose(found, np.sqrt(squares), rtol=1e-12)
    assert (found == 0).tolist() == [False, False, True, False, False, False, False]


def test_one_value_one_step_away_is_no_exact_copy():
    train = noise(5, 64, 64)
    images = train.copy()
    images[0, 5, 5, 1] ^= 1
    found = nearest_distances(train, images)
    assert found[0] == pytest.approx(1 / 255 / 12288**0.5) and (found[1:] == 0).all()


def test_duplicates_beside_those_among_held_out_images():
    def rates():
        found = duplicate_rates(train, held_out, generated)
        return [
            found[f"{kind}_duplicate_rate{end}"].value
            for end in ("", "_reference")
            for kind in ("exact", "near")
        ], found["near_duplicate_distance"]

    train, held_out = noise(50), noise(100, seed=1)
    generated = noise(20, seed=2)
    generated[:4] = train[:4]  # exact duplicates
    generated[4:10] = train[4:10]
    generated[4:10, 0, 0, 0] ^= 1  # near-duplicates
    assert rates()[0] == [0.2, 0.5, 0, 0.01]
    held_out[:3] = train[:3]  # now 1% of real images are exact duplicates
    assert rates() == ([0.2, 0.2, 0.03, 0.03], 0)


def test_as_near_as_held_out_images_is_not_too_near():
    train = noise(50)
    one_step_away = train.copy()
    one_step_away[:, 0, 0, 0] ^= 1
    found = duplicate_rates(train, one_step_away, one_step_away)
    assert found["near_duplicate_distance"] > 0
    rates = found["near_duplicate_rate"], found["near_duplicate_rate_reference"]
    assert [(rate.value, rate.n) for rate in rates] == [(0, 50), (0, 50)]


def test_images_that_cannot_be_compared_are_one_clear_error():
    with pytest.raises(UserError, match="one size"):
        nearest_distances(noise(), noise(height=12))
    with pytest.raises(UserError, match="float64"):
        duplicate_rates(noise(), noise(), noise() / 255)
    with pytest.raises(UserError, match="0, 16, 16, 3"):
        nearest_distances(noise(), noise(0))
    with pytest.raises(UserError, match="11 x 11"):
        ssim(noise(height=10), noise(height=10))
    with pytest.raises(UserError, match="equally many"):
        ssim(noise(3), noise(4))


# Palette and attributes


def test_palette_fraction_by_hand():
    palette = np.array([[0, 0, 0], [250, 10, 20]], np.uint8)
    image = np.zeros((1, 2, 2, 3), np.uint8)
    image[0, 0] = [[250, 10, 20], [252, 8, 22]]
    image[0, 1, 1] = [255, 10, 20]
    assert palette_fraction(image, palette) == 0.5
    with pytest.raises(UserError, match="palette"):
        palette_fraction(image, palette / 255)


def test_attribute_frequency_errors_by_hand():
    real = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]], bool)
    generated = np.array([[1, 0, 0], [0, 1, 1]], bool)
    single, pair = attribute_frequency_errors(real, generated)
    assert single == 0  # each as often, but not together:
    assert pair == pytest.approx((0.5 + 0 + 0.5) / 3)
    assert attribute_frequency_errors(real, real[:2])[0] == pytest.approx(0.5)
    assert attribute_frequency_errors(real[:, :1], generated[:, :1])[1] == 0
    with pytest.raises(UserError, match="probabilities"):
        attribute_frequency_errors(real, generated.astype(float))
    with pytest.raises(UserError, match="bool"):
        attribute_frequency_errors(real, generated[:, :2])


# Reconstructions


def test_ssim_by_its_formula():
    """Between constant images only the means differ."""
    images = noise(4, 24, 33)
    np.testing.assert_allclose(ssim(images, images), 1)
    dark, bright = np.full_like(images, 51), np.full_like(images, 153)
    by_hand = (2 * 0.2 * 0.6 + 0.01**2) / (0.2**2 + 0.6**2 + 0.01**2)
    np.testing.assert_allclose(ssim(dark, bright), by_hand, rtol=1e-6)


def test_ssim_ignores_windows_that_leave_the_image():
    """A pixel in the corner lies in one window only, 11 x 11 in the middle in all."""
    images = np.full((1, 21, 21, 3), 100, np.uint8)
    corner, center = images.copy(), images.copy()
    corner[:, 0, 0], center[:, 10, 10] = 255, 255
    assert ssim(images, corner)[0] > 0.999 > 0.9 > ssim(images, center)[0]


def test_psnr_follows_from_the_error():
    images = noise()
    black, gray = np.zeros_like(images), np.full_like(images, 51)
    np.testing.assert_allclose(psnr(black, gray), 20 * np.log10(5), rtol=1e-5)
    np.testing.assert_allclose(
        psnr(images, gray),
        -10 * np.log10(mean_squared_errors(gray, images)),
    )
    tenfold = psnr(black, black + 2) - psnr(black, black + 20)
    np.testing.assert_allclose(tenfold, 20, rtol=1e-5)
    np.testing.assert_allclose(psnr(images, images), 20 * np.log10(510), rtol=1e-5)


def test_bits_per_dimension():
    shape = (4, 4, 3)
    uniform_density, uniform_levels = 0.0, 48 * np.log(256)
    assert bits_per_dimension(uniform_density, shape) == pytest.approx(8)
    assert bits_per_dimension(uniform_levels, shape, discrete=True) == pytest.approx(8)
    sigma = 0.1
    gaussian = 48 * 0.5 * np.log(2 * np.pi * np.e * sigma**2)  # its entropy
    by_hand = 0.5 * np.log2(2 * np.pi * np.e * (256 * sigma) ** 2)
    assert bits_per_dimension(gaussian, shape) == pytest.approx(by_hand)
    two = bits_per_dimension(np.array([0, 48 * np.log(2)]), shape)
    np.testing.assert_allclose(two, [8, 9])


def test_collapse_is_noticed():
    real = noise(60, 8, 8)
    same = np.repeat(real[:1], 60, axis=0)
    assert diversity(same) == 0 and collapse_warning(real, real) is None
    assert "hardly vary" in collapse_warning(same, real)
