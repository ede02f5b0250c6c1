"""Experiments of Task 1: which image models are compared, and how each is measured."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from latent_arithmetic.config import FULL, Profile
from latent_arithmetic.experiments.base import (
    Experiment,
    Measurement,
    find_recorded,
)
from latent_arithmetic.images.catalog import CRYPTOPUNKS_NAME
from latent_arithmetic.images.classifier import FeatureExtractor, feature_extractor
from latent_arithmetic.images.dataset import ImageDataset, ImageSpec, load_images
from latent_arithmetic.images.editing import find_ground_truth, make_editors
from latent_arithmetic.images.evaluate import SAMPLE_SEED, evaluate, exact_match
from latent_arithmetic.images.metrics import psnr
from latent_arithmetic.images.pipeline import train
from latent_arithmetic.images.presets import PRESETS, find_preset, resolve
from latent_arithmetic.images.sampling import TrainedImageModel
from latent_arithmetic.io import UserError, plain
from latent_arithmetic.records import mean_of_examples

SIZE = 64
SHOWN = 20  # samples that are kept of every experiment
SHOWN_EDITS = 8
INTERPOLATION_SEEDS = (11, 12)  # of the latent vectors, as in the notebook
MAX_IMAGES = 10_000
FACE_IMAGES, FACE_EPOCHS = 8_000, 8  # the default GANs train for twice as long
SHORT_EPOCHS = {"vae": 4, "gan": 8}  # of ablations
LONG_EPOCHS = 40
SEEDS = (1, 2, 3)
KERNEL_SIZES = ("kernel-size-2", "kernel-size-3", "kernel-size-5")  # photographs only
ON_FACES = {
    "vae": ("baseline", "gaussian-likelihood", "default"),
    "gan": ("baseline", "relativistic-loss", "kernel-size-3", "default"),
}
SIDE_BY_SIDE = {
    CRYPTOPUNKS_NAME: {
        "vae": ("baseline", "default"),
        "gan": ("baseline", "relativistic-loss", "default"),
    },
    "utkface": ON_FACES,
    "anime-faces": ON_FACES,
}


@dataclass(frozen=True)
class ImageExperiment(Experiment):
    """An image model of a preset, trained on a dataset.

    Args:
        max_images: images used at most.
        epochs: in place of those of the profile `full`; in proportion fewer in others.
        variant: what its name says beside the preset, such as "4-epochs".
    """

    task: str
    preset: str = "default"
    data: str = CRYPTOPUNKS_NAME
    seed: int = 1
    max_images: int = MAX_IMAGES
    epochs: int | None = None
    variant: str = ""

    @property
    def group(self) -> str:
        parts = (self.data, self.task, self.preset, self.variant)
        return "-".join(part for part in parts if part)

    @property
    def purpose(self) -> str:
        ablation = self.preset not in ("default", "baseline")
        kind = f"ablation {self.preset}" if ablation else self.preset
        return f"{kind}: samples, edits and reconstructions of a {self.task}"

    @property
    def config(self) -> dict:
        punks = self.data == CRYPTOPUNKS_NAME
        spec = ImageSpec(SIZE, pixel_doubled=punks, palette_size=int(punks))
        model = resolve(find_preset(self.task, self.preset), spec)
        values = {key: value for key, value in vars(self).items() if key != "variant"}
        return {**values, "size": SIZE, "model": plain(asdict(model))}

    def adapt(self, profile: Profile) -> Profile:
        """The profile with this experiment's number of images and epochs."""
        schedule = profile.schedule(self.task)
        if self.epochs is not None:
            epochs = self.epochs * schedule.epochs // FULL.schedule(self.task).epochs
            schedule = replace(schedule, epochs=max(1, epochs))
        limit = min(self.max_images, profile.max_images)
        return replace(profile, max_images=limit, **{self.task: schedule})

    def prepare(
        self, work: Path, profile: Profile
    ) -> tuple[ImageDataset, FeatureExtractor]:
        """The dataset, and the one feature extractor of all experiments with it."""
        limit = self.adapt(profile).max_images
        dataset = load_images(self.data, SIZE, limit=limit)
        folder = work / f"attribute-classifier-{self.data}"
        return dataset, feature_extractor(dataset, folder, profile)

    def incompatibility(self, details: dict, folder: Path) -> str | None:
        """Why a result cannot be compared with the records in a folder: it was measured
        by another feature extractor. None if it can."""
        version = details["feature_extractor"]["version"]
        known = _recorded_extractors(folder).get(self.data, version)
        if known == version:
            return None
        return (
            f"the feature extractor of {self.data} that was trained here ({version}) "
            f"is not the one of the experiments recorded in {folder} ({known}), and "
            "distances of different extractors cannot be compared; record in another "
            "folder, with --records, all experiments or those that are named"
        )

    def measure(self, work: Path, profile: Profile) -> Measurement:
        """Train below `work` and evaluate."""
        dataset, extractor = self.prepare(work, profile)
        trained = train(
            self.task,
            work / self.name,
            profile=self.adapt(profile),
            data=dataset,
            preset=self.preset,
            seed=self.seed,
        )
        model_config = trained.config["model"]
        steps_per_epoch = len(dataset.train) // model_config["batch_size"]
        details = {
            "feature_extractor": {"name": extractor.name, "version": extractor.version},
            "parameters": trained.model.count_params(),
            "steps": steps_per_epoch * model_config["epochs"],
        }
        return Measurement(
            evaluate(trained, dataset, extractor, profile.max_edits),
            details,
            trained.run.history.seconds,
            trained.generate(SHOWN, SAMPLE_SEED, prior=trained.default_prior),
        )


