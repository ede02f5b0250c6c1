"""`python -m benchmarks.all_models`: train all seven models, use each once, time it.

Runs on any backend and device (KERAS_BACKEND=jax, torch or tensorflow), and records
seconds and a few estimates of each model in one JSON.
"""

import argparse
import os
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from latent_arithmetic.config import PROFILES, get_profile  # noqa: E402
from latent_arithmetic.console import import_keras_quietly, say  # noqa: E402

import_keras_quietly()

from latent_arithmetic.images import pipeline as images  # noqa: E402
from latent_arithmetic.images.dataset import load_images  # noqa: E402
from latent_arithmetic.images.evaluate import evaluate_reconstruction  # noqa: E402
from latent_arithmetic.images.metrics import diversity  # noqa: E402
from latent_arithmetic.records import Estimate, Record, provenance  # noqa: E402
from latent_arithmetic.seq2seq import pipeline as sequences  # noqa: E402
from latent_arithmetic.seq2seq.evaluate import (  # noqa: E402
    evaluate,
    evaluate_classifier,
)

IMAGE_TASKS = ("cae", "vae", "gan")
SEED = 1


def use_image_model(trained, dataset) -> dict[str, Estimate]:
    """Samples, an interpolation, and reconstructions where there is an encoder."""
    samples = trained.generate(100, SEED, prior=trained.default_prior)
    trained.interpolate(10, SEED, prior=trained.default_prior)
    n = len(samples)
    found = {"diversity": Estimate(*(diversity(samples),) * 3, n)}
    if images.TASKS[trained.task].has_encoder:
        found |= {
            name: estimate
            for name, estimate in evaluate_reconstruction(trained, dataset).items()
            if isinstance(estimate, Estimate)
        }
    return found


def train_all(folder: Path, profile) -> tuple[dict[str, Estimate], dict[str, float]]:
    """Train every model below `folder`; its estimates and the seconds each took."""
    estimates, seconds = {}, {}

    def timed(task, train):
        started = time.perf_counter()
        trained = train()
        seconds[task] = round(time.perf_counter() - started, 1)
        seconds[f"{task}, in epochs"] = round(trained.run.history.seconds, 1)
        say(f"{task}: {seconds[task]} s")
        return trained

    dataset = load_images(limit=profile.max_images)
    for task in IMAGE_TASKS:
        options = {"profile": profile, "data": dataset, "seed": SEED}
        trained = timed(
            task, lambda t=task, o=options: images.train(t, folder / t, **o)
        )
        found = use_image_model(trained, dataset)
        estimates |= {f"{task}_{name}": each for name, each in found.items()}
    models = {}
    for task in ("text-to-text", "digit-classifier", "image-to-text", "text-to-image"):
        options = {"profile": profile, "seed": SEED}
        if task.startswith("image") or task.endswith("image"):
            options["text_folder"] = folder / "text-to-text"
        models[task] = timed(
            task, lambda t=task, o=options: sequences.train(t, folder / t, **o)
        )
    classifier = models.pop("digit-classifier")
    found, _, _ = evaluate_classifier(classifier.model)
    estimates |= {f"digit_classifier_{name}": each for name, each in found.items()}
    for task, trained in models.items():
        test = trained.config.make_split().test[: profile.max_test_queries]
        found, _ = evaluate(trained, test, classifier)
        prefix = task.replace("-", "_")
        estimates |= {f"{prefix}_{name}": each for name, each in found.items()}
    return estimates, seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--profile", choices=tuple(PROFILES), default="quick")
    parser.add_argument("--models", type=Path, required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.json")
    options = parser.parse_args()
    profile = get_profile(options.profile)
    estimates, seconds = train_all(options.models, profile)
    Record(
        name=options.out.stem,
        group=options.out.stem,
        config={"profile": profile.name, "seed": SEED},
        estimates=estimates,
        details={"seconds": seconds},
        seeds=(SEED,),
        seconds=sum(s for task, s in seconds.items() if "epochs" not in task),
        note="every model trained and used once; seconds include compilation",
        provenance=provenance(profile.name),
    ).write(options.out)
    say(f"recorded {options.out}")


if __name__ == "__main__":
    main()
