"""A trained picture model, and everything it can be used for."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.checkpoints import read_arrays
from latent_arithmetic.errors import UserError, expect_one_of
from latent_arithmetic.images.data.datasets import (
    fingerprints,
    from_unit,
    to_unit,
)
from latent_arithmetic.images.latent import interpolate, random_latents
from latent_arithmetic.images.models.designs import Canvas
from latent_arithmetic.images.models.recipes import RECIPES, find_recipe
from latent_arithmetic.images.prior import MixturePrior, read_mixture
from latent_arithmetic.runs import RunRecord, read_run

AT_ONCE = 250  # pictures in one forward pass
SNAPSHOTS = "snapshots"  # subfolder for pictures of a model in training
REMEMBERED_NAME = "training-pictures.npz"
DRAWS = 20  # times at most a picture is drawn that should not be a training picture
ANOTHER_SEED = 1_000_003
PRIORS = ("normal", "mixture")


@dataclass(frozen=True)
class Trained:
    """A trained picture model. Pictures are uint8 [n, size, size, 3] everywhere.

    A *point* is what a decoder takes: a code, or a GAN's latents and, if it was told
    any, attributes: float32 [n, latent_dim (+ attributes)].

    ``remembered`` of the training pictures: their `fingerprints` [n], and what the
    model was told of them, attributes `names` [k] and `rows` bool [n, k].
    """

    run: RunRecord
    model: keras.Model

    @property
    def task(self) -> str:
        return self.run.task

    @property
    def settings(self) -> dict:
        return self.run.settings

    @property
    def size(self) -> int:
        return self.settings["canvas"]["size"]

    @property
    def best_prior(self) -> str:
        """Where samples are best drawn from: an autoencoder's latents do not fill
        N(0, I) evenly."""
        return "normal" if self.task == "gan" else "mixture"

    @cached_property
    def mixture(self) -> MixturePrior:
        """Where the latents of training pictures lie; not for a GAN."""
        self.expect_encoder()
        return read_mixture(self.run.folder)

    @cached_property
    def remembered(self) -> dict[str, np.ndarray]:
        return read_arrays(self.run.folder / REMEMBERED_NAME)

    @property
    def told(self) -> int:
        """How many attributes the model was told."""
        return self.model.told

    def attributes_named(self, names: Sequence[str], count: int) -> np.ndarray:
        """The named attributes and no others: bool [count, k].

        Raises:
            UserError: the model was not told of such an attribute, or of none.
        """
        self.expect_told(f"attributes {', '.join(names)}")
        known = self.remembered["names"].tolist()
        for name in names:
            expect_one_of("attribute", name, known)
        return np.tile(np.isin(known, names), (count, 1))

    def points(
        self,
        count: int,
        seed: int = 0,
        *,
        prior: str = "normal",
        attributes: np.ndarray | None = None,
        **form,
    ) -> np.ndarray:
        """Random points; the same seed gives the same ones.

        prior: "normal", or "mixture" for an autoencoder's mixture of Gaussians.
        attributes: bool [count, k] for a model that was told them; those of random
            training pictures unless given.
        form: ``scale`` and ``truncation``, see ``random_latents``.

        Raises:
            UserError: unknown prior, no pictures, or attributes it was not told.
        """
        expect_one_of("prior", prior, PRIORS)
        if count < 1:
            raise UserError(f"received count {count}; expected 1 or more pictures")
        if attributes is not None:
            self.expect_told()
        else:
            rows = self.remembered["rows"]
            chosen = np.random.default_rng((seed, 2)).integers(len(rows), size=count)
            attributes = rows[chosen]
        if prior == "mixture":
            latents = self.mixture.sample(attributes, seed, **form)
        else:
            latents = random_latents(count, self.model.latent_dim, seed, **form)
        if not self.told:
            return latents
        return keras.ops.convert_to_numpy(self.model.place(latents, attributes))

    def told_directions(self) -> np.ndarray:
        """What every attribute it was told adds to a point: [k, dimensions]."""
        nothing = np.zeros((self.told, self.model.latent_dim), np.float32)
        return keras.ops.convert_to_numpy(self.model.place(nothing, np.eye(self.told)))

    def decode(self, points: np.ndarray) -> np.ndarray:
        """The pictures of points."""
        return decode(self.model, points)

    def encode(
        self, images: np.ndarray, attributes: np.ndarray | None = None
    ) -> np.ndarray:
        """The codes of pictures: float32 [n, latent_dim]; not for a GAN.

        attributes: what is known of them, bool [n, k], for a model that was told
            attributes; unless given, those that it sees.

        Raises:
            UserError: the model is a GAN, the pictures have another size, or it was
                told no attributes.
        """
        self.expect_encoder()
        expected = (self.size, self.size, 3)
        if images.ndim != 4 or images.shape[1:] != expected:
            raise UserError(
                f"received pictures of shape {list(images.shape)}; "
                f"expected [n, {', '.join(map(str, expected))}]"
            )
        if attributes is None:
            return encode(self.model, images)
        self.expect_told()
        latents = encode_latents(self.model, images)
        return keras.ops.convert_to_numpy(self.model.place(latents, attributes))

    def see(self, images: np.ndarray) -> np.ndarray:
        """The attributes that the encoder of a VAE sees in pictures: bool [n, k].

        Raises:
            UserError: the model is a GAN, or it was told no attributes.
        """
        self.expect_encoder()
        self.expect_told()
        return in_parts(lambda part: self.model.attributes(to_unit(part)), images)

    def expect_encoder(self) -> None:
        """Refuse a GAN, which has none."""
        if self.task == "gan":
            raise UserError(
                "a GAN has no encoder, so it cannot reconstruct a given picture; "
                "use a model trained with cae or vae"
            )

    def expect_told(self, received: str = "attributes") -> None:
        """Refuse a model that was told no attributes."""
        if not self.told:
            raise UserError(
                f"received {received}, but this {self.task} was told of none; expected "
                "a VAE or GAN that was trained on pictures with labels"
            )

    def generate(self, count: int, seed: int = 0, **how) -> np.ndarray:
        """New pictures of random points, see ``points``; what equals a training
        picture is drawn again, a few times at most."""
        pictures = self.decode(self.points(count, seed, **how))
        for draw in range(1, DRAWS):
            known = self.repeats(pictures)
            if not known.any():
                break
            others = self.points(count, seed + draw * ANOTHER_SEED, **how)
            pictures[known] = self.decode(others[known])
        return pictures

    def repeats(self, images: np.ndarray) -> np.ndarray:
        """Which pictures equal one that the model was trained on: bool [n]."""
        return np.isin(fingerprints(images), self.remembered["fingerprints"])

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Encode and decode (CAE, VAE)."""
        return self.decode(self.encode(images))

    def interpolate(
        self, steps: int = 10, seed: int = 0, method: str = "linear", **how
    ) -> np.ndarray:
        """Pictures on the way between two random points, both included; attributes
        that a GAN is told change evenly."""
        latents, told = np.split(
            self.points(2, seed, **how), [self.model.latent_dim], axis=1
        )
        ways = interpolate(*latents, steps, method), interpolate(*told, steps, "linear")
        return self.decode(np.concatenate(ways, axis=1))

    def snapshots(self) -> dict[int, np.ndarray]:
        """Pictures of the same points, after some epochs of training."""
        files = sorted((self.run.folder / SNAPSHOTS).glob("*.npz"))
        return {int(file.stem): read_arrays(file)["images"] for file in files}


