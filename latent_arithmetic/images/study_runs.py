"""Task 1's study: which picture models are compared, and what is measured of each."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from latent_arithmetic.errors import UserError
from latent_arithmetic.images.corrections import corrected
from latent_arithmetic.images.counterparts import (
    find_counterparts,
    measure_counterparts,
)
from latent_arithmetic.images.data.datasets import PUNKS, Pictures, load_pictures
from latent_arithmetic.images.directions import (
    METHODS,
    Arithmetic,
    attribute_directions,
    hidden_pairs,
    measure_arithmetic,
    possible_changes,
)
from latent_arithmetic.images.models.recipes import RECIPES, find_recipe
from latent_arithmetic.images.quality.evaluation import (
    Numbers,
    measure_judge,
    measure_quality,
    measure_reconstruction,
)
from latent_arithmetic.images.quality.features import FeatureMap, feature_map
from latent_arithmetic.images.tasks import train_task
from latent_arithmetic.images.trained import PRIORS, Trained
from latent_arithmetic.profiles import FULL, Profile
from latent_arithmetic.results import Number, share_of
from latent_arithmetic.study import Measured, recorded_run, study_contents

SIZE = 64
CHANGES = 1_000  # pictures that are given an attribute
SHOWN = 20  # samples that are kept of every run
SAMPLE_SEED = 1
FACE_PICTURES, FACE_EPOCHS = 8_000, 8  # our GANs learn for twice as long
SHORT_EPOCHS = {"vae": 4, "gan": 8}  # as in the profile `quick`
LONG_EPOCHS = 40
SEEDS = (1, 2, 3)
KERNELS = ("kernel-of-2", "kernel-of-3", "kernel-of-5")  # on punks all the same
ON_FACES = {
    "vae": ("course", "gaussian", "ours"),
    "gan": ("course", "relativistic", "kernel-of-3", "ours"),
}
SIDE_BY_SIDE = {
    PUNKS: {"vae": ("course", "ours"), "gan": ("course", "relativistic", "ours")},
    "utkface": ON_FACES,
    "anime-faces": ON_FACES,
}


@dataclass(frozen=True)
class ModelRun:
    """A picture model of a recipe, trained on a data set.

    pictures: how many are used at most. epochs: in place of those of the profile
        `full`; fewer in other profiles, in proportion.
    """

    kind: ClassVar[str] = ""

    task: str
    recipe: str = "ours"
    data: str = PUNKS
    seed: int = 1
    pictures: int = 10_000
    epochs: int | None = None

    @property
    def group(self) -> str:
        return f"{self.data}-{self.task}-{self.recipe}{self.kind}"

    @property
    def config(self) -> dict:
        recipe = find_recipe(self.task, self.recipe)
        choices = recipe.choices_for(palette=self.data == PUNKS)
        return {**vars(self), "size": SIZE, "choices": choices}

    def budgets(self, profile: Profile) -> Profile:
        """The profile with this run's number of pictures and epochs."""
        budget = getattr(profile, self.task)
        if self.epochs is not None:
            epochs = self.epochs * budget.epochs // getattr(FULL, self.task).epochs
            budget = replace(budget, epochs=max(1, epochs))
        limit = min(self.pictures, profile.pictures)
        return replace(profile, pictures=limit, **{self.task: budget})

    def judged(self, work: Path, profile: Profile) -> tuple[Pictures, FeatureMap]:
        """What it learns from, and the judge of all models of this data set."""
        limit = self.budgets(profile).pictures
        pictures = load_pictures(self.data, SIZE, limit=limit)
        return pictures, feature_map(pictures, work / f"judge-{self.data}", profile)

    def measure(self, work: Path, profile: Profile) -> Measured:
        profile = self.budgets(profile)
        pictures, judge = self.judged(work, profile)
        trained = train_task(
            self.task,
            work / f"{self.group}-seed-{self.seed}",
            profile=profile,
            data=pictures,
            recipe=self.recipe,
            seed=self.seed,
        )
        numbers = measure_everything(trained, pictures, judge)
        details = {
            "features": {"name": judge.name, "version": judge.version},
            "parameters": trained.model.count_params(),
            "steps": len(pictures.train)
            // trained.settings["batch_size"]
            * trained.settings["epochs"],
            "seconds": round(trained.run.history.seconds, 1),
        }
        shown = trained.generate(SHOWN, SAMPLE_SEED, prior=trained.best_prior)
        return Measured(as_numbers(numbers, len(pictures.test)), details, shown)


class ShortRun(ModelRun):
    """One of the runs that tell what a choice brings, all of them equally short."""

    kind = "-short"


class LongRun(ModelRun):
    """Ours for twice as long, to see what more epochs bring."""

    kind = "-long"


def measure_everything(
    trained: Trained, pictures: Pictures, judge: FeatureMap
) -> Numbers:
    """All that a table of Task 1 shows; numbers of the prior that is not the best
    start with its name."""
    best = trained.best_prior
    numbers = measure_samples(trained, pictures, judge, best)
    if judge.label_names:
        numbers |= measure_changes(trained, pictures, judge)
    if trained.task != "gan":
        numbers |= measure_reconstruction(trained, pictures)
        (other,) = set(PRIORS) - {best}
        found = measure_samples(trained, pictures, judge, other)
        numbers |= {f"{other}-{name}": value for name, value in found.items()}
    if judge.label_names:
        judged = measure_judge(judge, pictures)
        numbers |= {f"judge-{name}": value for name, value in judged.items()}
    return numbers


