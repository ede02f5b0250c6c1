"""Arguments of the command line."""

import argparse
from pathlib import Path

from latent_arithmetic.arithmetic import choices
from latent_arithmetic.images.data.registry import CARDS, PUNKS
from latent_arithmetic.profiles import PROFILES

IMAGE_TASKS = ("cae", "vae", "gan")
# Options of `train` that choose one of several; without them, the first.
CHOICES = (
    (
        "--split",
        choices.SPLITS,
        "mirror-clean: a+b and b+a are on the same side",
    ),
    (
        "--design",
        choices.DESIGNS,
        "how text is answered; attention finds columns of digits, place-aligned is "
        "given them",
    ),
    ("--reading", choices.READINGS, "how image-to-text reads pictures"),
    (
        "--supervision",
        choices.SUPERVISIONS,
        "what the eye is taught with: answers and nothing else, or every character",
    ),
    ("--painting", choices.PAINTINGS, "how text-to-image learns to write"),
)


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
        choices=choices.TASKS + IMAGE_TASKS,
        metavar="TASK",
        help=", ".join(choices.TASKS + IMAGE_TASKS),
    )
    train.add_argument("--out", type=Path, required=True, metavar="DIR")
    train.add_argument(
        "--data",
        default=PUNKS,
        metavar="NAME|PATH",
        help=f"pictures: {', '.join(CARDS)}, or a folder, .zip, .npz or .npy (default "
        f"{PUNKS}; see `datasets`)",
    )
    train.add_argument(
        "--size",
        type=count,
        default=64,
        metavar="N",
        help="pictures become N x N pixels (default 64)",
    )
    train.add_argument(
        "--recipe",
        default="ours",
        metavar="NAME",
        help="how a picture model is built and trained: ours (default), course, or "
        "one that differs from ours in a choice or two",
    )
    split = train.add_mutually_exclusive_group()
    split.add_argument(
        "--train-fraction",
        type=fraction,
        default=0.9,
        metavar="F",
        help="share of the questions trained on",
    )
    for name, known, help_text in CHOICES:
        train.add_argument(
            name,
            choices=known,
            default=known[0],
            help=f"{help_text} (default {known[0]})",
        )
    train.add_argument(
        "--digits",
        type=count,
        default=2,
        metavar="N",
        help="of the longest number in a question (default 2)",
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


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="DIR",
        help="a folder written by `train`",
    )


def _add_picture_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, required=True, metavar="FILE.png|.npz")


def _add_points(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--prior",
        choices=("normal", "mixture"),
        help="where latents are drawn from (default: normal for a GAN, the mixture "
        "fitted to those of real pictures for cae and vae)",
    )


def add_answer_arguments(answer: argparse.ArgumentParser) -> None:
    """What `answer` takes."""
    _add_model(answer)
    answer.add_argument(
        "questions",
        nargs="*",
        metavar="QUESTION",
        help="such as 81+24; put -- before a question that starts with a minus sign",
    )
    answer.add_argument(
        "--questions",
        type=Path,
        dest="questions_file",
        metavar="FILE",
        help="one question a line",
    )
    answer.add_argument(
        "--images",
        type=Path,
        metavar="FILE.npz",
        help="array `images` uint8 [n,5,28,28], for image-to-text",
    )
    answer.add_argument(
        "--out",
        type=Path,
        metavar="FILE.npz",
        help="where a text-to-image model writes its pictures",
    )
    answer.add_argument("--seed", type=int, default=0)


def add_generate_arguments(generate: argparse.ArgumentParser) -> None:
    """What `generate` takes."""
    _add_model(generate)
    generate.add_argument("--count", type=count, default=25, metavar="N")
    _add_points(generate)
    generate.add_argument(
        "--truncation",
        type=float,
        metavar="SD",
        help="draw latents further from the middle again (2 is usual): less varied",
    )
    generate.add_argument(
        "--scale",
        type=float,
        default=1.0,
        metavar="X",
        help="of the noise (default 1); below 1, closer to the typical picture",
    )
    generate.add_argument(
        "--attributes",
        nargs="+",
        metavar="NAME",
        help="what all pictures are to have; for a VAE or GAN that was trained on "
        "pictures with labels",
    )
    _add_picture_file(generate)


def add_reconstruct_arguments(again: argparse.ArgumentParser) -> None:
    """What `reconstruct` takes."""
    _add_model(again)
    again.add_argument("--data", default=PUNKS, metavar="NAME|PATH")
    again.add_argument(
        "--count", type=count, metavar="N", help="only N pictures, spread over all"
    )
    _add_picture_file(again)


def add_interpolate_arguments(between: argparse.ArgumentParser) -> None:
    """What `interpolate` takes."""
    _add_model(between)
    between.add_argument("--steps", type=count, default=10, metavar="N")
    _add_points(between)
    between.add_argument(
        "--method", choices=("linear", "spherical"), default="spherical"
    )
    _add_picture_file(between)


def add_profile(parser: argparse.ArgumentParser) -> None:
    """Which budgets."""
    parser.add_argument(
        "--profile", choices=tuple(PROFILES), help="how long to train (default quick)"
    )
