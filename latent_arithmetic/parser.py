"""The parser of the command line: commands, tasks and their flags."""

import argparse
from importlib import import_module
from pathlib import Path

from latent_arithmetic import __version__
from latent_arithmetic.config import PROFILES
from latent_arithmetic.console import import_keras_quietly
from latent_arithmetic.flags import add_flags, flag_type

# Task -> module and class of its typed configuration, whose settings are its flags;
# and what it does.
IMAGE_TASKS = {
    "cae": ("images.presets", "CAEConfig", "convolutional autoencoder of images"),
    "vae": ("images.presets", "VAEConfig", "variational autoencoder of images"),
    "gan": ("images.presets", "GANConfig", "generative adversarial network of images"),
}
SEQUENCE_TASKS = {
    "text-to-text": (
        "seq2seq.text_to_text",
        "TextToTextConfig",
        "answers queries such as 81+24",
    ),
    "image-to-text": (
        "seq2seq.image_to_text",
        "ImageToTextConfig",
        "answers queries in handwriting",
    ),
    "text-to-image": (
        "seq2seq.text_to_image",
        "TextToImageConfig",
        "draws answers in handwriting",
    ),
    "digit-classifier": (
        "seq2seq.digit_classifier",
        "DigitClassifierConfig",
        "recognizes handwritten characters",
    ),
}
TASKS = IMAGE_TASKS | SEQUENCE_TASKS
DEFAULT_DATA = "cryptopunks"
DESCRIPTION = (
    "Generative models of images (CAE, VAE, GAN), and sequence models that add and "
    "subtract, as text and in handwriting."
)


def _whole(low: int, high: int | None = None):
    """The type of a whole number within bounds."""
    about = dict(choices=None, low=low, high=high, low_open=False, high_open=False)
    return flag_type(int, about)


def _real(low: float, high: float | None = None, low_open: bool = False):
    """The type of a finite number within bounds."""
    about = dict(choices=None, low=low, high=high, low_open=low_open, high_open=False)
    return flag_type(float, about)


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are one line: the usage of many flags would hide it."""

    def error(self, message: str):
        self.exit(2, f"error: {message}; `{self.prog} --help` says what is expected\n")


SEED = {"type": _whole(0, 2**32 - 1), "default": 0, "metavar": "N"}
COUNT = {"type": _whole(1, 100_000), "metavar": "N"}


def _add_profile(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--profile",
        choices=tuple(PROFILES),
        help="training schedules and build folder: smoke (shortest), quick (minutes) "
        "or full (hours); default quick, of `experiments run` full",
    )


def _add_value_range(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--value-range",
        nargs=2,
        type=float,
        metavar=("LOW", "HIGH"),
        help="the pixel values of black and white, if the range is none of the usual "
        "(0 to 255, 0 to 1, -1 to 1, 0 to 65535)",
    )


def config_class(task: str) -> type:
    module, name, _ = TASKS[task]
    import_keras_quietly()
    return getattr(import_module(f"latent_arithmetic.{module}"), name)


def _preset_names(task: str) -> tuple[str, ...]:
    import_keras_quietly()
    return tuple(import_module("latent_arithmetic.images.presets").PRESETS[task])


def _add_train(commands, task: str | None) -> None:
    """`train`, with the flags of one task; the others' would have no effect."""
    train = commands.add_parser(
        "train",
        help="train one model into a folder",
        epilog="`train TASK --help` lists the flags of a task",
        allow_abbrev=False,
    )
    tasks = train.add_subparsers(required=True, metavar="TASK", dest="task")
    for name, (*_, about) in TASKS.items():
        parser = tasks.add_parser(name, help=about, allow_abbrev=False)
        parser.set_defaults(command="train", parser=parser)
        if name != task:
            continue
        parser.add_argument(
            "--out", type=Path, required=True, metavar="DIR", help="folder of the model"
        )
        _add_profile(parser)
        parser.add_argument(
            "--tensorboard",
            type=Path,
            metavar="DIR",
            help="write losses and validation metrics as TensorBoard logs",
        )
        parser.add_argument(
            "--data-parallel",
            action="store_true",
            help="split every batch among all devices, such as GPUs (JAX only)",
        )
        if name in IMAGE_TASKS:
            _add_image_data(parser)
            others = [preset for preset in _preset_names(name) if preset != "default"]
            parser.add_argument(
                "--preset",
                default="default",
                choices=_preset_names(name),
                metavar="NAME",
                help=f"a named configuration: default, or {', '.join(others)} "
                "(baseline is the assignment's model; the others are ablations)"
                if others
                else "a named configuration; of this task there is one, default",
            )
            parser.add_argument(
                "--seed", **SEED, help="seed of weights, noise and shuffling"
            )
        add_flags(parser, config_class(name))


def _add_image_data(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        default=DEFAULT_DATA,
        metavar="NAME|PATH",
        help="a data set by name (see `datasets`), or a folder, .zip, .npz or .npy of "
        f"images (default {DEFAULT_DATA})",
    )
    parser.add_argument(
        "--size",
        type=_whole(12, 512),
        default=64,
        metavar="N",
        help="images are cropped to squares and resized to N x N pixels (default 64)",
    )
    _add_value_range(parser)


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model",
        type=Path,
        required=True,
        metavar="DIR",
        help="a folder written by `train`",
    )


def _add_image_file(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE.png|.npz",
        help="an image grid, or an array `images`",
    )


