"""Questions and answers in handwriting, set out for the eye."""

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from latent_arithmetic.arithmetic.glyphs import GLYPH_SIZE


def strips(pictures: np.ndarray) -> np.ndarray:
    """Characters [n, length, 28, 28] side by side: [n, 28, 28 * length]."""
    count, length = pictures.shape[:2]
    return pictures.swapaxes(1, 2).reshape(count, GLYPH_SIZE, GLYPH_SIZE * length)


def strip_grid(
    pictures: np.ndarray, columns: int, titles: Sequence[str] = (), cell: float = 0.28
) -> Figure:
    """Characters [n, length, 28, 28] as strips in rows of `columns`.

    titles: a caption above each strip. cell: inches a character is wide.
    """
    rows = -(-len(pictures) // columns)
    width = cell * pictures.shape[1] + 0.12
    height = cell + (0.22 if titles else 0.06)
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(columns * width, rows * height),
        squeeze=False,
        layout="constrained",
    )
    figure.get_layout_engine().set(wspace=0.06, hspace=0.02)
    for axis in axes.flat:
        axis.set_axis_off()
    for axis, strip in zip(axes.flat, strips(pictures), strict=False):
        axis.imshow(strip, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
    for axis, title in zip(axes.flat, titles, strict=False):
        axis.set_title(title, fontsize=7, pad=2, family="monospace")
    return figure
