"""The command line: `latent-arithmetic COMMAND`, or `python -m latent_arithmetic`."""

import os
import signal
import sys
import threading
from importlib.util import find_spec
from pathlib import Path

from latent_arithmetic.config import (
    build_folder,
    get_profile,
    open_output_folder,
)
from latent_arithmetic.console import import_keras_quietly, interruption
from latent_arithmetic.flags import config_from_flags, given_flags
from latent_arithmetic.io import UserError, make_folder
from latent_arithmetic.parser import IMAGE_TASKS, TASKS, build_parser, config_class

USER_ERROR, INTERRUPTED, BROKEN_PIPE = 2, 130, 141


def _run(options) -> None:
    from latent_arithmetic.publish.release import run_all

    run_all(open_output_folder(options.profile))


def _report(options) -> None:
    from latent_arithmetic.publish.report import build_report

    build_report(open_output_folder(options.profile))


def _publish(options) -> None:
    from latent_arithmetic.publish.release import publish

    publish(open_output_folder(options.profile))
    print("published; look at it, then commit it")


def _check(options) -> None:
    from latent_arithmetic.publish.release import release_check

    print(release_check())


def _export(options) -> None:
    from latent_arithmetic.publish.release import export

    export()


def _submission(options) -> None:
    from latent_arithmetic.publish.release import pack_submission

    origin = pack_submission(open_output_folder(options.profile), options.out)
    print(f"packed {options.out} from {origin}")


def _datasets(options) -> None:
    from latent_arithmetic.images.catalog import describe_datasets

    print(describe_datasets())


def _selected(options) -> tuple[list, Path]:
    """The named experiments, and the folder of their records."""
    from latent_arithmetic.experiments.catalog import all_experiments, select
    from latent_arithmetic.records import records_folder

    folder = options.records or records_folder()
    if not options.records and options.profile not in (None, "full"):
        folder = build_folder() / options.profile / "records"
    return select(all_experiments(), options.names), folder


def _run_experiments(options) -> None:
    from latent_arithmetic.experiments.executors import make_executor, thread_variables

    os.environ.update(thread_variables())  # before Keras is imported
    import_keras_quietly()
    from latent_arithmetic.experiments.driver import Driver
    from latent_arithmetic.experiments.status import show_experiments

    experiments, records = _selected(options)
    output = open_output_folder(options.profile or "full")
    work = options.work or output.folder("experiments")
    executor = make_executor(options.on, options.workers, options.address, work)
    failed = Driver(executor, records, work, output.profile).run(experiments)
    show_experiments(experiments, records)
    if failed:
        raise UserError(
            f"{len(failed)} of {len(experiments)} failed: {', '.join(failed)}; see "
            f"{records / 'failed'}; the same command tries them again"
        )


def _list_experiments(options) -> None:
    experiments = _selected(options)[0]
    width = max(len(each.name) for each in experiments)
    for each in experiments:
        print(f"{each.name:{width}}  {each.purpose}")


def _experiments_status(options) -> None:
    from latent_arithmetic.experiments.status import show_status

    show_status(*_selected(options), options.profile)


def _show_experiments(options) -> None:
    from latent_arithmetic.experiments.status import show_experiments

    show_experiments(*_selected(options), options.profile)


def _callbacks(options) -> list:
    """Keras callbacks that were asked for."""
    if options.tensorboard is None:
        return []
    import keras

    for package in ("tensorflow", "tensorboard"):
        if find_spec(package) is None:
            raise UserError(
                f"--tensorboard needs the package {package}: pip install {package}"
            )
    return [keras.callbacks.TensorBoard(options.tensorboard)]


def _train(options) -> None:
    task, folder = options.task, options.out
    profile = get_profile(options.profile)
    callbacks = _callbacks(options)
    if options.data_parallel:
        from latent_arithmetic.training import use_all_devices

        use_all_devices()
    if task in IMAGE_TASKS:
        from latent_arithmetic.images import pipeline

        make_folder(folder)  # before the images are read
        trained = pipeline.train(
            task,
            folder,
            profile=profile,
            data=options.data,
            size=options.size,
            value_range=options.value_range,
            preset=options.preset,
            overrides=given_flags(config_class(task), options),
            seed=options.seed,
            callbacks=callbacks,
        )
        pipeline.show_samples(trained, folder / "samples.png")
    else:
        from latent_arithmetic.seq2seq import pipeline

        config = config_from_flags(config_class(task), options)
        pipeline.train(
            task, folder, profile=profile, config=config, callbacks=callbacks
        )
    print(f"trained {task} into {folder}")


def _answer(options) -> None:
    from latent_arithmetic.seq2seq.pipeline import answer

    answer(
        options.model,
        queries=options.queries,
        queries_file=options.queries_file,
        images_file=options.images,
        out=options.out,
        seed=options.seed,
    )


def _generate(options) -> None:
    from latent_arithmetic.images.pipeline import load, save_images

    trained = load(options.model)
    attributes = None
    if options.attributes:
        attributes = trained.attributes_named(options.attributes, options.count)
    images = trained.generate(
        options.count,
        options.seed,
        prior=options.prior or trained.default_prior,
        attributes=attributes,
        truncation=options.truncation,
        scale=options.scale,
    )
    save_images(images, options.out)
    print(f"wrote {options.out}")


def _reconstruct(options) -> None:
    from latent_arithmetic.images.pipeline import reconstruct_to_file

    reconstruct_to_file(
        options.model,
        options.data,
        options.count,
        options.out,
        value_range=options.value_range,
    )
    print(f"wrote {options.out}")


def _interpolate(options) -> None:
    from latent_arithmetic.images.pipeline import load, save_images

    trained = load(options.model)
    images = trained.interpolate(
        options.steps,
        options.seed,
        options.method,
        prior=options.prior or trained.default_prior,
    )
    save_images(images, options.out, columns=options.steps)
    print(f"wrote {options.out}")


COMMANDS = {
    "run": _run,
    "report": _report,
    "publish": _publish,
    "release-check": _check,
    "export": _export,
    "submission": _submission,
    "datasets": _datasets,
    "experiments run": _run_experiments,
    "experiments list": _list_experiments,
    "experiments status": _experiments_status,
    "experiments show": _show_experiments,
    "train": _train,
    "answer": _answer,
    "generate": _generate,
    "reconstruct": _reconstruct,
    "interpolate": _interpolate,
}


# The rest need Keras, whose import takes seconds.
WITHOUT_KERAS = {"run", "report", "publish", "release-check", "export", "submission"}
WITHOUT_KERAS |= {"datasets", "experiments run"}  # the latter sets threads first


def _task_of(arguments: list[str]) -> str | None:
    """The task of a `train` command, whose flags are then known."""
    train = len(arguments) > 1 and arguments[0] == "train"
    return arguments[1] if train and arguments[1] in TASKS else None


def _run_command(arguments: list[str]) -> None:
    options, unknown = build_parser(_task_of(arguments)).parse_known_args(arguments)
    if unknown:  # said with the flags of the very command
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    if options.command not in WITHOUT_KERAS:
        import_keras_quietly()
    COMMANDS[options.command](options)
    sys.stdout.flush()


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit status (2 for a user's mistake)."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    interruption.requested = False
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, interruption.handle)
    try:
        _run_command(sys.argv[1:] if arguments is None else arguments)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        print("interrupted; the same command resumes where it stopped", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:  # such as `| head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    return 0
