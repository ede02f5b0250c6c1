"""Recipes: a design of a picture model, its numbers, and how it is trained.

"ours" is what a task trains unless told otherwise, "course" the assignment's own
model, and the others differ from ours in a choice or two, to show what these bring.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import keras

from latent_arithmetic.errors import expect_one_of
from latent_arithmetic.images.data.datasets import TEST_SHARE, VALIDATION_SHARE
from latent_arithmetic.images.models.designs import (
    Canvas,
    design_cae,
    design_course_gan,
    design_course_vae,
    design_gan,
    design_vae,
)
from latent_arithmetic.images.models.likelihoods import COURSE_SIGMA
from latent_arithmetic.profiles import Budget, Profile
from latent_arithmetic.training import cosine_schedule

KERAS_BETAS = (0.9, 0.999)
BETAS = (0.9, 0.99)
R3GAN_BETAS = (0.0, 0.99)  # no momentum: the opponent moves


@dataclass(frozen=True)
class Recipe:
    """How a model is built and trained.

    design: (canvas, seed, **choices) -> a model. choices: what it is given.
    on_photographs: what it is given besides, or instead, for pictures whose colours
        are no palette.
    betas: of Adam; by default ``BETAS``, or those of R3GAN if the model has an
        opponent. decay: whether the learning rate warms up and falls to 0.
    budget: in place of the profile's, at most as many epochs as that one has.
    """

    design: Callable[..., keras.Model]
    choices: dict = field(default_factory=dict)
    on_photographs: dict = field(default_factory=dict)
    betas: tuple[float, float] | None = None
    decay: bool = True
    budget: Budget | None = None

    def choices_for(self, palette: bool) -> dict:
        """What the design is given for pictures with or without a palette."""
        return self.choices | ({} if palette else self.on_photographs)

    def build(self, canvas: Canvas, seed: int = 0) -> keras.Model:
        """The untrained model."""
        choices = self.choices_for(palette=canvas.colours > 0)
        return self.design(canvas, seed=seed, **choices)

    def budget_in(self, profile: Profile, task: str, n_train: int) -> Budget:
        """How long it trains in a profile, with ``n_train`` pictures.

        A profile's budget is meant for as many pictures as it uses at most; a
        smaller collection is gone through more often, so that it is learned in as
        many steps. A recipe's own budget is not stretched.
        """
        usual = getattr(profile, task)
        if self.budget is not None:
            return replace(self.budget, epochs=min(self.budget.epochs, usual.epochs))
        meant = profile.pictures * (1 - VALIDATION_SHARE - TEST_SHARE)
        return replace(usual, epochs=max(1, round(usual.epochs * meant / n_train)))

    def compile(self, model: keras.Model, learning_rate: float, steps: int) -> None:
        """Give the model its optimiser, Adam."""
        schedule = learning_rate
        if self.decay:
            schedule = cosine_schedule(learning_rate, steps)
        usual = R3GAN_BETAS if hasattr(model, "contest") else BETAS
        beta_1, beta_2 = self.betas or usual
        # Without compilation: XLA is slower than oneDNN's convolutions on a CPU.
        on_tensorflow = keras.backend.backend() == "tensorflow"
        model.compile(
            keras.optimizers.Adam(schedule, beta_1=beta_1, beta_2=beta_2),
            jit_compile=False if on_tensorflow else "auto",
        )


CONTEST = {"loss": "binary", "gamma": 0.1, "penalty_every": 4}
CAE = {"width": 192, "latent_dim": 64}
VAE = {"width": 192, "latent_dim": 64, "warm_up": 300, "kl_weight": 0.2}
VAE |= {"tells_attributes": True, "attribute_weight": 10.0}
SHARPENED = {"sharpness": 600.0, "contest": CONTEST, "kl_weight": 1.0, "finest": 48}
GAN = {"width": 192, "latent_dim": 64, **CONTEST}
GAN |= {"half_life": 200, "tells_attributes": True}
LARGER = {"kernel": 4}  # with 2 or 3, anime faces are twice as far from real ones


def _vae(**choices) -> Recipe:
    return Recipe(design_vae, VAE | choices, SHARPENED)


def _soft(**choices) -> Recipe:
    """Neither a palette nor a discriminator keeps what is drawn sharp."""
    softened = SHARPENED | {"sharpness": 0.0}
    return Recipe(design_vae, VAE | {"palette": False} | choices, softened)


def _gan(**choices) -> Recipe:
    return Recipe(design_gan, GAN | choices, LARGER)


COURSE_VAE = Recipe(
    design_course_vae,
    {"latent_dim": 64, "sigma": COURSE_SIGMA},
    betas=KERAS_BETAS,
    decay=False,
    budget=Budget(epochs=20, batch_size=8, learning_rate=1e-3),
)
COURSE_GAN = Recipe(
    design_course_gan,
    {"latent_dim": 256, "loss": "binary", "gamma": 0.0},
    betas=(0.5, 0.999),
    decay=False,
    budget=Budget(epochs=20, batch_size=64, learning_rate=2e-4),
)
RECIPES: dict[str, dict[str, Recipe]] = {
    "cae": {"ours": Recipe(design_cae, CAE)},
    "vae": {
        "ours": _vae(),
        "untold": _vae(tells_attributes=False),
        "attributes-once": _vae(attribute_weight=1.0),
        "gaussian": _soft(),
        "fixed-sigma": _soft(sigma=0.3),
        "no-warm-up": _vae(warm_up=0),
        "free-bits": _vae(free_bits=0.1),
        "full-price": _vae(kl_weight=1.0),
        "course": COURSE_VAE,
    },
    "gan": {
        "ours": _gan(),
        "kernel-of-2": Recipe(design_gan, GAN, {"kernel": 2}),
        "kernel-of-3": Recipe(design_gan, GAN),
        "kernel-of-5": Recipe(design_gan, GAN, {"kernel": 5}),
        "untold": _gan(tells_attributes=False),
        "translated": _gan(largest_shift=0.125),
        "not-averaged": _gan(half_life=0),
        "no-penalty": _gan(gamma=0.0),
        "full-penalty": _gan(gamma=1.0),
        "relativistic": _gan(loss="relativistic", gamma=1.0),
        "relativistic-no-penalty": _gan(loss="relativistic", gamma=0.0),
        "course": COURSE_GAN,
    },
}


def find_recipe(task: str, name: str = "ours") -> Recipe:
    """The recipe of a task.

    Raises:
        UserError: there is no such task, or no such recipe of it.
    """
    expect_one_of("task", task, RECIPES)
    expect_one_of(f"recipe for {task}", name, RECIPES[task])
    return RECIPES[task][name]
