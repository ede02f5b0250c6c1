"""The front door of the picture wing: train a model, or load it if it is trained."""

from dataclasses import asdict
from functools import partial
from pathlib import Path

import keras
import numpy as np

from latent_arithmetic.checkpoints import save_arrays
from latent_arithmetic.images.data.datasets import (
    PUNKS,
    Pictures,
    fingerprints,
    load_pictures,
    to_signed,
    to_unit,
)
from latent_arithmetic.images.data.palette import find_palette
from latent_arithmetic.images.latent import active_units, random_latents
from latent_arithmetic.images.models.designs import Canvas
from latent_arithmetic.images.models.recipes import RECIPES, Recipe, find_recipe
from latent_arithmetic.images.prior import fit_mixture
from latent_arithmetic.images.quality.metrics import (
    collapse_warning,
    diversity,
    peak_signal_to_noise,
)
from latent_arithmetic.images.trained import (
    REMEMBERED_NAME,
    SNAPSHOTS,
    Trained,
    decode,
    encode,
    encode_latents,
    load_trained,
    targets,
)
from latent_arithmetic.profiles import Profile
from latent_arithmetic.progress import say
from latent_arithmetic.runs import finished_run, save_run
from latent_arithmetic.training import Batches, train

TASKS = tuple(RECIPES)
LOOKS = 16  # times at most a model in training is measured and drawn
SNAPSHOT_PICTURES = 12
COMPARED = 500  # pictures that are restored, or compared with real ones, at a look


def train_task(
    task: str,
    folder: Path | str,
    *,
    profile: Profile,
    data: str | Path | Pictures = PUNKS,
    size: int = 64,
    recipe: str = "ours",
    seed: int = 0,
) -> Trained:
    """Train a "cae", "vae" or "gan", or load it if ``folder`` already holds it.

    data: "cryptopunks", a path (see ``load_pictures``), or loaded pictures.
    recipe: how it is built and trained, see ``RECIPES``.

    Raises:
        UserError: unknown task, unusable pictures, or the folder holds another run.
    """
    chosen, folder = find_recipe(task, recipe), Path(folder)
    pictures = data
    if not isinstance(data, Pictures):
        pictures = load_pictures(data, size, limit=profile.pictures)
        say(str(pictures.report))
    budget = chosen.budget_in(profile, task, len(pictures.train))
    canvas = canvas_of(pictures)
    settings = {
        "canvas": asdict(canvas),
        "recipe": recipe,
        "choices": chosen.choices_for(palette=canvas.colours > 0),
        "data": pictures.name,
        "pictures": len(pictures.train),
        "content": pictures.content,
        "seed": seed,
        "profile": profile.name,
        **asdict(budget),
    }
    if not finished_run(folder, task, settings):
        _train(task, folder, chosen, pictures, settings)
    return load_trained(folder)


def canvas_of(pictures: Pictures) -> Canvas:
    """What the networks have to know of these pictures."""
    palette = find_palette(pictures.train)
    return Canvas(
        pictures.size,
        pictures.has_doubled_pixels,
        0 if palette is None else len(palette),
        len(pictures.label_names),
    )


def training_arrays(
    task: str, model: keras.Model, pictures: Pictures
) -> np.ndarray | tuple[np.ndarray, dict[str, np.ndarray]]:
    """What a model is fitted to: pictures, and what it is told of them, if anything;
    a model with a palette gets its colours."""
    chooser = getattr(model, "palette", None)
    if chooser:
        chooser.set_palette(find_palette(pictures.train))
    scaled = (to_signed if task == "gan" else to_unit)(pictures.train)
    told = targets(model, pictures.train, pictures.train_labels)
    return (scaled, told) if told else scaled


def _train(task, folder, recipe: Recipe, pictures, settings) -> None:
    seed, canvas = settings["seed"], Canvas(**settings["canvas"])
    keras.utils.set_random_seed(seed)
    model = recipe.build(canvas, seed=seed)
    arrays = training_arrays(task, model, pictures)
    batches = Batches(arrays, settings["batch_size"], seed)
    epochs = settings["epochs"]
    recipe.compile(model, settings["learning_rate"], epochs * len(batches))
    points = _watched_points(task, model, pictures)
    history = train(
        model,
        batches,
        epochs=epochs,
        title=task.upper(),
        folder=folder,
        settings=settings,
        validate=partial(
            _look, task=task, points=points, pictures=pictures, folder=folder
        ),
        every=-(-epochs // LOOKS),
    )
    _finish(task, folder, model, pictures)
    save_run(
        folder,
        model,
        task=task,
        settings=settings,
        history=history,
        profile=settings["profile"],
    )


def _watched_points(task, model, pictures) -> np.ndarray | None:
    """Points whose pictures are followed through training; an autoencoder without a
    prior is shown the same pictures instead."""
    if task == "cae":
        return None
    latents = random_latents(COMPARED, model.latent_dim, seed=0)
    if not model.told:
        return latents
    rows = np.resize(pictures.validation_labels, (COMPARED, model.told))
    return keras.ops.convert_to_numpy(model.place(latents, rows))


def _look(model, task, points, pictures: Pictures, folder: Path) -> dict:
    """Measure a model in training on held-out pictures; a few of its pictures are
    kept in ``folder``, always of the same points."""
    held_out, found = pictures.validation[:COMPARED], {}
    if task != "gan":
        codes = encode(model, held_out)
        again = decode(model, codes)
        found["psnr"] = float(peak_signal_to_noise(held_out, again).mean())
        found["active_latents"] = active_units(codes)
    if points is None:
        drawn = again
    else:
        drawn = decode(model, points)
        found["diversity"] = diversity(drawn) / diversity(pictures.validation)
    steps = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
    path = folder / SNAPSHOTS / f"{steps:08d}.npz"
    save_arrays(path, {"images": drawn[:SNAPSHOT_PICTURES]})
    return found


def _finish(task, folder: Path, model, pictures: Pictures) -> None:
    """What is kept beside the weights; a warning if a GAN has collapsed."""
    remembered = {
        "fingerprints": fingerprints(pictures.train),
        "names": np.array(pictures.label_names[: model.told], str),
        "rows": pictures.train_labels[:, : model.told],
    }
    save_arrays(folder / REMEMBERED_NAME, remembered)
    if task != "gan":
        latents = encode_latents(model, pictures.train)
        fit_mixture(latents, remembered["rows"]).save(folder)
        return
    drawn = decode(model, _watched_points(task, model, pictures))
    warning = collapse_warning(drawn, pictures.validation)
    say(f"GAN: {warning}" if warning else "GAN: the samples vary as they should")