@dataclass(frozen=True)
class ImagesExperiment(Experiment):
    """Images made by a model of another experiment: between latent vectors, or edited.

    They are kept, in place of samples. The model is trained anew.

    Attributes:
        kind: what the images are, in a word, for the name.
    """

    kind: ClassVar[str]

    model: ImageExperiment

    @property
    def group(self) -> str:
        return f"{self.model.data}-{self.model.task}-{self.kind}"

    @property
    def seed(self) -> int:
        return self.model.seed

    def measure(self, work: Path, profile: Profile) -> Measurement:
        adapted = self.model.adapt(profile)
        dataset = load_images(self.model.data, SIZE, limit=adapted.max_images)
        trained = train(
            self.model.task,
            work / self.name,
            profile=adapted,
            data=dataset,
            preset=self.model.preset,
            seed=self.seed,
        )
        estimates, details, images = self.make_images(trained, dataset)
        details["parameters"] = trained.model.count_params()
        seconds = trained.run.history.seconds
        return Measurement(estimates, details, seconds, images)


class InterpolationExperiment(ImagesExperiment):
    """Images between random latent vectors, a row of ten for each pair."""

    kind = "interpolation"
    purpose = "images between random latent vectors"

    @property
    def config(self) -> dict:
        return {**self.model.config, "interpolations": list(INTERPOLATION_SEEDS)}

    def make_images(self, trained: TrainedImageModel, dataset: ImageDataset) -> tuple:
        steps = SHOWN // len(INTERPOLATION_SEEDS)
        strips = [
            trained.interpolate(steps, seed, prior=trained.default_prior)
            for seed in INTERPOLATION_SEEDS
        ]
        found = psnr(dataset.test, trained.reconstruct(dataset.test))
        estimates = {"psnr": mean_of_examples(found, unit="dB")}
        return estimates, {}, np.concatenate(strips)


