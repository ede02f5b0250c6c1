"""CAE, VAE and GAN: losses against hand values, isolated players, averaged weights."""

import keras
import numpy as np
import pytest
from keras import ops

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.models.autoencoder import Autoencoder
from latent_arithmetic.images.models.contest import ContestSettings
from latent_arithmetic.images.models.designs import Canvas
from latent_arithmetic.images.models.gan import GAN, GANSettings, translate
from latent_arithmetic.images.models.likelihoods import (
    COURSE_SIGMA,
    GaussianLikelihood,
    PaletteLikelihood,
    nats_of_choices,
)
from latent_arithmetic.images.models.networks import build_conv_net, build_deconv_net
from latent_arithmetic.images.models.recipes import RECIPES, find_recipe
from latent_arithmetic.images.models.vae import VAE, kl_divergence
from latent_arithmetic.images.models.vae_gan import VAEGAN

SIDE, LATENTS = 8, 3
SMALL = {"channels": (4, 6), "activation": "leaky_relu"}


def pictures(n=8, low=0.0):
    values = np.random.default_rng(0).uniform(low, 1, (n, SIDE, SIDE, 3))
    return values.astype("float32")


def down(units, **arguments):
    return build_conv_net((SIDE, SIDE, 3), units, **SMALL, **arguments)


def up(**arguments):
    return build_deconv_net(LATENTS, (SIDE, SIDE, 3), **SMALL, **arguments)


def small_gan(**settings):
    return GAN(up(output_activation="tanh"), down(1), GANSettings(**settings))


def small_vae_gan(sharpness=2.0, gamma=0.5):
    settings = ContestSettings(gamma=gamma)
    networks = down(2 * LATENTS), up(), GaussianLikelihood(1.0)
    return VAEGAN(*networks, down(1), settings, sharpness=sharpness)


def as_numpy(weights):
    return [ops.convert_to_numpy(w).copy() for w in weights]


def changed(before, weights):
    return [
        bool(np.any(old != new))
        for old, new in zip(before, as_numpy(weights), strict=True)
    ]


def test_kl_by_hand_of_every_latent():
    mean = np.array([[1.0, 2.0], [0.0, 0.0]], "float32")
    log_variance = np.log(np.array([[1.0, 4.0], [1.0, 1.0]], "float32"))
    # 0.5 (1 + 1 - 1 - 0), 0.5 (4 + 4 - 1 - ln 4), and 0.
    by_hand = [[0.5, 0.5 * (7 - np.log(4))], [0.0, 0.0]]
    found = ops.convert_to_numpy(kl_divergence(mean, log_variance))
    np.testing.assert_allclose(found, by_hand, rtol=1e-6, atol=1e-6)


def vae_loss(vae, x, reconstruction, y=None):
    """Its loss with means whose KL is 0.5, 2, 0 and 4.5 nats, and logits of 0."""
    mean = np.array([[1, 0, 0], [0, 2, 0], [0, 0, 0], [0, 0, 3]], "float32")
    vae.decoder = lambda codes, training: reconstruction
    parts = mean, np.zeros_like(mean), np.zeros((4, vae.told), "float32")
    return float(vae.compute_loss(x=x, y=y, y_pred=parts))


def test_vae_loss_by_hand_averaged_over_the_batch():
    x, reconstruction = pictures(4), pictures(4)[::-1]
    kl = (1 + 4 + 0 + 9) / 2 / 4
    squares = ((x - reconstruction) ** 2).sum(axis=(1, 2, 3))
    n_values = SIDE * SIDE * 3
    course = VAE(down(2 * LATENTS), up(), GaussianLikelihood(COURSE_SIGMA))
    loss = vae_loss(course, x, reconstruction)
    constant = n_values / 2 * np.log(np.pi)
    assert loss == pytest.approx(squares.mean() + kl + constant, rel=1e-5)

    variance = squares.mean() / n_values
    gaussian = n_values / 2 * (np.log(2 * np.pi * variance) + 1)
    vae = VAE(down(2 * LATENTS), up())
    loss = vae_loss(vae, x, reconstruction)
    assert loss == pytest.approx(gaussian + kl, rel=1e-5)


