"""Train, load and use an image model: what notebook and command line call."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from math import ceil, sqrt
from pathlib import Path

import keras
import numpy as np
from PIL import Image

from latent_arithmetic.config import Profile
from latent_arithmetic.console import say
from latent_arithmetic.images.catalog import CRYPTOPUNKS_NAME
from latent_arithmetic.images.dataset import (
    ImageDataset,
    ImageSpec,
    find_palette,
    fingerprints,
    image_spec,
    load_images,
    read_images,
    to_signed,
    to_unit,
)
from latent_arithmetic.images.evaluate import training_targets
from latent_arithmetic.images.metrics import collapse_warning, diversity, psnr
from latent_arithmetic.images.networks import count_halvings
from latent_arithmetic.images.presets import (
    CAEConfig,
    GANConfig,
    ImageModelConfig,
    VAEConfig,
    build_cae,
    build_gan,
    build_vae,
    compile_model,
    find_preset,
    resolve,
    training_schedule,
)
from latent_arithmetic.images.sampling import (
    SNAPSHOTS,
    TRAINING_SET_NAME,
    TrainedImageModel,
    active_units,
    decode,
    encode,
    encode_residuals,
    fit_mixture,
    random_latents,
)
from latent_arithmetic.io import (
    UserError,
    expect_one_of,
    first_line,
    save_arrays,
    write_atomically,
)
from latent_arithmetic.runs import RUN_NAME, read_run, save_run, train_once
from latent_arithmetic.training import Batches, fit

VALIDATIONS = 16  # times at most that a model is validated during training
VALIDATION_IMAGES = 500  # images reconstructed, or sampled, at a validation
SNAPSHOT_IMAGES = 12
LARGEST_SEED = 2**32 - 1
GAP = 2  # pixels between the images of a contact sheet
SHEET_COLUMNS = 10
SHEET_IMAGES = 5 * SHEET_COLUMNS
EMBEDDED = "CryptoPunks"  # what a run calls the data set that is always there


@dataclass(frozen=True)
class ImageTask:
    """What differs between the tasks.

    Args:
        config_class: the typed configuration, whose fields are flags.
        build: (config, image specification, seed) -> untrained model.
        scale: uint8 images -> what the model is trained on.
        default_prior: "normal" or "mixture", which samples best.
        has_encoder: whether it can reconstruct given images.
        has_prior: whether it is trained to be sampled from N(0, I).
    """

    config_class: type[ImageModelConfig]
    build: Callable[..., keras.Model]
    scale: Callable[[np.ndarray], np.ndarray]
    default_prior: str
    has_encoder: bool
    has_prior: bool


TASKS = {
    "cae": ImageTask(CAEConfig, build_cae, to_unit, "mixture", True, False),
    "vae": ImageTask(VAEConfig, build_vae, to_unit, "mixture", True, True),
    "gan": ImageTask(GANConfig, build_gan, to_signed, "normal", False, True),
}


def train(
    task: str,
    folder: Path | str,
    *,
    profile: Profile,
    data: str | Path | ImageDataset = CRYPTOPUNKS_NAME,
    size: int = 64,
    preset: str = "default",
    seed: int = 0,
    value_range: tuple[float, float] | None = None,
    config: ImageModelConfig | None = None,
    overrides: dict | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
) -> TrainedImageModel:
    """Train a model, or load it if `folder` already holds it.

    Args:
        task: "cae", "vae" or "gan".
        data: name of a data set or a path (see `load_images`), or a loaded dataset.
        preset: a named configuration, see `PRESETS`.
        value_range: of the data, see `load_images`.
        config: a whole configuration, in place of the preset's.
        overrides: values of single settings, by name.
        callbacks: more Keras callbacks.

    Raises:
        UserError: an argument nobody can use, or the folder holds another run.
    """
    expect_one_of("task", task, TASKS)
    folder, chosen = Path(folder), find_preset(task, preset)
    if not 0 <= seed <= LARGEST_SEED:
        raise UserError(f"received seed {seed}; expected 0 to {LARGEST_SEED}")
    dataset = data
    if not isinstance(data, ImageDataset):
        settings = asdict(config or chosen.config) | (overrides or {})
        if settings["n_layers"] is None:
            count_halvings(size)  # refuses a size before the images are read
        limit = profile.max_images
        dataset = load_images(data, size, limit=limit, value_range=value_range)
        say(str(dataset.report))
    spec = image_spec(dataset)
    model_config = _override(task, config or resolve(chosen, spec), overrides or {})
    schedule = training_schedule(profile, task, model_config, len(dataset.train))
    model_config = replace(model_config, **asdict(schedule))
    run_config = {
        "image_spec": asdict(spec),
        "preset": preset,
        "model": asdict(model_config),
        "data": dataset.name,
        "train_images": len(dataset.train),
        "content": dataset.content,
        "seed": seed,
        "profile": profile.name,
    }
    arguments = (task, folder, dataset, model_config, run_config, callbacks)
    train_once(folder, task, run_config, partial(_train, *arguments))
    return load(folder)


def _override(task: str, config: ImageModelConfig, overrides: dict) -> ImageModelConfig:
    """The configuration with single settings replaced, checked."""
    expected = TASKS[task].config_class
    if type(config) is not expected:
        raise UserError(
            f"received a {type(config).__name__} for a {task}; expected a "
            f"{expected.__name__}"
        )
    for name in overrides:
        expect_one_of(f"setting of a {task}", name, [f.name for f in fields(config)])
    return replace(config, **overrides)


def load(folder: Path | str) -> TrainedImageModel:
    """Load a trained model.

    Raises:
        UserError: the folder holds no finished image model, or one that is damaged or
            of another version of the project.
    """
    run = read_run(Path(folder))
    if run.task not in TASKS:
        raise UserError(
            f"{folder} holds a {run.task} model; expected one of {', '.join(TASKS)}"
        )
    task = TASKS[run.task]
    try:
        spec = ImageSpec(**run.config["image_spec"])
        config = task.config_class(**run.config["model"])
        model = task.build(config, spec, seed=0)
    except (KeyError, TypeError, ValueError, AttributeError, UserError) as error:
        raise UserError(
            f"{run.folder / RUN_NAME} is damaged or of another version of the project "
            f"({first_line(error)}); restore it or train the model again"
        ) from None
    model = run.load_weights(model)
    return TrainedImageModel(run, model, task.default_prior, task.has_encoder)


def training_arrays(
    task: str, model: keras.Model, dataset: ImageDataset
) -> np.ndarray | tuple[np.ndarray, dict[str, np.ndarray]]:
    """What a model is fitted to: scaled images, and targets if it uses any.

    A model with a palette likelihood gets the palette of the training images.
    """
    likelihood = getattr(model, "palette_likelihood", None)
    if likelihood:
        likelihood.set_palette(find_palette(dataset.train))
    scaled = TASKS[task].scale(dataset.train)
    targets = training_targets(model, dataset.train, dataset.train_labels)
    return (scaled, targets) if targets else scaled


def _train(task, folder, dataset, config, run_config, callbacks) -> None:
    seed, spec = run_config["seed"], ImageSpec(**run_config["image_spec"])
    keras.utils.set_random_seed(seed)
    model = TASKS[task].build(config, spec, seed=seed)
    batches = Batches(training_arrays(task, model, dataset), config.batch_size, seed)
    compile_model(model, config, config.epochs * len(batches))
    latents = _validation_latents(task, model, dataset)
    history = fit(
        model,
        batches,
        epochs=config.epochs,
        title=task.upper(),
        folder=folder,
        config=run_config,
        validate=partial(
            _validate, task=task, latents=latents, dataset=dataset, folder=folder
        ),
        every=ceil(config.epochs / VALIDATIONS),
        callbacks=callbacks,
    )
    _save_companions(task, folder, model, dataset)
    save_run(
        folder,
        model,
        task=task,
        config=run_config,
        history=history,
        profile=run_config["profile"],
    )


def _validation_latents(task, model, dataset) -> np.ndarray | None:
    """The latent vectors that are sampled at every validation, always the same; None
    for a model without a prior, of which reconstructions are shown instead."""
    if not TASKS[task].has_prior:
        return None
    latents = random_latents(VALIDATION_IMAGES, model.latent_dim, seed=0)
    if not model.n_attributes:
        return latents
    shape = (VALIDATION_IMAGES, model.n_attributes)
    attributes = np.resize(dataset.validation_labels, shape)
    return keras.ops.convert_to_numpy(model.embed(latents, attributes))


def _validate(model, task, latents, dataset: ImageDataset, folder: Path) -> dict:
    """Measure a model in training on validation images, and keep a few samples."""
    real, found = dataset.validation[:VALIDATION_IMAGES], {}
    if TASKS[task].has_encoder:
        codes = encode(model, real)
        images = decode(model, codes)
        found["psnr"] = float(psnr(real, images).mean())
        found["active_units"] = active_units(codes)
    if latents is not None:
        images = decode(model, latents)
        found["diversity_ratio"] = diversity(images) / diversity(dataset.validation)
    steps = int(keras.ops.convert_to_numpy(model.optimizer.iterations))
    path = folder / SNAPSHOTS / f"{steps:08d}.npz"
    save_arrays(path, {"images": images[:SNAPSHOT_IMAGES]})
    return found


def _save_companions(task, folder: Path, model, dataset: ImageDataset) -> None:
    """Write what is kept beside the weights, and warn of a collapsed GAN."""
    labels = dataset.train_labels[:, : model.n_attributes]
    training_set = {
        "fingerprints": fingerprints(dataset.train),
        "names": np.array(dataset.label_names[: model.n_attributes], str),
        "attributes": labels,
    }
    save_arrays(folder / TRAINING_SET_NAME, training_set)
    if TASKS[task].has_encoder:
        fit_mixture(encode_residuals(model, dataset.train), labels).save(folder)
        return
    samples = decode(model, _validation_latents(task, model, dataset))
    warning = collapse_warning(samples, dataset.validation)
    say(f"{task.upper()}: {warning or 'the samples are as diverse as they should be'}")


def contact_sheet(images: np.ndarray, columns: int | None = None) -> np.ndarray:
    """Images side by side with white lines between them: uint8 [height, width, 3].

    Args:
        images: uint8 [n, height, width, 3].
        columns: as many as make the sheet about square, unless given.
    """
    columns = columns or ceil(sqrt(len(images)))
    rows = ceil(len(images) / columns)
    missing = rows * columns - len(images)
    spacing = ((0, missing), (GAP, 0), (GAP, 0), (0, 0))
    cells = np.pad(images, spacing, constant_values=255)
    _, height, width, colors = cells.shape
    sheet = cells.reshape(rows, columns, height, width, colors).swapaxes(1, 2)
    sheet = sheet.reshape(rows * height, columns * width, colors)
    return np.pad(sheet, ((0, GAP), (0, GAP), (0, 0)), constant_values=255)


def save_images(
    images: np.ndarray, path: Path | str, columns: int | None = None
) -> None:
    """Write a contact sheet (.png), or the array `images` uint8 (.npz).

    Raises:
        UserError: another ending, or the file cannot be written.
    """
    path = Path(path)
    if path.suffix == ".npz":
        save_arrays(path, {"images": images})
    elif path.suffix == ".png":
        sheet = Image.fromarray(contact_sheet(images, columns))
        write_atomically(path, lambda file: sheet.save(file, format="PNG"))
    else:
        raise UserError(f"received the file name {path}; expected one in .png or .npz")


def show_samples(trained: TrainedImageModel, path: Path) -> None:
    """Write a contact sheet of a model's samples, and say where."""
    samples = trained.generate(SHEET_IMAGES, prior=trained.default_prior)
    save_images(samples, path, SHEET_COLUMNS)
    say(f"samples: {path}")