class EditsExperiment(ImagesExperiment):
    """Some edits of test images by least squares, and what they should equal.

    Three rows: before, edited, ground truth. The attributes that were added are among
    the details. The edits are evenly spaced among all that have a ground truth.
    """

    kind = "edits"
    purpose = "edits beside their ground truth"

    @property
    def config(self) -> dict:
        return {**self.model.config, "edits": SHOWN_EDITS}

    def make_images(self, trained: TrainedImageModel, dataset: ImageDataset) -> tuple:
        editor = make_editors(trained, dataset)["least_squares"]
        truth = find_ground_truth(dataset)
        chosen = np.linspace(0, len(truth.edits) - 1, SHOWN_EDITS).astype(int)
        edits = [truth.edits[index] for index in chosen]
        rows = (
            dataset.test[[edit.image for edit in edits]],
            trained.decode(editor.apply(edits)),
            truth.targets[chosen],
        )
        added = [dataset.label_names[edit.added] for edit in edits]
        estimates = exact_match(trained, editor, truth)
        return estimates, {"added": added}, np.concatenate(rows)


def all_experiments() -> list[Experiment]:
    """The models side by side and the default configuration's variants, one dataset
    after the other, and then the short ablations."""
    compared = [
        _compared(task, preset, data, seed)
        for seed in SEEDS
        for data, tasks in SIDE_BY_SIDE.items()
        for task, presets in tasks.items()
        for preset in presets
    ]
    variants = [
        ImageExperiment("vae", "unconditional"),
        ImageExperiment("vae", epochs=LONG_EPOCHS, variant=f"{LONG_EPOCHS}-epochs"),
        ImageExperiment("gan", "no-gradient-penalty"),
        ImageExperiment("cae"),
    ]
    variants += [
        _compared("gan", preset, "anime-faces", seed)
        for seed in SEEDS
        for preset in ("kernel-size-2", "kernel-size-5")
    ]
    ablations = [
        ImageExperiment(task, preset, epochs=epochs, variant=f"{epochs}-epochs")
        for task, epochs in SHORT_EPOCHS.items()
        for preset in PRESETS[task]
        if preset not in ("baseline", *KERNEL_SIZES)
    ]
    order = list(SIDE_BY_SIDE)
    by_data = sorted(compared + variants, key=lambda each: order.index(each.data))
    faces = InterpolationExperiment(_compared("vae", "default", "utkface", SEEDS[0]))
    edits = EditsExperiment(_compared("vae", "default", CRYPTOPUNKS_NAME, SEEDS[0]))
    return [*by_data, *ablations, faces, edits]


def _compared(task: str, preset: str, data: str, seed: int) -> ImageExperiment:
    """One of the models side by side; on faces it is trained for fewer epochs."""
    experiment = ImageExperiment(task, preset, data, seed)
    if data == CRYPTOPUNKS_NAME:
        return experiment
    longer = 2 if task == "gan" and preset != "baseline" else 1
    return replace(experiment, max_images=FACE_IMAGES, epochs=FACE_EPOCHS * longer)


def _recorded_extractors(folder: Path) -> dict[str, str]:
    """The version of the feature extractor of each dataset's records."""
    of_images = [e for e in all_experiments() if isinstance(e, ImageExperiment)]
    records = [(each, find_recorded(each, folder)) for each in of_images]
    return {
        each.data: record.details["feature_extractor"]["version"]
        for each, record in records
        if record is not None
    }


def check_recorded_extractors(
    experiments: Iterable[Experiment], folder: Path, work: Path, profile: Profile
) -> None:
    """Check that feature extractors trained on this machine equal those of the existing
    records, before anything else is trained.

    Processors round differently, so that training need not give the same extractor
    everywhere, and distances are comparable only within one.

    Raises:
        UserError: the feature extractor of a dataset is another one here.
    """
    known = _recorded_extractors(folder)
    of_images = [each for each in experiments if isinstance(each, ImageExperiment)]
    missing = [each for each in of_images if find_recorded(each, folder) is None]
    for each in {each.data: each for each in missing if each.data in known}.values():
        _, extractor = each.prepare(work, profile)
        details = {"feature_extractor": {"version": extractor.version}}
        problem = each.incompatibility(details, folder)
        if problem:
            raise UserError(problem)
