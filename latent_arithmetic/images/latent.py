"""Points of a latent space, and ways between them. Plain NumPy: the same seed gives
the same points on every backend."""

from typing import Literal

import numpy as np

from latent_arithmetic.errors import UserError

METHODS = ("linear", "spherical")
SMALLEST_TRUNCATION = 0.25  # standard deviations; below, redrawing takes too long
ACTIVE = 0.01  # variance of a latent's mean above which it says something


def random_latents(
    count: int,
    latent_dim: int,
    seed: int = 0,
    *,
    scale: float = 1.0,
    truncation: float | None = None,
) -> np.ndarray:
    """Normal latents: float32 [count, latent_dim].

    scale: standard deviation; below 1, closer to the typical picture.
    truncation: values further from 0 than this many standard deviations are drawn
        again (2 is usual; the truncation trick of BigGAN, arXiv:1809.11096).

    Raises:
        UserError: hardly any value is as small as the truncation.
    """
    if truncation is not None and not truncation >= SMALLEST_TRUNCATION:
        raise UserError(
            f"received truncation {truncation}; expected {SMALLEST_TRUNCATION} or more "
            "standard deviations (2 is usual; a small scale draws points together)"
        )
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
    """Points from ``start`` to ``end``, both included: float32 [steps, latent_dim].

    linear: the straight line. It passes nearer to 0 than normal latents ever lie.
    spherical: along the arc (White 2016, arXiv:1609.04468); the length changes
        evenly from one end's to the other's.

    Raises:
        UserError: the method is unknown, or there are fewer than 2 steps.
    """
    if method not in METHODS or steps < 2:
        raise UserError(
            f"received method {method!r} and {steps} steps; "
            f"expected one of {', '.join(METHODS)} and at least 2 steps"
        )
    start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
    part = np.linspace(0, 1, steps)[:, None]
    line = (1 - part) * start + part * end
    if method == "spherical":
        lengths = np.linalg.norm(start), np.linalg.norm(end)
        cosine = start @ end / max(lengths[0] * lengths[1], 1e-12)
        angle = np.arccos(np.clip(cosine, -1, 1))
        if np.sin(angle) > 1e-6:  # else both lie on one line through 0
            length = (1 - part) * lengths[0] + part * lengths[1]
            first = np.sin((1 - part) * angle) * start / lengths[0]
            second = np.sin(part * angle) * end / lengths[1]
            line = length * (first + second) / np.sin(angle)
    return line.astype(np.float32)


def active_units(codes: np.ndarray) -> int:
    """How many latents of codes [n, latent_dim] say something about the picture: the
    variance of their mean is above ``ACTIVE`` (Burda et al. 2016, arXiv:1509.00519)."""
    return int((codes.var(axis=0) > ACTIVE).sum())


def latent_map(codes: np.ndarray, seed: int = 0) -> np.ndarray:
    """Codes on a plane, neighbours close together: float32 [n, 2].

    By t-SNE (van der Maaten and Hinton 2008), which keeps neighbourhoods; distances
    between far clusters mean nothing.
    """
    from sklearn.manifold import TSNE

    neighbours = min(30, (len(codes) - 1) / 3)
    plane = TSNE(perplexity=neighbours, init="pca", random_state=seed)
    return plane.fit_transform(codes)
