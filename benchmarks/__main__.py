"""`python -m benchmarks`: measure, record below results/benchmarks/, print a table."""

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from latent_arithmetic.arguments import count  # noqa: E402
from latent_arithmetic.progress import say  # noqa: E402
from latent_arithmetic.quiet import import_keras_quietly  # noqa: E402
from latent_arithmetic.speed import benchmark_folder  # noqa: E402

NAMES = (
    "making-data",
    "share-of-peak",
    "text-race",
    "image-to-text",
    "picture-steps",
    "gan-race",
)


def pieces(epochs: int, batch_size: int) -> dict[str, Callable]:
    """Every measurement by name; each takes the number of repeats.

    epochs, batch_size: of the course baseline.
    """
    import_keras_quietly()
    from benchmarks.gan_race import run_gan_race
    from benchmarks.image_to_text import run_image_to_text
    from benchmarks.making_data import run_making_data
    from benchmarks.picture_steps import run_picture_steps
    from benchmarks.share_of_peak import run_share_of_peak
    from benchmarks.text_race import run_text_race

    race = partial(run_text_race, epochs=epochs, batch_size=batch_size)
    runs = (run_making_data, run_share_of_peak, race, run_image_to_text)
    return dict(zip(NAMES, (*runs, run_picture_steps, run_gan_race), strict=True))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--repeats", type=count, default=3, metavar="N")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument(
        "--baseline-epochs",
        type=count,
        default=50,
        metavar="N",
        help="epochs after which the course baseline has had its chance",
    )
    parser.add_argument(
        "--baseline-batch",
        type=count,
        default=32,
        metavar="N",
        help="questions in a step of the course baseline",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=benchmark_folder(),
        metavar="DIR",
        help="where results are written; what is there is written over",
    )
    return parser.parse_args()


def main() -> None:
    asked = parse_arguments()
    known = pieces(asked.baseline_epochs, asked.baseline_batch)
    from benchmarks.measure import print_rows, record_rows

    found = []
    for name in asked.only:
        say(f"{name}: {asked.repeats} repeats")
        rows, note, details = known[name](asked.repeats)
        say(f"recorded {record_rows(asked.out, name, rows, note, details)}")
        found += rows
    print_rows(found)


if __name__ == "__main__":
    main()
