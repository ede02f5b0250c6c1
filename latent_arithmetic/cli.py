"""The command line: `latent-arithmetic COMMAND`, or `python -m latent_arithmetic`."""

import argparse
import os
import sys
from pathlib import Path

from latent_arithmetic.arguments import (
    IMAGE_TASKS,
    add_answer_arguments,
    add_generate_arguments,
    add_interpolate_arguments,
    add_profile,
    add_reconstruct_arguments,
    add_train_arguments,
)
from latent_arithmetic.errors import UserError
from latent_arithmetic.quiet import import_keras_quietly

STUDIES = ("arithmetic", "pictures")
USER_ERROR, INTERRUPTED = 2, 130


def _add_uses(commands) -> None:
    for name, help_text, command, add_arguments in (
        ("answer", "answer questions, one a line", _answer, add_answer_arguments),
        ("generate", "novel pictures", _generate, add_generate_arguments),
        (
            "reconstruct",
            "pictures through a model",
            _reconstruct,
            add_reconstruct_arguments,
        ),
        (
            "interpolate",
            "from one picture to another",
            _interpolate,
            add_interpolate_arguments,
        ),
    ):
        parser = commands.add_parser(name, help=help_text)
        add_arguments(parser)
        parser.set_defaults(command=command)


def build_parser() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = argparse.ArgumentParser(prog="latent-arithmetic", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, help_text, command in (
        ("run", "both notebooks, twins, self-contained edition and report", _run),
        ("report", "build the report from recorded results", _report),
        ("publish", "copy a finished build to the committed places", _publish),
    ):
        parser_of_build = commands.add_parser(name, help=help_text)
        add_profile(parser_of_build)
        parser_of_build.set_defaults(command=command)
    export = commands.add_parser(
        "export", help="write twins and self-contained edition again"
    )
    export.set_defaults(command=_export)
    submission = commands.add_parser("submission", help="pack what is handed in")
    submission.add_argument("--out", type=Path, default=Path("build/submission.zip"))
    add_profile(submission)
    submission.set_defaults(command=_submission)
    datasets = commands.add_parser(
        "datasets", help="the pictures known by name: what, licence, link, labels"
    )
    datasets.set_defaults(command=_datasets)
    study = commands.add_parser(
        "study", help="run what is not recorded yet of the tables, print them"
    )
    study.add_argument(
        "part", nargs="?", choices=STUDIES, help="of the study; without, all of it"
    )
    study.add_argument(
        "--show", action="store_true", help="only print what is recorded"
    )
    study.add_argument(
        "--only",
        nargs="+",
        default=[],
        metavar="NAME",
        help="the runs whose names start so, such as cryptopunks-vae-ours-seed-1",
    )
    study.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="where runs are recorded (default results/study); in a folder of its own "
        "what is recorded already is repeated",
    )
    study.set_defaults(command=_study)
    train = commands.add_parser("train", help="train one model into a folder")
    add_train_arguments(train)
    train.set_defaults(command=_train)
    _add_uses(commands)
    return parser


def _run(options) -> None:
    from latent_arithmetic.publishing.pipeline import run_all
    from latent_arithmetic.workspace import open_workspace

    run_all(open_workspace(options.profile))


def _report(options) -> None:
    from latent_arithmetic.publishing.pipeline import make_report
    from latent_arithmetic.workspace import open_workspace

    make_report(open_workspace(options.profile))


def _publish(options) -> None:
    from latent_arithmetic.publishing.submission import publish
    from latent_arithmetic.workspace import open_workspace

    publish(open_workspace(options.profile))
    print("published; look at it, then commit it")


def _export(options) -> None:
    from latent_arithmetic.publishing.submission import write_exports
    from latent_arithmetic.workspace import project_folder

    write_exports(project_folder())


def _datasets(options) -> None:
    from latent_arithmetic.images.data.fetching import describe_data_sets

    print(describe_data_sets())


