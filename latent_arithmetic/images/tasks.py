"""The front door of the picture wing: train a model, load it, use it."""

import hashlib
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.checkpoints import read_arrays, save_arrays
from latent_arithmetic.errors import UserError, expect_one_of
from latent_arithmetic.images.datasets import (
    PUNKS,
    TEST_SHARE,
    VALIDATION_SHARE,
    Pictures,
    from_signed,
    from_unit,
    load_pictures,
    to_signed,
    to_unit,
)
from latent_arithmetic.images.designs import (
    DESIGNS,
    Canvas,
    compile_model,
    design_choices,
)
from latent_arithmetic.images.latent import interpolate, random_latents
from latent_arithmetic.images.metrics import (
    collapse_warning,
    diversity,
    peak_signal_to_noise,
)
from latent_arithmetic.profiles import Profile
from latent_arithmetic.progress import say
from latent_arithmetic.runs import RunRecord, finished_run, read_run, save_run
from latent_arithmetic.training import Batches, train

TASKS = tuple(DESIGNS)
AT_ONCE = 250  # pictures in one forward pass
LOOKS = 8  # times at most a model in training is measured
SNAPSHOTS = "snapshots"  # subfolder for samples of a GAN in training
SNAPSHOT_PICTURES = 12
COMPARED = 500  # samples whose variety is compared with that of real pictures


@dataclass(frozen=True)
class Trained:
    """A trained picture model. Pictures are uint8 [n, size, size, 3] everywhere."""

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
        return self.settings["size"]

    def decode(self, latents: np.ndarray) -> np.ndarray:
        """The pictures of latents [n, latent_dim]."""
        if self.task == "gan":
            generator = self.model.averaged_generator
            return _in_parts(lambda part: from_signed(generator(part)), latents)
        return _in_parts(lambda part: from_unit(self.model.decoder(part)), latents)

    def encode(self, images: np.ndarray) -> np.ndarray:
        """The codes of pictures: float32 [n, latent_dim]; not for a GAN.

        Raises:
            UserError: the model is a GAN, or the pictures have another size.
        """
        self.expect_encoder()
        expected = (self.size, self.size, 3)
        if images.ndim != 4 or images.shape[1:] != expected:
            raise UserError(
                f"received pictures of shape {list(images.shape)}; "
                f"expected [n, {', '.join(map(str, expected))}]"
            )
        return _in_parts(lambda part: self.model.encode(to_unit(part)), images)

    def expect_encoder(self) -> None:
        """Refuse a GAN, which has none."""
        if self.task == "gan":
            raise UserError(
                "a GAN has no encoder, so it cannot reconstruct a given picture; "
                "use a model trained with cae or vae"
            )

    def generate(
        self,
        count: int,
        seed: int = 0,
        scale: float = 1.0,
        truncation: float | None = None,
    ) -> np.ndarray:
        """New pictures; the same seed gives the same ones (see ``random_latents``)."""
        if count < 1:
            raise UserError(f"received count {count}; expected 1 or more pictures")
        dim = self.model.latent_dim
        return self.decode(
            random_latents(count, dim, seed, scale=scale, truncation=truncation)
        )

    def reconstruct(self, images: np.ndarray) -> np.ndarray:
        """Encode and decode (CAE, VAE)."""
        return self.decode(self.encode(images))

    def interpolate(
        self, steps: int = 10, seed: int = 0, method: str = "linear"
    ) -> np.ndarray:
        """Pictures on the way between two random latent points, both included."""
        start, end = random_latents(2, self.model.latent_dim, seed)
        return self.decode(interpolate(start, end, steps, method))

    def snapshots(self) -> dict[int, np.ndarray]:
        """Samples of the same latents after some steps of a GAN's training."""
        files = sorted((self.run.folder / SNAPSHOTS).glob("*.npz"))
        return {int(file.stem): read_arrays(file)["images"] for file in files}