def measure_samples(
    trained: Trained, pictures: Pictures, judge: FeatureMap, prior: str
) -> Numbers:
    """The quality of as many samples as there are test pictures, and ``drawn_again``:
    how often the first draw equals a training picture, so that it is none of them."""
    n = len(pictures.test)
    first = trained.decode(trained.points(n, SAMPLE_SEED, prior=prior))
    samples = trained.generate(n, SAMPLE_SEED, prior=prior)
    repeated = share_of(trained.repeats(first))
    return measure_quality(samples, pictures, judge) | {"drawn_again": repeated}


def measure_changes(trained: Trained, pictures: Pictures, judge: FeatureMap) -> Numbers:
    """How often giving a picture an attribute succeeds, in each of the ways of
    ``ways_to_change``.

    With an autoencoder, the pictures are those of the test part, and what the judge
    sees in them is present. A GAN makes pictures that are to have the attributes of
    the test pictures. Where the real picture exists that a change asks for, an
    autoencoder's result is compared with it, too. Nothing is measured if there is
    nothing to ask for, see ``possible_changes``.
    """
    labels, test_labels = pictures.train_labels, pictures.test_labels
    changes, numbers = possible_changes(labels, test_labels, CHANGES), {}
    if not changes:
        return {}
    present, known = test_labels, None
    if trained.task != "gan":
        present, known = judge.see(pictures.test), find_counterparts(pictures)
    hidden = hidden_pairs(judge.see(pictures.train), labels)
    for way, arithmetic in ways_to_change(trained, pictures).items():
        found = measure_arithmetic(trained, judge, arithmetic, changes, present, hidden)
        if known:
            found |= measure_counterparts(trained, known, arithmetic)
        numbers |= {f"arithmetic-{way}-{name}": x for name, x in found.items()}
    return numbers


def ways_to_change(trained: Trained, pictures: Pictures) -> dict[str, Arithmetic]:
    """The kinds of arithmetic that a model knows, with test pictures.

    An autoencoder's directions are found by each of METHODS. A model that was told
    attributes has a direction for each ("told"). An autoencoder may then look at what
    it has drawn ("corrected"), and be told the attributes of the test pictures, too
    ("described"), in place of those that it sees.
    """
    test, test_labels = pictures.test, pictures.test_labels
    own = trained.told_directions() if trained.told else None
    if trained.task == "gan":
        if own is None:
            return {}
        asked = trained.points(len(test), SAMPLE_SEED, attributes=test_labels)
        return {"told": Arithmetic(asked, own)}
    taught, codes = trained.encode(pictures.train), trained.encode(test)
    ways = {
        how: Arithmetic(codes, attribute_directions(taught, pictures.train_labels, how))
        for how in METHODS
    }
    if own is not None:
        ways["told"] = Arithmetic(codes, own)
        ways["corrected"] = corrected(ways["told"], trained, pictures)
        ways["described"] = Arithmetic(trained.encode(test, test_labels), own)
    return ways


def as_numbers(numbers: Numbers, n: int) -> dict[str, Number]:
    """Values without an interval of their own get none."""
    return {
        name: value
        if isinstance(value, Number)
        else Number(float(value), float(value), float(value), n)
        for name, value in numbers.items()
    }


def all_runs() -> list[ModelRun]:
    """The models side by side, and ours with a choice or two changed: one
    data set after the other, and then the short runs."""
    compared = [
        _compared(task, recipe, data, seed)
        for seed in SEEDS
        for data, tasks in SIDE_BY_SIDE.items()
        for task, recipes in tasks.items()
        for recipe in recipes
    ]
    changed = [ModelRun("vae", "untold"), LongRun("vae", epochs=LONG_EPOCHS)]
    changed += [ModelRun("gan", "no-penalty"), ModelRun("cae")]
    changed += [
        _compared("gan", kernel, "anime-faces", seed)
        for seed in SEEDS
        for kernel in ("kernel-of-2", "kernel-of-5")
    ]
    choices = [
        ShortRun(task, recipe, epochs=epochs)
        for task, epochs in SHORT_EPOCHS.items()
        for recipe in RECIPES[task]
        if recipe not in ("course", *KERNELS)
    ]
    places = list(SIDE_BY_SIDE)
    by_data = sorted(compared + changed, key=lambda run: places.index(run.data))
    return by_data + choices


def expect_recorded_judges(
    runs: Iterable[ModelRun], folder: Path, work: Path, profile: Profile
) -> None:
    """See that the runs to come are measured by the judges of those recorded.

    Processors round differently, so that training need not give the same judge
    everywhere, and distances are comparable only in the eyes of one.

    Raises:
        UserError: the judge of a data set is another one here.
    """
    known = {
        content["config"]["data"]: content["features"]["version"]
        for contents in study_contents(all_runs(), folder).values()
        for content in contents
    }
    missing = [run for run in runs if recorded_run(run, folder) is None]
    for data, run in {run.data: run for run in missing if run.data in known}.items():
        _, judge = run.judged(work, profile)
        if judge.version != known[data]:
            raise UserError(
                f"the judge of {data} that was trained here ({judge.version}) is not "
                f"the one of the runs recorded in {folder} ({known[data]}), and "
                "distances by different judges cannot be compared; record in another "
                "folder, with --folder, where all runs are made anew, or those that "
                "--only names"
            )


def _compared(task: str, recipe: str, data: str, seed: int) -> ModelRun:
    """A run of the models side by side; on faces it is shorter."""
    run = ModelRun(task, recipe, data, seed)
    if data == PUNKS:
        return run
    longer = 2 if task == "gan" and recipe != "course" else 1
    return replace(run, pictures=FACE_PICTURES, epochs=FACE_EPOCHS * longer)