def test_warm_up_free_bits_and_weight_of_the_kl_by_hand():
    """Means over the batch: the latents spend 1/8, 4/8 and 9/8 nats."""
    x = pictures(4)
    settings = {"warm_up": 4, "free_bits": 0.25, "kl_weight": 0.5}
    vae = VAE(down(2 * LATENTS), up(), GaussianLikelihood(1.0), **settings)
    error = SIDE * SIDE * 3 / 2 * np.log(2 * np.pi)
    charged = 0.5 * (0.25 + 4 / 8 + 9 / 8)
    for weight in (0.25, 0.5, 0.75, 1.0, 1.0):
        loss = vae_loss(vae, x, x)
        assert loss == pytest.approx(error + weight * charged, rel=1e-6)


def test_the_best_sigma_is_the_best_finite_and_remembered():
    x, other = pictures(2), pictures(2)[::-1]

    def nats(likelihood, picture, **how):
        return float(ops.mean(likelihood.negative_log(x, None, picture, **how)))

    best = GaussianLikelihood()
    least = nats(best, other)
    assert all(least <= nats(GaussianLikelihood(s), other) for s in (0.1, 0.3, 1.0))
    assert np.isfinite(nats(GaussianLikelihood(), x))
    for _ in range(1000):
        nats(best, other)
    assert nats(best, other, training=False) == pytest.approx(least, rel=1e-3)


