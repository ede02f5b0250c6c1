"""Training steps of the picture models: pictures a second, and share of the peak."""

import keras

from benchmarks.measure import Row, ratio_text, spread
from benchmarks.share_of_peak import NOTE, peak_rows, steps_in_turns, traced_flops
from latent_arithmetic.images.data.datasets import Pictures, load_pictures
from latent_arithmetic.images.models.recipes import find_recipe
from latent_arithmetic.images.tasks import canvas_of, training_arrays
from latent_arithmetic.profiles import FULL

PICTURES = 1_000
PLAYERS = {
    "course VAE": ("vae", "course"),
    "our VAE": ("vae", "ours"),
    "course GAN": ("gan", "course"),
    "our GAN": ("gan", "ours"),
}


def picture_step(task: str, name: str, pictures: Pictures):
    """A picture model as it is trained, and a batch of the size it is trained with."""
    keras.utils.set_random_seed(0)
    recipe = find_recipe(task, name)
    budget = recipe.budget_in(FULL, task, len(pictures.train))
    model = recipe.build(canvas_of(pictures), seed=0)
    recipe.compile(model, budget.learning_rate, steps=1_000)
    arrays = training_arrays(task, model, pictures)
    inputs, targets = arrays if isinstance(arrays, tuple) else (arrays, {})
    batch = slice(budget.batch_size)
    inputs, targets = keras.tree.map_structure(lambda a: a[batch], (inputs, targets))
    return model, traced_flops(model, inputs, targets), inputs, targets


def run_picture_steps(repeats: int) -> tuple[list[Row], str, dict]:
    """Course and ours in turns."""
    pictures = load_pictures(limit=PICTURES)
    entries = {who: picture_step(*what, pictures) for who, what in PLAYERS.items()}
    peaks, steps = steps_in_turns(entries, repeats, "picture steps")
    sizes = {name: len(entry[2]) for name, entry in entries.items()}
    details = {"peak, operations a second": peaks, "pictures a step": sizes}
    details |= {"operations and seconds of a step": steps}
    return throughput_rows(steps, sizes) + peak_rows(peaks, steps), NOTE, details


def throughput_rows(steps: dict[str, list[tuple]], sizes: dict[str, int]) -> list[Row]:
    """Pictures a second of every model, ours against the course's of the same kind."""
    speeds = {
        name: spread([sizes[name] / seconds for _, seconds in measured], "pictures/s")
        for name, measured in steps.items()
    }
    rows = []
    for name, speed in speeds.items():
        rival = speeds[f"course {name.split()[-1]}"]
        times = "" if rival is speed else ratio_text(rival, speed)
        note = f"{sizes[name]} pictures a step"
        rows.append(Row("pictures trained on", name, speed, times, note))
    return rows
