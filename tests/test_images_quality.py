"""Quality of generated pictures: against closed forms, and against other people's
implementations (prdc, scikit-image, scipy) as oracles."""

import numpy as np
import prdc
import pytest
import sklearn
from scipy.linalg import sqrtm
from skimage.metrics import structural_similarity as skimage_similarity

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.quality import samples
from latent_arithmetic.images.quality.distances import (
    density_coverage,
    frechet_distance,
    frechet_interval,
    kernel_distance,
    precision_recall,
    quality,
)
from latent_arithmetic.images.quality.metrics import (
    bits_per_dimension,
    mean_squared_errors,
    peak_signal_to_noise,
    structural_similarity,
)
from latent_arithmetic.images.quality.samples import (
    copy_rates,
    marginal_errors,
    nearest_distances,
    on_palette_rate,
)


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
    # tr (A B)^1/2 is the sum of the singular values of X Y', X and Y centred.
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


@pytest.mark.parametrize("neighbours", [1, 3, 5])
@pytest.mark.parametrize(("scale", "shift", "m"), [(1, 0, 300), (1.2, 0.3, 200)])
def test_balls_against_prdc(neighbours, scale, shift, m):
    real, generated = normal(), scale * normal(m, seed=1) + shift
    oracle = prdc.compute_prdc(real, generated, neighbours)
    assert 0 < oracle["precision"] < 1 and 0 < oracle["coverage"] < 1
    precision, recall = precision_recall(real, generated, neighbours)
    density, coverage = density_coverage(real, generated, neighbours)
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
    with pytest.raises(UserError, match="same feature map"):
        frechet_distance(normal(d=4), normal(d=5))
    with pytest.raises(UserError, match="same feature map"):
        kernel_distance(normal()[:, :, None], normal()[:, :, None])
    with pytest.raises(UserError, match="at least 2 rows"):
        frechet_distance(normal(), normal(1))
    with pytest.raises(UserError, match="at least 4 rows"):
        precision_recall(normal(3), normal())
    with pytest.raises(UserError, match="at least 6 rows"):
        density_coverage(normal(5), normal())
    with pytest.raises(UserError, match="at least 6 rows"):
        quality(normal(), normal(5), normal())
    with pytest.raises(UserError, match="finite"):
        kernel_distance(normal(), normal() * np.nan)


# Everything beside its floor


def test_quality_compares_equally_many_with_one_reference():
    train, test, generated = normal(500), normal(120, seed=1), normal(200, seed=2)
    numbers = quality(train, test, generated + 1)
    assert numbers["n"] == 120
    assert numbers == quality(train, test, generated + 1)
    assert numbers["frechet_low"] < numbers["frechet"] < numbers["frechet_high"]
    assert numbers["frechet_ratio"] > 5
    assert numbers["kernel"] > 20 * abs(numbers["kernel_floor"])
    assert "kernel_ratio" not in numbers
    for name in ("precision", "recall", "density", "coverage"):
        assert numbers[f"{name}_ratio"] < 0.8
        ratio = numbers[name] / numbers[f"{name}_floor"]
        assert numbers[f"{name}_ratio"] == pytest.approx(ratio)
    assert all(np.isfinite(value) for value in numbers.values())


def test_more_generated_pictures_earn_no_better_score():
    numbers = quality(normal(2000), normal(100, seed=1), normal(2000, seed=2))
    assert 0.6 < numbers["frechet_ratio"] < 1.6  # uncut, 0.1


def test_quality_of_unseen_real_pictures_is_the_floor():
    train, test = normal(300), normal(300, seed=1)
    numbers = quality(train, test, test[::-1])
    for name in ("frechet", "kernel", "precision", "recall", "density", "coverage"):
        assert numbers[name] == pytest.approx(numbers[f"{name}_floor"], abs=1e-3)
    memorised = quality(train, test, train)
    assert memorised["frechet_ratio"] < 0.01


# Copies


def test_nearest_distance_is_exact_across_blocks(monkeypatch):
    monkeypatch.setattr(samples, "BLOCK", 3)
    train, pictures = noise(10), noise(7, seed=1)
    pictures[2] = train[9]
    differences = pictures[:, None].astype(int) - train[None]
    squares = np.square(differences / 255).mean(axis=(2, 3, 4)).min(axis=1)
    found = nearest_distances(train, pictures)
    np.testing.assert_allclose(found, np.sqrt(squares), rtol=1e-12)
    assert (found == 0).tolist() == [False, False, True, False, False, False, False]


def test_one_value_one_step_away_is_no_exact_copy():
    train = noise(5, 64, 64)
    pictures = train.copy()
    pictures[0, 5, 5, 1] ^= 1
    found = nearest_distances(train, pictures)
    assert found[0] == pytest.approx(1 / 255 / 12288**0.5) and (found[1:] == 0).all()


def test_copies_beside_what_held_out_pictures_coincide():
    train, held_out = noise(50), noise(100, seed=1)
    generated = noise(20, seed=2)
    generated[:4] = train[:4]  # exact copies
    generated[4:10] = train[4:10]
    generated[4:10, 0, 0, 0] ^= 1  # nearly
    numbers = copy_rates(train, held_out, generated)
    assert numbers["exact_copies"].value == 0.2 and numbers["exact_copies"].n == 20
    assert numbers["near_copies"].value == 0.5
    assert numbers["exact_copies_floor"].value == 0
    assert numbers["near_copies_floor"].value == 0.01
    assert numbers["near_copies_floor"].n == 100
    held_out[:3] = train[:3]  # now 1% of real pictures are exact copies
    numbers = copy_rates(train, held_out, generated)
    assert numbers["near_distance"] == 0
    assert numbers["near_copies"].value == numbers["exact_copies"].value == 0.2
    assert numbers["exact_copies_floor"].value == 0.03