def test_palette_likelihood_by_hand():
    palette = np.array([[0, 0, 0], [255, 0, 0], [255, 255, 255]], "uint8")
    likelihood = PaletteLikelihood(3, block=2)
    likelihood.set_palette(palette)
    logits = np.log(np.array([[[[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]]], "float32"))
    numbers = np.array([[[0, 2]]])  # one picture of one row and two blocks
    nats = float(likelihood.negative_log(None, numbers, logits)[0])
    assert nats == pytest.approx(-np.log(0.5) - np.log(0.1), rel=1e-5)
    drawn = ops.convert_to_numpy(likelihood.pictures(logits))
    assert drawn.shape == (1, 2, 4, 3)
    np.testing.assert_array_equal(drawn[0, :, :2], 0.0)
    np.testing.assert_array_equal(drawn[0, :, 2:], np.full((2, 2, 3), [1.0, 0, 0]))


class Choices(keras.Model):
    """Its weights are the logits of choices; the loss sums the weighted nats."""

    def __init__(self, logits):
        super().__init__()
        self.logits = self.add_weight(shape=logits.shape, name="logits")
        self.logits.assign(logits)
        self.built = True

    def call(self, x):
        return x

    def compute_loss(self, x, y, y_pred, sample_weight=None, training=True):
        return ops.sum(sample_weight * nats_of_choices(self.logits.value, y))


def test_nats_of_choices_and_their_slope_by_hand():
    """The slope is softmax minus one-hot, also where the chosen share underflows."""
    logits = np.random.default_rng(0).normal(0, 3, (4, 3, 5)).astype("float32")
    chosen = np.arange(12).reshape(4, 3) % 5
    logits[0, 0] = [-200, 0, 1, 2, 3]
    nats = np.logaddexp.reduce(logits, -1, keepdims=True) - logits
    expected = np.take_along_axis(nats, chosen[..., None], -1)[..., 0]
    found = ops.convert_to_numpy(nats_of_choices(logits, chosen))
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert found[0, 0] > 200

    model = Choices(logits)
    model.compile(keras.optimizers.SGD(1.0))
    weights = np.random.default_rng(1).uniform(0.5, 2, (4, 3)).astype("float32")
    model.train_on_batch(np.zeros((4, 1)), chosen, sample_weight=weights)
    slope = weights[..., None] * (np.exp(-nats) - np.eye(5)[chosen])
    moved = logits - ops.convert_to_numpy(model.logits)
    np.testing.assert_allclose(moved, slope, atol=1e-4)


def test_negative_elbo_is_the_loss_without_warm_up():
    x = pictures(200)
    vae = VAE(down(2 * LATENTS), up(), GaussianLikelihood(0.5), warm_up=1000)
    bound = float(ops.mean(vae.negative_elbo(x)))
    plain = VAE(vae.encoder, vae.decoder, GaussianLikelihood(0.5))
    loss = float(plain.compute_loss(x=x, y_pred=vae(x)))
    assert bound == pytest.approx(loss, rel=0.01)  # two samples of the codes


def test_vae_samples_in_training_only():
    vae = VAE(down(2 * LATENTS), up(), GaussianLikelihood(1.0), seed=1)
    x = pictures(4)
    said = vae(x)
    np.testing.assert_array_equal(said[0], vae.encode(x))

    def loss(training):
        return float(vae.compute_loss(x=x, y_pred=said, training=training))

    assert loss(training=False) == loss(training=False)
    assert loss(training=True) != loss(training=True)


def test_attributes_have_a_place_in_a_vae_and_are_seen():
    """Logits 0 cost ln 2 each, times a weight; a code is latents plus places."""
    x, labels = pictures(4), np.eye(4, 2, dtype=bool)
    settings = {"likelihood": GaussianLikelihood(1.0), "attributes": 2}
    vae = VAE(down(2 * LATENTS + 2), up(), **settings, attribute_weight=3.0)
    loss = vae_loss(vae, x, x, {"attributes": labels})
    error = SIDE * SIDE * 3 / 2 * np.log(2 * np.pi)
    kl = (1 + 4 + 0 + 9) / 2 / 4
    assert loss == pytest.approx(error + kl + 3 * 2 * np.log(2), rel=1e-5)

    places = ops.convert_to_numpy(vae.places)
    latents = np.ones((4, LATENTS), "float32")
    by_hand = latents + labels.astype("float32") @ places
    np.testing.assert_allclose(vae.place(latents, labels), by_hand, rtol=1e-6)
    mean, _, said = map(ops.convert_to_numpy, vae(x))
    seen = (said > 0).astype("float32")
    np.testing.assert_allclose(vae.encode(x), mean + seen @ places, rtol=1e-5)


def test_the_decoder_of_a_vae_is_told_the_true_attributes():
    """Not those that the encoder sees, so that it learns to draw what is asked for."""
    x, seen_codes = pictures(4), []
    vae = VAE(down(2 * LATENTS + 1), up(), attributes=1, seed=2)
    vae.decoder = lambda codes, training: seen_codes.append(codes) or x
    said = vae(x)
    for told in (False, True):
        y = {"attributes": np.full((4, 1), told)}
        vae.compute_loss(x=x, y=y, y_pred=said, training=False)
    without, with_it = map(ops.convert_to_numpy, seen_codes)
    places = np.broadcast_to(ops.convert_to_numpy(vae.places), (4, LATENTS))
    np.testing.assert_allclose(with_it - without, places, atol=1e-5)


@pytest.mark.parametrize(
    "model",
    [
        lambda: Autoencoder(down(LATENTS, normalisation="batch"), up()),
        lambda: VAE(down(2 * LATENTS, normalisation="batch"), up()),
        lambda: small_vae_gan(),
        lambda: small_gan(largest_shift=0.2),
        lambda: small_gan(loss="binary", gamma=0.0),
    ],
)
def test_fit_lowers_the_loss_or_stays_finite(model):
    keras.utils.set_random_seed(0)
    model = model()
    model.compile(keras.optimizers.Adam(3e-3))
    losses = model.fit(pictures(), epochs=8, batch_size=4, verbose=0).history["loss"]
    assert np.isfinite(losses).all()
    if not isinstance(model, GAN):
        assert losses[-1] < losses[0]


def weights_after_one_step(loss: str, part: str):
    """Did each weight move, and where to, when only one player's loss counts?"""
    keras.utils.set_random_seed(0)
    gan = small_gan(loss=loss, gamma=0.5)
    before = as_numpy(gan.trainable_variables)
    if part == "discriminator":
        gan.contest.generator_loss = lambda *_: ops.zeros(())
    if part == "generator":
        judge = gan.contest.judge
        gan.contest.judge = lambda *a: [ops.stop_gradient(value) for value in judge(*a)]
    gan.compile(keras.optimizers.SGD(0.1), jit_compile=False)
    gan.train_on_batch(pictures(low=-1.0))
    moved = changed(before, gan.trainable_variables)
    return moved, as_numpy(gan.trainable_variables)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("loss", ["relativistic", "binary"])
def test_each_player_learns_from_its_own_loss_only(loss):
    n = len(up().trainable_variables)  # the generator's come first
    both_moved, both = weights_after_one_step(loss, "both")
    judge_moved, judge = weights_after_one_step(loss, "discriminator")
    maker_moved, maker = weights_after_one_step(loss, "generator")
    assert any(both_moved[:n]) and any(both_moved[n:])
    assert not any(judge_moved[:n]) and not any(maker_moved[n:])
    # What both losses do together is what each does alone.
    for found, wanted in zip(both, maker[:n] + judge[n:], strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-6)


def test_vae_gan_loss_by_hand():
    """A bound, what its reconstructions pay for being seen through, and verdicts."""
    x, made = pictures(4), pictures(4)[::-1]
    model = small_vae_gan(sharpness=3.0, gamma=0.0)
    model.decoder = lambda codes, training: made
    mean = np.zeros((4, LATENTS), "float32")
    parts = mean, mean, mean[:, :0]
    bound = VAE.compute_loss(model, x=x, y_pred=parts)
    real, fake = (
        ops.convert_to_numpy(model.discriminator(2 * images - 1))
        for images in (x, made)
    )
    deceived, believed, caught = (
        np.log1p(np.exp(value)).mean() for value in (-fake, -real, fake)
    )
    contest = 3 * deceived + believed + caught
    loss = float(model.compute_loss(x=x, y_pred=parts))
    assert loss == pytest.approx(float(bound) + contest, rel=1e-6)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
def test_only_the_price_of_sharpness_moves_an_autoencoder_for_its_discriminator():
    def after_one_step(sharpness):
        keras.utils.set_random_seed(0)
        model = small_vae_gan(sharpness)
        model.compile(keras.optimizers.SGD(1e-3), jit_compile=False)
        model.train_on_batch(pictures())
        parts = (model.encoder, model.decoder, model.discriminator)
        return [as_numpy(part.trainable_variables) for part in parts]

    free, dear = after_one_step(0.0), after_one_step(50.0)
    for name, one, other in zip(("encoder", "decoder"), free, dear, strict=False):
        moved = [np.abs(a - b).max() for a, b in zip(one, other, strict=True)]
        assert max(moved) > 1e-5, name
    for one, other in zip(free[2], dear[2], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)

    keras.utils.set_random_seed(0)
    same = small_vae_gan(0.0)  # drawn in the same order, and then without the contest
    plain = VAE(same.encoder, same.decoder, GaussianLikelihood(1.0))
    plain.compile(keras.optimizers.SGD(1e-3), jit_compile=False)
    plain.train_on_batch(pictures())
    alone = as_numpy(plain.encoder.trainable_variables)
    for one, other in zip(free[0], alone, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)


def test_photographs_are_sharpened_by_a_discriminator_and_pixel_art_by_a_palette():
    recipe = find_recipe("vae")
    photographs, pixel_art = Canvas(32, doubled=False), Canvas(32, colours=7)
    assert isinstance(recipe.build(photographs), VAEGAN)
    assert not isinstance(recipe.build(pixel_art), VAEGAN)
    plain = find_recipe("vae", "gaussian").build(photographs)
    assert not isinstance(plain, VAEGAN)
    assert photographs.channels(64, 24) == (24, 32, 64)
    assert photographs.channels(64, 48) == (48, 48, 64)
    assert pixel_art.channels(64, 48) == (24, 32, 64)


@pytest.mark.parametrize("kernel", [2, 3, 4, 5])
def test_recipes_of_kernels_differ_in_the_discriminator_of_photographs(kernel):
    recipe = find_recipe("gan", "ours" if kernel == 4 else f"kernel-of-{kernel}")

    def sizes(canvas, network):
        layers = getattr(recipe.build(canvas), network).layers
        return [x.kernel_size[0] for x in layers if hasattr(x, "kernel_size")]

    photographs, pixel_art = Canvas(32, doubled=False), Canvas(32, colours=7)
    assert sizes(photographs, "discriminator") == [kernel] * 3
    assert sizes(photographs, "generator") == [4] * 3
    assert sizes(pixel_art, "discriminator") == [2, 3, 3]


def test_without_a_half_life_the_averaged_generator_is_the_generator():
    keras.utils.set_random_seed(0)
    gan = small_gan(half_life=0)
    gan.compile(keras.optimizers.SGD(0.5), jit_compile=False)
    for _ in range(2):
        before = as_numpy(gan.generator.weights)
        gan.train_on_batch(pictures(low=-1.0))
    for now, averaged in zip(before, gan.averaged_generator.weights, strict=True):
        np.testing.assert_allclose(now, as_numpy([averaged])[0], atol=1e-6)


def test_averaged_generator_follows_slowly():
    keras.utils.set_random_seed(0)
    gan = small_gan(half_life=1)
    gan.compile(keras.optimizers.SGD(0.5), jit_compile=False)
    start = as_numpy(gan.generator.weights)
    gan.train_on_batch(pictures(low=-1.0))
    after_one = as_numpy(gan.generator.weights)
    averaged = as_numpy(gan.averaged_generator.weights)
    # The average is taken before the optimiser's step: after one it has not moved.
    for old, mean in zip(start, averaged, strict=True):
        np.testing.assert_allclose(old, mean, atol=1e-6)
    gan.train_on_batch(pictures(low=-1.0))
    decay = min(0.5, 3 / 12)
    moved = as_numpy(gan.averaged_generator.weights)
    for old, new, mean in zip(start, after_one, moved, strict=True):
        np.testing.assert_allclose(decay * old + (1 - decay) * new, mean, atol=1e-5)
    assert float(gan.steps_done) == 2
    assert not gan.averaged_generator.trainable_variables


def test_finite_difference_penalty_is_the_squared_slope():
    """For D(x) = w x the slope is w everywhere, so R1 = R2 = ||w||^2."""
    judge = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten()])
    judge.add(keras.layers.Dense(1, use_bias=False))
    maker = build_deconv_net(2, (4, 4, 3), channels=(3,), output_activation="tanh")
    gan = GAN(maker, judge, GANSettings(gamma=2.0))
    x = np.random.default_rng(0).uniform(-1, 1, (2000, 4, 4, 3)).astype("float32")
    penalty = float(gan.contest.judge(x, x[::-1], x[:, 0, 0, :0], True)[2])
    squared_norm = float(np.square(as_numpy(judge.weights)[0]).sum())
    assert penalty == pytest.approx(2.0 * squared_norm, rel=0.1)


