"""How figures are kept in a notebook."""

import io

import numpy as np
from PIL import Image

from latent_arithmetic.figures import _compact


def test_photographs_are_shown_as_jpeg_and_drawings_as_they_are(tmp_path):
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype("uint8")
    drawing = np.zeros((64, 64, 3), "uint8")
    drawing[20:40] = 200
    for name, pixels in (("photograph", noise), ("drawing", drawing)):
        Image.fromarray(pixels).save(tmp_path / f"{name}.png")
    shown = Image.open(io.BytesIO(_compact(tmp_path / "photograph.png")))
    assert shown.format == "JPEG" and shown.size == (64, 64)
    same = (tmp_path / "drawing.png").read_bytes()
    assert _compact(tmp_path / "drawing.png") == same