def train_task(
    task: str,
    folder: Path | str,
    *,
    profile: Profile,
    data: str | Path | Pictures = PUNKS,
    size: int = 64,
    seed: int = 0,
) -> Trained:
    """Train a "cae", "vae" or "gan", or load it if ``folder`` already holds it.

    data: "cryptopunks", a path (see ``load_pictures``), or loaded pictures.

    Raises:
        UserError: unknown task, unusable pictures, or the folder holds another run.
    """
    expect_one_of("task", task, DESIGNS)
    folder = Path(folder)
    pictures = data
    if not isinstance(data, Pictures):
        pictures = load_pictures(data, size, limit=profile.pictures)
        say(str(pictures.report))
    canvas = Canvas(pictures.size, pictures.has_doubled_pixels)
    settings = {
        **asdict(canvas),
        **design_choices(task),
        "data": pictures.name,
        "pictures": len(pictures.train),
        "content": hashlib.sha256(pictures.train.tobytes()).hexdigest()[:16],
        "seed": seed,
        "profile": profile.name,
        **asdict(getattr(profile, task)),
    }
    if finished_run(folder, task, settings):
        return load_trained(folder)
    return _train(task, folder, profile, pictures, settings)


def load_trained(folder: Path | str) -> Trained:
    """The model of a finished run.

    Raises:
        UserError: the folder holds no finished picture model, or its weights are
            damaged or of another design.
    """
    run = read_run(Path(folder))
    if run.task not in DESIGNS:
        raise UserError(
            f"{folder} holds a {run.task} model; expected one of {', '.join(TASKS)}"
        )
    canvas = Canvas(run.settings["size"], run.settings["doubled"])
    model = DESIGNS[run.task](canvas)
    return Trained(run, run.load_weights(model))


def _train(task, folder, profile, pictures, settings) -> Trained:
    seed, batch_size = settings["seed"], settings["batch_size"]
    keras.utils.set_random_seed(seed)
    model = DESIGNS[task](Canvas(settings["size"], settings["doubled"]), seed=seed)
    inputs = to_signed if task == "gan" else to_unit
    batches = Batches(inputs(pictures.train), batch_size, seed)
    epochs = _epochs(settings["epochs"], profile, len(pictures.train))
    compile_model(model, settings["learning_rate"], epochs * len(batches))
    look = look_at_samples if task == "gan" else look_at_reconstructions
    history = train(
        model,
        batches,
        epochs=epochs,
        title=task.upper(),
        folder=folder,
        settings=settings,
        validate=partial(look, pictures=pictures, folder=folder),
        every=-(-epochs // LOOKS),
    )
    save_run(
        folder,
        model,
        task=task,
        settings=settings,
        history=history,
        profile=profile.name,
    )
    trained = load_trained(folder)
    if task == "gan":
        warning = collapse_warning(trained.generate(COMPARED), pictures.validation)
        say(f"GAN: {warning}" if warning else "GAN: the samples vary as they should")
    return trained


def _epochs(epochs: int, profile: Profile, n_train: int) -> int:
    """Passes over ``n_train`` pictures that take about as long as the profile means.

    A budget is meant for as many pictures as the profile uses at most; a smaller
    collection is gone through more often, so that it is learned in as many steps.
    """
    meant = profile.pictures * (1 - VALIDATION_SHARE - TEST_SHARE)
    return max(1, round(epochs * meant / n_train))


def look_at_reconstructions(model, pictures: Pictures, folder: Path) -> dict:
    """PSNR (dB) of held-out pictures, while an autoencoder trains."""
    held_out = pictures.validation[:COMPARED]
    again = _in_parts(
        lambda part: from_unit(model.decoder(model.encode(to_unit(part)))), held_out
    )
    return {"psnr": float(peak_signal_to_noise(held_out, again).mean())}


def look_at_samples(model, pictures: Pictures, folder: Path) -> dict:
    """Variety of samples against that of real pictures, while a GAN trains; a few
    are kept in ``folder``, always of the same latents."""
    latents = random_latents(COMPARED, model.latent_dim, seed=0)
    samples = _in_parts(lambda z: from_signed(model.averaged_generator(z)), latents)
    steps = int(keras.ops.convert_to_numpy(model.steps_done.value))
    name = f"{steps:08d}.npz"
    save_arrays(folder / SNAPSHOTS / name, {"images": samples[:SNAPSHOT_PICTURES]})
    return {"diversity": diversity(samples) / diversity(pictures.validation)}


def _in_parts(function, values: np.ndarray) -> np.ndarray:
    """function(values), a few hundred rows at a time, as NumPy."""
    starts = range(0, len(values), AT_ONCE)
    parts = [function(values[start : start + AT_ONCE]) for start in starts]
    return np.concatenate([keras.ops.convert_to_numpy(part) for part in parts])