def test_translation_moves_whole_pixels_and_mirrors_the_border():
    x = pictures(64)
    seed = keras.random.SeedGenerator(0)
    np.testing.assert_allclose(translate(x, 0, seed), x, atol=1e-6)
    moved = np.asarray(translate(x, 2, seed))
    assert moved.shape == x.shape
    padded = np.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="symmetric")
    offsets = set()
    for index in range(len(x)):
        fits = [
            (top, left)
            for top in range(5)
            for left in range(5)
            if np.allclose(
                padded[index, top : top + SIDE, left : left + SIDE],
                moved[index],
                atol=1e-5,
            )
        ]
        assert len(fits) == 1
        offsets.add(fits[0])
    assert len(offsets) > 10


def test_translation_of_doubled_pixels_keeps_them_doubled():
    drawn = pictures(64)[:, ::2, ::2]
    x = drawn.repeat(2, axis=1).repeat(2, axis=2)
    moved = np.asarray(translate(x, 2, keras.random.SeedGenerator(0), block=2))
    np.testing.assert_allclose(moved[:, ::2, ::2], moved[:, 1::2, 1::2], atol=1e-6)
    alone = np.asarray(translate(drawn, 2, keras.random.SeedGenerator(0)))
    np.testing.assert_allclose(moved[:, ::2, ::2], alone, atol=1e-6)


