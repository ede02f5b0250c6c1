"""Where latents lie: a mixture of Gaussians, fitted after training (ex post).

A random point of it is more likely a place that the decoder knows than one of
N(0, I) is, and an autoencoder without any prior can invent pictures with it (Ghosh et
al. 2020, arXiv:1903.12436).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from latent_arithmetic.checkpoints import read_arrays, save_arrays
from latent_arithmetic.images.latent import random_latents

COMPONENTS = 10
FILE_NAME = "mixture.npz"


@dataclass(frozen=True)
class MixturePrior:
    """weights [k], means [k, latent_dim], factors [k, latent_dim, latent_dim]: roots
    of the covariances. slopes [attributes, latent_dim]: what each attribute adds."""

    weights: np.ndarray
    means: np.ndarray
    factors: np.ndarray
    slopes: np.ndarray

    def sample(self, attributes: np.ndarray, seed: int = 0, **form) -> np.ndarray:
        """Latents of pictures with attributes, bool [n, attributes]: float32
        [n, latent_dim].

        form: ``scale`` and ``truncation`` of the noise around a component's mean,
            see ``random_latents``.
        """
        count = len(attributes)
        noise = random_latents(count, self.means.shape[1], seed, **form)
        chosen = np.random.default_rng((seed, 1)).choice(
            len(self.weights), count, p=self.weights
        )
        spread = np.einsum("nij,nj->ni", self.factors[chosen], noise)
        moved = self.means[chosen] + attributes @ self.slopes
        return (moved + spread).astype(np.float32)

    def save(self, folder: Path) -> None:
        """Keep it beside the weights of the model."""
        save_arrays(folder / FILE_NAME, vars(self))


def fit_mixture(latents: np.ndarray, labels: np.ndarray, seed: int = 0) -> MixturePrior:
    """The mixture of ``COMPONENTS`` that fits latents [n, latent_dim] best, once what
    attributes explain of them (labels, bool [n, attributes]) is taken away."""
    from sklearn.linear_model import Ridge
    from sklearn.mixture import GaussianMixture

    slopes = np.zeros((0, latents.shape[1]))
    if labels.shape[1]:
        slopes = Ridge().fit(labels, latents).coef_.T
    latents = latents - labels @ slopes
    components = min(COMPONENTS, max(1, len(latents) // (2 * latents.shape[1])))
    mixture = GaussianMixture(components, random_state=seed, reg_covar=1e-4)
    mixture.fit(latents.astype(np.float64))
    weights = mixture.weights_ / mixture.weights_.sum()
    return MixturePrior(
        weights, mixture.means_, np.linalg.cholesky(mixture.covariances_), slopes
    )


def read_mixture(folder: Path) -> MixturePrior:
    """The mixture that was fitted to a model's latents."""
    return MixturePrior(**read_arrays(folder / FILE_NAME))
