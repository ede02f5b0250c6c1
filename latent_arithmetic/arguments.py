"""Arguments of the command line."""

import argparse
from pathlib import Path

from latent_arithmetic.profiles import PROFILES

ARITHMETIC_TASKS = ("text-to-text", "image-to-text", "text-to-image", "reader")
IMAGE_TASKS = ("cae", "vae", "gan")


def fraction(text: str) -> float:
    """A number between 0 and 1."""
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"expected 0 < F < 1, received {text}")
    return value


def count(text: str) -> int:
    """A whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"expected at least 1, received {text}")
    return value


def add_train_arguments(train: argparse.ArgumentParser) -> None:
    """What `train` takes."""
    train.add_argument(
        "task",
        choices=ARITHMETIC_TASKS + IMAGE_TASKS,
        metavar="TASK",
        help=", ".join(ARITHMETIC_TASKS + IMAGE_TASKS),
    )
    train.add_argument("--out", type=Path, required=True, metavar="DIR")
    train.add_argument(
        "--data",
        default="cryptopunks",
        metavar="NAME|PATH",
        help="pictures: cryptopunks, or a folder, .zip, .npz or .npy",
    )
    train.add_argument(
        "--size",
        type=count,
        default=64,
        metavar="N",
        help="pictures become N x N pixels (default 64)",
    )
    split = train.add_mutually_exclusive_group()
    split.add_argument(
        "--train-fraction",
        type=fraction,
        default=0.9,
        metavar="F",
        help="share of the questions trained on",
    )
    train.add_argument(
        "--split",
        choices=("random", "mirror-clean"),
        default="random",
        help="mirror-clean: a+b and b+a are on the same side (default random)",
    )
    train.add_argument(
        "--design",
        choices=("summary", "attention", "place-aligned"),
        default="summary",
        help="how text is answered (default summary; attention finds columns of "
        "digits; place-aligned is given them)",
    )
    train.add_argument(
        "--digits",
        type=count,
        default=2,
        metavar="N",
        help="of the longest number in a question (default 2)",
    )
    train.add_argument(
        "--reading",
        choices=("eye", "flattened-lstm", "conv-lstm", "cnn-lstm"),
        default="eye",
        help="how image-to-text reads pictures (default eye)",
    )
    train.add_argument(
        "--supervision",
        choices=("answers", "labels"),
        default="answers",
        help="what the eye is taught with (default answers, and nothing else)",
    )
    train.add_argument(
        "--painting",
        choices=("styles", "mean-squared-error"),
        default="styles",
        help="how text-to-image learns to write (default styles)",
    )
    split.add_argument(
        "--train-questions",
        type=Path,
        metavar="FILE",
        help="train on exactly these questions, one a line",
    )
    train.add_argument(
        "--encoder-layers",
        type=count,
        default=1,
        metavar="N",
        help="recurrent layers that read (default 1)",
    )
    train.add_argument(
        "--decoder-layers",
        type=count,
        metavar="N",
        help="recurrent layers that write (default: what suits the design)",
    )
    train.add_argument("--seed", type=int, default=0)
    add_profile(train)


def add_profile(parser: argparse.ArgumentParser) -> None:
    """Which budgets."""
    parser.add_argument(
        "--profile", choices=tuple(PROFILES), help="how long to train (default quick)"
    )
