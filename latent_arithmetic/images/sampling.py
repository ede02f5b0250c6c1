"""Sampling: latent vectors, priors, interpolation, and a trained model's uses.

Latent vectors are drawn by NumPy, so that a seed gives the same ones on every backend.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal

import keras
import numpy as np

from latent_arithmetic.images.dataset import fingerprints, from_unit, to_unit
from latent_arithmetic.io import UserError, expect_one_of, read_arrays, save_arrays
from latent_arithmetic.runs import Run
from latent_arithmetic.training import predict_in_batches

PRIORS = ("normal", "mixture")
INTERPOLATIONS = ("linear", "spherical")
SMALLEST_TRUNCATION = 0.25  # standard deviations; below, redrawing takes too long
ACTIVE_VARIANCE = 0.01  # variance of a latent's mean above which it is active
MIXTURE_COMPONENTS = 10
MIXTURE_NAME = "mixture-prior.npz"
TRAINING_SET_NAME = "training-set.npz"
SNAPSHOTS = "snapshots"  # subfolder for samples drawn during training
DRAWS = 20  # times at most that a sample is drawn to avoid a training duplicate
SEED_STEP = 1_000_003  # between the seeds of these draws


def random_latents(
    count: int,
    latent_dim: int,
    seed: int = 0,
    *,
    scale: float = 1.0,
    truncation: float | None = None,
) -> np.ndarray:
    """Normal latent vectors: float32 [count, latent_dim].

    Args:
        scale: standard deviation; below 1, samples are closer to the typical image.
        truncation: values further from 0 than this many standard deviations are
            resampled (2 is usual; the truncation trick).

    Reference: BigGAN, arXiv:1809.11096.
    """
    if truncation is not None and not truncation >= SMALLEST_TRUNCATION:
        raise UserError(
            f"received truncation {truncation}; expected {SMALLEST_TRUNCATION} or more "
            "standard deviations (2 is usual; a small scale draws points together)"
        )
    if not 0 <= scale < np.inf:
        raise UserError(f"received scale {scale}; expected a finite number from 0")
    generator = np.random.default_rng(seed)
    latents = generator.normal(size=(count, latent_dim))
    while truncation is not None and (far := np.abs(latents) > truncation).any():
        latents[far] = generator.normal(size=far.sum())
    return (scale * latents).astype(np.float32)


def interpolate(
    start: np.ndarray,
    end: np.ndarray,
    steps: int = 10,
    method: Literal["linear", "spherical"] = "linear",
) -> np.ndarray:
    """Latent vectors from `start` to `end`, both included: [steps, latent_dim].

    Args:
        method: "linear" passes nearer to 0 than normal latent vectors ever lie;
            "spherical" (slerp) follows the arc, while the length changes evenly.

    Reference: White 2016, arXiv:1609.04468.
    """
    expect_one_of("interpolation", method, INTERPOLATIONS)
    if steps < 2:
        raise UserError(f"received {steps} steps; expected at least 2, the two ends")
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    part = np.linspace(0, 1, steps)[:, None]
    line = (1 - part) * start + part * end
    if method == "spherical":
        lengths = np.linalg.norm(start), np.linalg.norm(end)
        cosine = start @ end / max(lengths[0] * lengths[1], 1e-12)
        angle = np.arccos(np.clip(cosine, -1, 1))
        if np.sin(angle) > 1e-6 and min(lengths) > 0:  # else both on a line through 0
            length = (1 - part) * lengths[0] + part * lengths[1]
            first = np.sin((1 - part) * angle) * start / lengths[0]
            second = np.sin(part * angle) * end / lengths[1]
            line = length * (first + second) / np.sin(angle)
    return line.astype(np.float32)


def active_units(codes: np.ndarray) -> int:
    """Number of latents whose mean varies from image to image; codes [n, latent_dim].

    Reference: Burda et al. 2016, arXiv:1509.00519.
    """
    return int((codes.var(axis=0) > ACTIVE_VARIANCE).sum())


def tsne(codes: np.ndarray, seed: int = 0) -> np.ndarray:
    """Codes laid out on a plane by t-SNE, so that neighbors stay neighbors: [n, 2].

    Reference: van der Maaten and Hinton 2008, JMLR 9.
    """
    from sklearn.manifold import TSNE

    perplexity = min(30, (len(codes) - 1) / 3)
    plane = TSNE(perplexity=perplexity, init="pca", random_state=seed)
    return plane.fit_transform(codes)


@dataclass(frozen=True)
class MixturePrior:
    """A Gaussian-mixture prior of (residual) latent vectors, given attributes.

    Args:
        weights: of the components, [k].
        means: [k, latent_dim].
        factors: Cholesky factors of the covariances, [k, latent_dim, latent_dim].
        attribute_shifts: added to the mean by attributes, [attributes, latent_dim].
    """

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray
    attribute_shifts: np.ndarray

    def sample(self, attributes: np.ndarray, seed: int = 0, **noise) -> np.ndarray:
        """Latent vectors for attributes, bool [n, k]: float32 [n, latent_dim].

        Args:
            noise: `scale` and `truncation` of `random_latents`, for the noise
                around a component's mean.
        """
        count = len(attributes)
        drawn = random_latents(count, self.means.shape[1], seed, **noise)
        chosen = np.random.default_rng((seed, 1)).choice(
            len(self.weights), count, p=self.weights
        )
        spread = np.einsum("nij,nj->ni", self.factors[chosen], drawn)
        means = self.means[chosen] + attributes @ self.attribute_shifts
        return (means + spread).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Write it beside the weights of its model."""
        save_arrays(folder / MIXTURE_NAME, vars(self))