def _add_latents(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seed", **SEED, help="seed of the latent vectors")
    parser.add_argument(
        "--prior",
        choices=("normal", "mixture"),
        help="of the latent vectors: normal, N(0, I), or a Gaussian mixture fitted to "
        "the codes of training images after training (default: normal for a GAN, "
        "mixture for cae and vae)",
    )


def _add_answer(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument(
        "queries",
        nargs="*",
        metavar="QUERY",
        help="such as 81+24",
    )
    parser.add_argument(
        "--queries",
        type=Path,
        dest="queries_file",
        metavar="FILE",
        help="text file with one query a line",
    )
    parser.add_argument(
        "--images",
        type=Path,
        metavar="FILE.npz",
        help="array `images` uint8 [n, 5, 28, 28], white on black, for image-to-text",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE.npz|.png",
        help="where a text-to-image model writes its answers",
    )
    parser.add_argument(
        "--seed", **SEED | {"default": None}, help="of sampled handwriting or styles"
    )


def _add_generate(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument("--count", **COUNT, default=25, help="samples (default 25)")
    _add_latents(parser)
    parser.add_argument(
        "--truncation",
        type=_real(0.25),
        metavar="SD",
        help="resample latent values beyond this many standard deviations (truncation "
        "trick; 2 is usual): less diverse samples",
    )
    parser.add_argument(
        "--scale",
        type=_real(0, 1_000),
        default=1.0,
        metavar="X",
        help="factor on the standard deviation of the latent noise (default 1); below "
        "1, less diverse samples",
    )
    parser.add_argument(
        "--attributes",
        nargs="+",
        metavar="NAME",
        help="the attributes that all samples have, of a conditional VAE or GAN "
        "(default: those of random training images)",
    )
    _add_image_file(parser)


def _add_reconstruct(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument(
        "--data",
        metavar="NAME|PATH",
        help=f"as for `train` (default {DEFAULT_DATA}, of a model of these)",
    )
    _add_value_range(parser)
    parser.add_argument("--count", **COUNT, help="only N images, spread evenly")
    _add_image_file(parser)


def _add_interpolate(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
    parser.add_argument(
        "--steps",
        type=_whole(2, 1000),
        default=10,
        metavar="N",
        help="images, both ends included (default 10)",
    )
    _add_latents(parser)
    parser.add_argument(
        "--method",
        choices=("linear", "spherical"),
        default="spherical",
        help="of interpolation: linear, or spherical (slerp, the default)",
    )
    _add_image_file(parser)


def _add_experiments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for name, help_text in (
        ("run", "train, evaluate and record every run without a record"),
        ("list", "print every experiment, and what it is for"),
        ("status", "print how many are done, running, failed, waiting; time left"),
        ("show", "print the recorded estimates"),
    ):
        action = actions.add_parser(name, help=help_text, allow_abbrev=False)
        action.add_argument(
            "names",
            nargs="*",
            metavar="NAME",
            help="experiments whose names start with NAME (default: all)",
        )
        action.add_argument(
            "--records",
            type=Path,
            metavar="DIR",
            help="folder of the records (default results/experiments; with another "
            "profile than full, build/PROFILE/records)",
        )
        _add_profile(action)
        if name == "run":
            _add_executor(action)
        action.set_defaults(command=f"experiments {name}", parser=action)


def _add_executor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--on",
        choices=("here", "processes", "ray"),
        default="here",
        help="one after the other in this process (default), several at a time in "
        "fresh processes, or on a Ray cluster",
    )
    parser.add_argument(
        "--workers",
        **COUNT,
        help="experiments at a time (default: cores / threads of one; on Ray, as many "
        "as fit)",
    )
    parser.add_argument(
        "--address",
        metavar="ADDR",
        help="of a running Ray cluster: auto or HOST:PORT (default: start one here)",
    )
    parser.add_argument(
        "--work",
        type=Path,
        metavar="DIR",
        help="folder in which models are trained, and killed runs go on (default: "
        "build/PROFILE/experiments)",
    )


def _add_submission(parser: argparse.ArgumentParser) -> None:
    _add_profile(parser)
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build/submission.zip"),
        metavar="FILE",
        help="the zip to write (default build/submission.zip)",
    )


def build_parser(task: str | None = None) -> argparse.ArgumentParser:
    """The whole command line; of `train`, the flags of one task."""
    parser = _Parser(
        prog="latent-arithmetic", description=DESCRIPTION, allow_abbrev=False
    )
    version = f"latent-arithmetic {__version__}"
    parser.add_argument("--version", action="version", version=version)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, help_text, add_arguments in (
        ("run", "execute both notebooks, export scripts, build report", _add_profile),
        ("report", "build the report from recorded results", _add_profile),
        ("publish", "copy a finished build to its committed places", _add_profile),
        ("release-check", "check that published files match their sources", None),
        ("export", "regenerate scripts and self-contained notebooks", None),
        ("submission", "zip all that a student hands in", _add_submission),
        ("datasets", "list image data sets: license, link, attributes", None),
        ("experiments", "run, list or show recorded experiments", _add_experiments),
        ("answer", "answer queries with a trained sequence model", _add_answer),
        ("generate", "sample new images", _add_generate),
        ("reconstruct", "encode and decode images", _add_reconstruct),
        ("interpolate", "between two random latent vectors", _add_interpolate),
    ):
        each = commands.add_parser(name, help=help_text, allow_abbrev=False)
        each.set_defaults(command=name, parser=each)
        if add_arguments:
            add_arguments(each)
    _add_train(commands, task)
    return parser
