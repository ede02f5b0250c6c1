"""Small made-up images for the cases; NumPy and Pillow only."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image


def faces(count: int, side: int = 32, seed: int = 0) -> np.ndarray:
    """Distinct color images with far more than 256 colors: uint8 [n, side, side, 3]."""
    generator = np.random.default_rng(seed)
    down, right = np.mgrid[0:side, 0:side] / (side - 1)
    top, bottom, skin = generator.uniform(0, 255, (3, count, 1, 1, 3))
    middle = generator.uniform(0.35, 0.65, (2, count, 1, 1))
    radius = generator.uniform(0.15, 0.3, (count, 1, 1))
    ground = top + (bottom - top) * down[None, :, :, None]
    distance = (right - middle[0]) ** 2 + (down - middle[1]) ** 2
    inside = (distance < radius**2)[..., None]
    images = np.where(inside, skin, ground)
    images = images + generator.normal(0, 4, images.shape)
    return images.clip(0, 255).astype(np.uint8)


def gray(count: int, side: int = 32, seed: int = 0) -> np.ndarray:
    """The same without color: uint8 [n, side, side]."""
    return faces(count, side, seed).mean(axis=-1).round().astype(np.uint8)


def encoded(image, kind: str = "PNG", **options) -> bytes:
    """An image, or an array of one, as a file's bytes."""
    if isinstance(image, np.ndarray):
        image = Image.fromarray(image)
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def write(files: dict[str, bytes], folder="images") -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        path = Path(folder, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return Path(folder)


def folder_of(images: np.ndarray, folder="images", name="{:03d}.png") -> Path:
    """Every image as a file."""
    return write({name.format(i): encoded(p) for i, p in enumerate(images)}, folder)


def zip_of(files: dict[str, bytes], path="images.zip") -> Path:
    """Files in a zip; names are stored as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, (2024, 5, 17, 12, 0, 0)), content)
    return Path(path)