def fit_mixture(latents: np.ndarray, labels: np.ndarray, seed: int = 0) -> MixturePrior:
    """Fit a Gaussian-mixture prior to latent vectors after training (ex post).

    Its samples lie where the decoder was trained more likely than those of N(0, I),
    and an autoencoder without any prior can generate with it.

    Args:
        latents: of the training images, [n, latent_dim]. What the attributes explain
            of them (by ridge regression) is taken away first.
        labels: the attributes a model is conditional on, bool [n, attributes].

    Reference: Ghosh et al. 2020, arXiv:1903.12436.
    """
    from sklearn.linear_model import Ridge
    from sklearn.mixture import GaussianMixture

    attribute_shifts = np.zeros((0, latents.shape[1]))
    if labels.shape[1]:
        attribute_shifts = Ridge().fit(labels, latents).coef_.T
    latents = latents - labels @ attribute_shifts
    components = max(1, len(latents) // (2 * latents.shape[1]))
    mixture = GaussianMixture(
        min(MIXTURE_COMPONENTS, components), random_state=seed, reg_covar=1e-4
    )
    mixture.fit(latents.astype(np.float64))
    weights = mixture.weights_ / mixture.weights_.sum()
    factors = np.linalg.cholesky(mixture.covariances_)
    return MixturePrior(weights, mixture.means_, factors, attribute_shifts)


def encode(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Codes of uint8 images: float32 [n, latent_dim]."""
    return predict_in_batches(lambda x: model.encode(to_unit(x)), images)


def encode_residuals(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Codes without their attribute embeddings: float32 [n, latent_dim]."""
    return predict_in_batches(lambda x: model.residual_latents(to_unit(x)), images)


def decode(model: keras.Model, codes: np.ndarray) -> np.ndarray:
    """Images of latent vectors: uint8 [n, size, size, 3]."""
    return predict_in_batches(lambda z: from_unit(model.decode(z)), codes)


@dataclass(frozen=True)
class TrainedImageModel:
    """A trained image model: sampling, encoding, decoding, interpolation.

    Images are uint8 [n, size, size, 3]. A latent vector is what the decoder takes: a
    code, or a GAN's noise followed by the attributes it is conditional on. What a model
    cannot do (a GAN encode, an unconditional one use attributes) is a `UserError`.

    Args:
        run: the folder it was trained into, and its configuration.
        model: the Keras model.
        default_prior: "normal" or "mixture", which samples best.
        has_encoder: whether it can encode given images.
    """

    run: Run
    model: keras.Model
    default_prior: str
    has_encoder: bool

    @property
    def task(self) -> str:
        return self.run.task

    @property
    def config(self) -> dict:
        return self.run.config

    @property
    def size(self) -> int:
        return self.config["image_spec"]["size"]

    @property
    def n_attributes(self) -> int:
        """The number of attributes that the model is conditional on."""
        return self.model.n_attributes

    @cached_property
    def mixture_prior(self) -> MixturePrior:
        """The mixture prior of the training images' latent vectors."""
        self.expect_encoder()
        shapes = {"attribute_shifts": (self.n_attributes, self.model.latent_dim)}
        shapes |= {"weights": None, "means": None, "factors": None}
        return MixturePrior(**self._read(MIXTURE_NAME, shapes))

    @cached_property
    def training_set(self) -> dict[str, np.ndarray]:
        """Of the training images: `fingerprints` [n], and `attributes` bool [n, k]
        with `names` [k], as far as the model is conditional on them."""
        shapes = {"names": (self.n_attributes,), "attributes": None}
        return self._read(TRAINING_SET_NAME, shapes | {"fingerprints": None})

    def attributes_named(self, names: Sequence[str], count: int) -> np.ndarray:
        """The named attributes and no others, for each of `count` images: bool."""
        self.expect_conditional(f"attributes {', '.join(names)}")
        known = self.training_set["names"].tolist()
        for name in names:
            expect_one_of("attribute", name, known)
        return np.tile(np.isin(known, names), (count, 1))

    def sample_latents(
        self,
        count: int,
        seed: int = 0,
        *,
        prior: str = "normal",
        attributes: np.ndarray | None = None,
        scale: float = 1.0,
        truncation: float | None = None,
    ) -> np.ndarray:
        """Random latent vectors: float32 [count, dimensions].

        Args:
            prior: "normal", or "mixture" for a model with an encoder.
            attributes: bool [count, k] for a conditional model; those of random
                training images unless given.
            scale, truncation: of the noise, see `random_latents`.
        """
        expect_one_of("prior", prior, PRIORS)
        if count < 1 or seed < 0:
            raise UserError(
                f"received count {count} and seed {seed}; expected 1 or more images, "
                "and a seed from 0"
            )
        if attributes is not None:
            self.expect_conditional()
        else:
            rows = self.training_set["attributes"]
            chosen = np.random.default_rng((seed, 2)).integers(len(rows), size=count)
            attributes = rows[chosen]
        noise = {"scale": scale, "truncation": truncation}
        if prior == "mixture":
            latents = self.mixture_prior.sample(attributes, seed, **noise)
        else:
            latents = random_latents(count, self.model.latent_dim, seed, **noise)
        return self._embed(latents, attributes) if self.n_attributes else latents

    def attribute_embeddings(self) -> np.ndarray:
        """What each attribute adds to a latent vector: [attributes, dimensions]."""
        zeros = np.zeros((self.n_attributes, self.model.latent_dim), np.float32)
        return self._embed(zeros, np.eye(self.n_attributes))

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """Images of latent vectors."""
        return decode(self.model, latents)

    def encode(
        self, images: np.ndarray, attributes: np.ndarray | None = None
    ) -> np.ndarray:
        """Codes of images: float32 [n, latent_dim].

        Args:
            attributes: of the images, bool [n, k], for a conditional model; those that
                the encoder predicts unless given.
        """
        self.expect_encoder()
        expected = (self.size, self.size, 3)
        if images.ndim != 4 or images.shape[1:] != expected:
            raise UserError(
                f"received images of shape {list(images.shape)}; "
                f"expected [n, {', '.join(map(str, expected))}]"
            )
        if attributes is None:
            return encode(self.model, images)
        self.expect_conditional()
        return self._embed(encode_residuals(self.model, images), attributes)

    def predict_attributes(self, images: np.ndarray) -> np.ndarray:
        """The attributes that a VAE's encoder predicts for images: bool [n, k]."""
        self.expect_encoder()
        self.expect_conditional()
        predict = self.model.predict_attributes
        return predict_in_batches(lambda x: predict(to_unit(x)), images)

    def generate(self, count: int, seed: int = 0, **sampling) -> np.ndarray:
        """New images of random latent vectors, see `sample_latents`.

        An image that equals a training image is rejected and sampled anew, up to 20
        times.
        """
        images = self.decode(self.sample_latents(count, seed, **sampling))
        for draw in range(1, DRAWS):
            rejected = self.is_training_duplicate(images)
            if not rejected.any():
                break
            others = self.sample_latents(count, seed + draw * SEED_STEP, **sampling)
            images[rejected] = self.decode(others[rejected])
        return images

    def is_training_duplicate(self, images: np.ndarray) -> np.ndarray:
        """Which images equal one that the model was trained on: bool [n]."""
        return np.isin(fingerprints(images), self.training_set["fingerprints"])

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Encode and decode images."""
        return self.decode(self.encode(images))

    def interpolate(
        self, steps: int = 10, seed: int = 0, method: str = "linear", **sampling
    ) -> np.ndarray:
        """Images between two random latent vectors, both included.

        The attributes of a conditional GAN change linearly.
        """
        latents, attributes = np.split(
            self.sample_latents(2, seed, **sampling), [self.model.latent_dim], axis=1
        )
        parts = interpolate(*latents, steps, method), interpolate(*attributes, steps)
        return self.decode(np.concatenate(parts, axis=1))

    def snapshots(self) -> dict[int, np.ndarray]:
        """Samples of the same latent vectors, by the step of training."""
        files = sorted((self.run.folder / SNAPSHOTS).glob("*.npz"))
        return {int(file.stem): read_arrays(file)["images"] for file in files}

    def _read(self, name: str, shapes: dict) -> dict[str, np.ndarray]:
        """The arrays of a file beside the weights; a shape of None may be any."""
        arrays = read_arrays(self.run.folder / name)
        fits = arrays.keys() == shapes.keys() and all(
            shape in (None, arrays[key].shape) for key, shape in shapes.items()
        )
        if not fits:
            raise UserError(
                f"{self.run.folder / name} does not belong to the model beside it; "
                "restore the file or train the model again"
            )
        return arrays

    def _embed(self, latents: np.ndarray, attributes: np.ndarray) -> np.ndarray:
        return keras.ops.convert_to_numpy(self.model.embed(latents, attributes))

    def expect_encoder(self) -> None:
        if not self.has_encoder:
            raise UserError(
                f"a {self.task.upper()} has no encoder, so it cannot reconstruct a "
                "given image; use a model trained with cae or vae"
            )

    def expect_conditional(self, received: str = "attributes") -> None:
        if not self.n_attributes:
            raise UserError(
                f"received {received}, but this {self.task} is not conditional on any; "
                "expected a VAE or GAN that was trained on images with labels"
            )