def test_as_near_as_held_out_pictures_is_not_too_near():
    train = noise(50)
    one_step_away = train.copy()
    one_step_away[:, 0, 0, 0] ^= 1
    numbers = copy_rates(train, one_step_away, one_step_away)
    assert numbers["near_distance"] > 0
    assert numbers["near_copies"].value == numbers["near_copies_floor"].value == 0


def test_pictures_that_cannot_be_compared_are_one_clear_error():
    with pytest.raises(UserError, match="one size"):
        nearest_distances(noise(), noise(height=12))
    with pytest.raises(UserError, match="float64"):
        copy_rates(noise(), noise(), noise() / 255)
    with pytest.raises(UserError, match="0, 16, 16, 3"):
        nearest_distances(noise(), noise(0))
    with pytest.raises(UserError, match="11 x 11"):
        structural_similarity(noise(height=10), noise(height=10))
    with pytest.raises(UserError, match="equally many"):
        structural_similarity(noise(3), noise(4))


# Palette


def test_on_palette_rate_by_hand():
    palette = np.array([[0, 0, 0], [250, 10, 20]], np.uint8)
    picture = np.zeros((1, 2, 2, 3), np.uint8)
    picture[0, 0] = [[250, 10, 20], [252, 8, 22]]
    picture[0, 1, 1] = [255, 10, 20]
    assert on_palette_rate(picture, palette) == 0.5
    assert on_palette_rate(picture, palette, tolerance=1) == 0.5
    assert on_palette_rate(picture, palette, tolerance=2) == 0.75
    assert on_palette_rate(picture, palette, tolerance=5) == 1.0
    with pytest.raises(UserError, match="palette"):
        on_palette_rate(picture, palette / 255)
    with pytest.raises(UserError, match="tolerance -1"):
        on_palette_rate(picture, palette, tolerance=-1)


# Attributes


def test_marginals_and_pairs_by_hand():
    real = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 1], [0, 0, 1]], bool)
    generated = np.array([[1, 0, 0], [0, 1, 1]], bool)
    found = marginal_errors(real, generated)
    np.testing.assert_allclose(found.real, [0.5, 0.5, 0.5])
    np.testing.assert_allclose(found.generated, [0.5, 0.5, 0.5])
    assert found.error == 0  # each as often, but not together:
    assert found.pair_error == pytest.approx((0.5 + 0 + 0.5) / 3)
    fewer = marginal_errors(real, real[:2])
    assert fewer.error == pytest.approx(0.5)
    assert marginal_errors(real[:, :1], generated[:, :1]).pair_error == 0
    with pytest.raises(UserError, match="probabilities"):
        marginal_errors(real, generated.astype(float))
    with pytest.raises(UserError, match="same|bool"):
        marginal_errors(real, generated[:, :2])


# Reconstructions


def test_structural_similarity_is_scikit_images():
    images = noise(4, 24, 33)
    others = np.clip(images * 0.7 + noise(4, 24, 33, seed=1) * 0.3, 0, 255)
    others = others.astype(np.uint8)
    others[3] = 120
    oracle = [
        skimage_similarity(
            image / 255,
            other / 255,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
            data_range=1,
            channel_axis=-1,
        )
        for image, other in zip(images, others, strict=True)
    ]
    found = structural_similarity(images, others)
    np.testing.assert_allclose(found, oracle, atol=1e-7)
    assert found.max() < 0.95 and found[3] < 0.1
    np.testing.assert_allclose(structural_similarity(images, images), 1)


def test_peak_signal_to_noise_follows_from_the_error():
    images = noise()
    black, grey = np.zeros_like(images), np.full_like(images, 51)
    np.testing.assert_allclose(
        peak_signal_to_noise(black, grey), 20 * np.log10(5), rtol=1e-5
    )
    np.testing.assert_allclose(
        peak_signal_to_noise(images, grey),
        -10 * np.log10(mean_squared_errors(grey, images)),
    )
    tenfold = peak_signal_to_noise(black, black + 2) - peak_signal_to_noise(
        black, black + 20
    )
    np.testing.assert_allclose(tenfold, 20, rtol=1e-5)
    np.testing.assert_allclose(
        peak_signal_to_noise(images, images), 20 * np.log10(510), rtol=1e-5
    )


def test_bits_per_dimension():
    shape = (4, 4, 3)
    uniform_density, uniform_levels = 0.0, 48 * np.log(256)
    assert bits_per_dimension(uniform_density, shape) == pytest.approx(8)
    assert bits_per_dimension(uniform_levels, shape, discrete=True) == pytest.approx(8)
    sigma = 0.1
    gaussian = 48 * 0.5 * np.log(2 * np.pi * np.e * sigma**2)  # its entropy
    by_hand = 0.5 * np.log2(2 * np.pi * np.e * (256 * sigma) ** 2)
    assert bits_per_dimension(gaussian, shape) == pytest.approx(by_hand)
    two = bits_per_dimension(np.array([0, 48 * np.log(2)]), shape, levels=32)
    np.testing.assert_allclose(two, [5, 6])
