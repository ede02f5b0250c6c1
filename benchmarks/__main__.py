"""`python -m benchmarks`: measure, record in results/benchmarks/, print a table."""

import argparse
import os
from importlib import import_module
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from benchmarks.measure import BenchmarkConfig, Stopwatch  # noqa: E402
from latent_arithmetic.console import import_keras_quietly, say  # noqa: E402
from latent_arithmetic.flags import add_flags, config_from_flags  # noqa: E402
from latent_arithmetic.records import Record, records_folder  # noqa: E402

BENCHMARKS = {  # name: module, whose `run` measures
    "data-preparation": "data_preparation",
    "sequence-training-steps": "gemm_fraction",
    "time-to-99-percent": "time_to_accuracy",
    "image-training-steps": "image_training_steps",
    "gan-time-to-baseline-distance": "gan_time",
    "runner-overhead": "runner_overhead",
}
COLUMNS = ("median [smallest, largest]", "repeats", "better than baseline", "note")


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    add_flags(parser, BenchmarkConfig)
    parser.add_argument(
        "--only",
        nargs="+",
        choices=BENCHMARKS,
        default=list(BENCHMARKS),
        metavar="NAME",
        help=f"benchmarks to run, of {', '.join(BENCHMARKS)} (default: all)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=records_folder("benchmarks"),
        metavar="FOLDER",
        help="where records are written; those that are there are overwritten",
    )
    return parser.parse_args(arguments)


def show_record(record: Record) -> None:
    """Print a table with a row for every estimate of a benchmark."""
    from latent_arithmetic.plotting import show_table

    ratios, notes = record.details["ratio_to_baseline"], record.details["notes"]
    rows = [
        (key, estimate, str(estimate.seeds), ratios.get(key), notes.get(key))
        for key, estimate in record.estimates.items()
    ]
    show_table(rows, (record.name, *COLUMNS))


def main(arguments: list[str] | None = None) -> None:
    options = parse_arguments(arguments)
    config = config_from_flags(BenchmarkConfig, options)
    import_keras_quietly()
    for name in options.only:
        say(f"{name}: {config.repeats} repeats")
        watch = Stopwatch()
        result = import_module(f"benchmarks.{BENCHMARKS[name]}").run(config)
        record, path = result.record(name, watch.seconds), options.out / f"{name}.json"
        record.write(path)
        say(f"recorded {path}")
        show_record(record)


if __name__ == "__main__":
    main()
