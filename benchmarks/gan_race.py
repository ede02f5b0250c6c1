"""Time to the Fréchet distance at which the course's GAN ends: that GAN, and ours.

The course's GAN is trained for all its epochs; where it ends is the goal. Ours, as it
is trained in the quick profile, is looked at after every epoch until it is there.
"""

import tempfile
from pathlib import Path

import keras
import numpy as np

from benchmarks.measure import Row, Stopwatch, ratio_text, spread
from latent_arithmetic.images.data.datasets import Pictures, load_pictures
from latent_arithmetic.images.latent import random_latents
from latent_arithmetic.images.models.gan import GAN
from latent_arithmetic.images.models.recipes import find_recipe
from latent_arithmetic.images.quality.distances import frechet_distance
from latent_arithmetic.images.quality.features import FeatureMap, feature_map
from latent_arithmetic.images.tasks import canvas_of, training_arrays
from latent_arithmetic.images.trained import decode
from latent_arithmetic.profiles import QUICK
from latent_arithmetic.progress import progress_bar, say

RECIPES = {"course": "course GAN", "ours": "our GAN"}
NOTE = (
    "Seconds until the course's GAN has had all its epochs, and until ours is at most "
    "as far from training punks as that one ended: Frechet distance of as many samples "
    "as there are validation punks, in the features of the attribute judge. Looking is "
    "outside the clock; building and compiling are not. Ours samples with attributes "
    "of validation punks, which it is told. Both take turns in one process."
)


class Looker(keras.callbacks.Callback):
    """Measures the distance after every epoch, outside the clock, and stops at the
    goal; `history` holds (seconds, distance)."""

    def __init__(self, title, epochs, pictures, judge, watch, goal):
        super().__init__()
        self.pictures, self.judge, self.watch = pictures, judge, watch
        self.goal = goal
        self.bar = progress_bar(epochs, title, unit="epoch")
        self.history: list[tuple[float, float]] = []

    def on_epoch_end(self, epoch, logs=None):
        float(logs["loss"])  # the epoch is over only when its loss is known
        seconds = self.watch.seconds
        with self.watch.paused():
            found = distance(self.model, self.pictures, self.judge)
        self.history.append((seconds, found))
        self.bar.update()
        self.bar.set_postfix(distance=f"{found:.2f}")
        self.model.stop_training = found <= self.goal

    def on_train_end(self, logs=None):
        self.bar.close()


def distance(model: GAN, pictures: Pictures, judge: FeatureMap) -> float:
    """The Fréchet distance of samples to as many training pictures."""
    count = len(pictures.validation)
    points = random_latents(count, model.latent_dim, seed=0)
    if model.told:
        points = np.asarray(model.place(points, pictures.validation_labels))
    real = judge.features(pictures.train[:count])
    return frechet_distance(real, judge.features(decode(model, points)))


def contest(
    name: str, pictures: Pictures, judge: FeatureMap, seed: int, goal: float = 0.0
) -> list[tuple[float, float]]:
    """Train a recipe's GAN to the goal, or to its last epoch."""
    keras.utils.clear_session()
    keras.utils.set_random_seed(seed)
    recipe, size = find_recipe("gan", name), len(pictures.train)
    budget = recipe.budget or QUICK.gan
    watch = Stopwatch()
    model = recipe.build(canvas_of(pictures), seed=seed)
    steps = budget.epochs * -(-size // budget.batch_size)
    recipe.compile(model, budget.learning_rate, steps)
    arrays = training_arrays("gan", model, pictures)
    title = f"{RECIPES[name]}, seed {seed}"
    looker = Looker(title, budget.epochs, pictures, judge, watch, goal)
    model.fit(
        *(arrays if isinstance(arrays, tuple) else (arrays,)),
        batch_size=budget.batch_size,
        epochs=budget.epochs,
        callbacks=[looker],
        verbose=0,
    )
    return looker.history


def run_gan_race(repeats: int) -> tuple[list[Row], str, dict]:
    """Course and ours in turns, with seeds 1, 2, ..."""
    pictures = load_pictures(limit=QUICK.pictures)
    with tempfile.TemporaryDirectory() as folder:
        judge = feature_map(pictures, Path(folder), QUICK)
    found: dict[str, list] = {name: [] for name in RECIPES}
    for seed in range(1, repeats + 1):
        found["course"].append(contest("course", pictures, judge, seed))
        goal = found["course"][-1][-1][1]
        say(f"the course's GAN ends at a distance of {goal:.2f}")
        found["ours"].append(contest("ours", pictures, judge, seed, goal))
    details = {"seconds and distance after every epoch": found, "judge": judge.version}
    return race_rows(found, len(pictures.validation)), NOTE, details


def race_rows(found: dict[str, list], n: int) -> list[Row]:
    """Seconds and final distances; a ratio if ours reached the goal every time."""
    ends = {name: [history[-1] for history in found[name]] for name in RECIPES}
    seconds = {
        name: spread([end[0] for end in ends[name]], "s", n=n) for name in RECIPES
    }
    pairs = zip(ends["course"], ends["ours"], strict=True)
    reached = all(ours[1] <= course[1] for course, ours in pairs)
    times = ratio_text(seconds["ours"], seconds["course"]) if reached else "-"
    what = "to the course GAN's distance"
    return [
        Row(
            what,
            who,
            seconds[name],
            times if name == "ours" else "",
            "ends at " + ", ".join(f"{end[1]:.2f}" for end in ends[name]),
        )
        for name, who in RECIPES.items()
    ]