@pytest.mark.parametrize("size", [24, 64])
def test_designs_fit_the_usual_sizes(size):
    canvas = Canvas(size, doubled=False)
    gan, vae = (find_recipe(task).build(canvas) for task in ("gan", "vae"))
    assert gan.generator.output_shape == (None, size, size, 3)
    assert gan.discriminator.output_shape == (None, 1)
    assert vae.encoder.output_shape == (None, 2 * vae.latent_dim)
    names = [type(layer).__name__ for layer in gan.discriminator.layers]
    assert "BatchNormalization" not in names


@pytest.mark.parametrize("doubled", [True, False])
def test_a_palette_is_decided_once_for_each_drawn_pixel(doubled):
    canvas = Canvas(32, doubled, colours=7)
    vae = find_recipe("vae").build(canvas)
    side = 16 if doubled else 32
    assert vae.decoder.output_shape == (None, side, side, 7)
    assert vae.decode(np.zeros((2, vae.latent_dim))).shape == (2, 32, 32, 3)
    gaussian = find_recipe("vae", "gaussian").build(canvas)
    assert gaussian.decoder.output_shape == (None, 32, 32, 3)


@pytest.mark.parametrize(
    ("task", "name"), [(task, name) for task in RECIPES for name in RECIPES[task]]
)
def test_every_recipe_builds_and_takes_a_step(task, name):
    keras.utils.set_random_seed(0)
    recipe = find_recipe(task, name)
    model = recipe.build(Canvas(16, doubled=False, attributes=2), seed=0)
    recipe.compile(model, 1e-3, steps=10)
    model.run_eagerly = keras.backend.backend() == "tensorflow"  # for one step: faster
    x = np.random.default_rng(0).uniform(0, 1, (8, 16, 16, 3)).astype("float32")
    labels = np.array([[0, 1]] * 8, "float32")
    told = {"attributes": labels} if model.told else None
    assert bool(told) == recipe.choices_for(palette=False).get(
        "tells_attributes", False
    )
    kernels = [w for w in model.trainable_variables if len(w.shape) > 1]
    before = as_numpy(kernels)
    assert np.isfinite(np.array(model.train_on_batch(x, told))).all()
    assert all(changed(before, kernels))
    points = np.zeros((3, model.latent_dim), "float32")
    if told:
        points = model.place(points, labels[:3])
    assert model.decode(points).shape == (3, 16, 16, 3)