def load_trained(folder: Path | str) -> Trained:
    """The model of a finished run.

    Raises:
        UserError: the folder holds no finished picture model, or its weights are
            damaged or of another design.
    """
    run = read_run(Path(folder))
    if run.task not in RECIPES:
        raise UserError(
            f"{folder} holds a {run.task} model; expected one of {', '.join(RECIPES)}"
        )
    recipe = find_recipe(run.task, run.settings["recipe"])
    recipe = replace(recipe, choices=run.settings["choices"], on_photographs={})
    model = recipe.build(Canvas(**run.settings["canvas"]))
    return Trained(run, run.load_weights(model))


def targets(
    model: keras.Model, images: np.ndarray, labels: np.ndarray
) -> dict[str, np.ndarray]:
    """What a model is told of uint8 pictures in training, beside them: "colours" and
    "attributes", as far as it wants them; labels: bool [n, attributes]."""
    found, chooser = {}, getattr(model, "palette", None)
    if chooser:
        found["colours"] = chooser.numbers(images)
    if model.told:
        found["attributes"] = labels
    return found


def encode(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """The codes of uint8 pictures: float32 [n, latent_dim]."""
    return in_parts(lambda part: model.encode(to_unit(part)), images)


def encode_latents(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """The codes without the places of attributes: float32 [n, latent_dim]."""
    return in_parts(lambda part: model.latents(to_unit(part)), images)


def decode(model: keras.Model, points: np.ndarray) -> np.ndarray:
    """The uint8 pictures of points."""
    return in_parts(lambda part: from_unit(model.decode(part)), points)


def in_parts(function, *values: np.ndarray) -> np.ndarray:
    """function(*values), a few hundred rows at a time, as NumPy."""
    starts = range(0, len(values[0]), AT_ONCE)
    parts = [
        function(*(value[start : start + AT_ONCE] for value in values))
        for start in starts
    ]
    return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])