def reconstruct_to_file(
    model_folder: Path,
    data: str | Path | None,
    count: int | None,
    path: Path,
    value_range: tuple[float, float] | None = None,
) -> None:
    """Write reconstructions of images by a model with an encoder, in the data's order.

    A .npz holds `images`, uint8 [n, size, size, 3]. In a .png every image stands above
    its reconstruction. Images may be among those that the model was trained on.

    Args:
        data: as for `train`; None: the embedded CryptoPunks, of a model of them.
        count: only so many images, spread evenly over all.
        value_range: of the data, see `load_images`.

    Raises:
        UserError: the model was trained on images without a name, and `data` is None;
            it cannot reconstruct, or there are no usable images.
    """
    trained, path = load(model_folder), Path(path)
    trained.expect_encoder()
    if data is None and trained.config["data"] != EMBEDDED:
        raise UserError(
            f"the model in {model_folder} was trained on {trained.config['data']}; say "
            "which images to reconstruct with --data NAME or --data PATH"
        )
    data = CRYPTOPUNKS_NAME if data is None else data
    as_sheet = path.suffix == ".png"
    limit = count or (SHEET_IMAGES if as_sheet else None)
    originals, report = read_images(data, trained.size, limit, value_range)
    say(str(report))
    if not len(originals):
        raise UserError(f"there is no usable image in {data}; see the list above")
    images, columns = trained.reconstruct(originals), None
    if as_sheet:
        columns = min(SHEET_COLUMNS, len(originals))
        whole_rows = len(originals) - len(originals) % columns
        pairs = np.stack([originals, images])[:, :whole_rows]
        pairs = pairs.reshape(2, -1, columns, *images.shape[1:]).swapaxes(0, 1)
        images = pairs.reshape(-1, *images.shape[1:])
    save_images(images, path, columns)