def test_attributes_are_judged_as_told():
    """With D(x) = 0 and an attribute worth w, the logit is w where it is told."""
    judge = down(3)
    judge.set_weights([np.zeros_like(w) for w in judge.get_weights()])
    judge.layers[-1].bias.assign([0.5, 2.0, -1.0])
    maker = build_deconv_net(
        LATENTS + 2, (SIDE, SIDE, 3), **SMALL, output_activation="tanh"
    )
    gan = GAN(maker, judge, GANSettings(gamma=0.0, attributes=2))
    x = pictures(3, low=-1.0)
    told = np.array([[0, 0], [1, 0], [1, 1]], "float32")
    real, fake, _ = gan.contest.judge(x, x[::-1], told, True)
    by_hand = [[0.5], [2.5], [1.5]]
    np.testing.assert_allclose(real, by_hand, rtol=1e-6)
    np.testing.assert_allclose(fake, by_hand, rtol=1e-6)
    assert gan.latent_dim == LATENTS


def test_wrong_choices_are_one_clear_error():
    with pytest.raises(UserError, match="halved"):
        find_recipe("gan").build(Canvas(50))
    with pytest.raises(UserError, match="relativistic"):
        small_gan(loss="wasserstein")
    with pytest.raises(UserError, match="above 0"):
        GaussianLikelihood(sigma=0.0)
    with pytest.raises(UserError, match="expected 6"):
        VAE(down(LATENTS), up())