def _study(options) -> None:
    from latent_arithmetic import study
    from latent_arithmetic.arithmetic import study_plan
    from latent_arithmetic.images import study_runs
    from latent_arithmetic.profiles import FULL
    from latent_arithmetic.workspace import open_workspace

    parts = [options.part] if options.part else STUDIES
    planned = {"arithmetic": study_plan.all_runs, "pictures": study_runs.all_runs}
    folder = options.folder or study.study_folder()
    known = {part: planned[part]() for part in parts}
    chosen = study.named([run for part in parts for run in known[part]], options.only)
    for part in parts if not options.show else ():
        work = open_workspace(FULL.name).folder("study")
        runs = [run for run in known[part] if run in chosen]
        if part == "pictures":
            study_runs.expect_recorded_judges(runs, folder, work, FULL)
        study.run_study(runs, folder, work, FULL)
    study.print_study(chosen, folder)


def _submission(options) -> None:
    from latent_arithmetic.publishing.submission import pack_submission
    from latent_arithmetic.workspace import open_workspace

    origin = pack_submission(open_workspace(options.profile), options.out)
    print(f"packed {options.out} from {origin}")


def _train(options) -> None:
    from latent_arithmetic.profiles import get_profile

    common = {"profile": get_profile(options.profile), "seed": options.seed}
    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(
            f"cannot train into {options.out}: {error.strerror}; choose a folder that "
            "can be written"
        ) from None
    if options.task in IMAGE_TASKS:
        from latent_arithmetic.images.files import show_trained
        from latent_arithmetic.images.tasks import train_task

        trained = train_task(
            options.task,
            options.out,
            data=options.data,
            size=options.size,
            recipe=options.recipe,
            **common,
        )
        show_trained(trained, options.out / "samples.png")
    else:
        from latent_arithmetic.arithmetic.tasks import train_task

        train_task(
            options.task,
            options.out,
            train_fraction=options.train_fraction,
            train_questions=options.train_questions,
            split=options.split,
            design=options.design,
            max_digits=options.digits,
            encoder_layers=options.encoder_layers,
            decoder_layers=options.decoder_layers,
            reading=options.reading,
            supervision=options.supervision,
            painting=options.painting,
            **common,
        )
    print(f"trained {options.task} into {options.out}")


def _answer(options) -> None:
    from latent_arithmetic.arithmetic import answering

    answering.answer(
        options.model,
        questions=options.questions,
        questions_file=options.questions_file,
        images_file=options.images,
        out=options.out,
        seed=options.seed,
    )


def _generate(options) -> None:
    from latent_arithmetic.images.files import save_pictures
    from latent_arithmetic.images.trained import load_trained

    trained, attributes = load_trained(options.model), None
    if options.attributes:
        attributes = trained.attributes_named(options.attributes, options.count)
    pictures = trained.generate(
        options.count,
        options.seed,
        attributes=attributes,
        prior=options.prior or trained.best_prior,
        truncation=options.truncation,
        scale=options.scale,
    )
    save_pictures(pictures, options.out)
    print(f"wrote {options.out}")


def _reconstruct(options) -> None:
    from latent_arithmetic.images.files import reconstruct_to_file

    reconstruct_to_file(options.model, options.data, options.count, options.out)
    print(f"wrote {options.out}")


def _interpolate(options) -> None:
    from latent_arithmetic.images.files import save_pictures
    from latent_arithmetic.images.trained import load_trained

    trained = load_trained(options.model)
    pictures = trained.interpolate(
        options.steps,
        options.seed,
        options.method,
        prior=options.prior or trained.best_prior,
    )
    save_pictures(pictures, options.out, columns=options.steps)
    print(f"wrote {options.out}")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status (2 for a user's mistake)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    options = build_parser().parse_args(arguments)
    import_keras_quietly()
    try:
        options.command(options)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return USER_ERROR
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        return INTERRUPTED
    return 0
