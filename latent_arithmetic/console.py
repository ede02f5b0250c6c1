"""What a user sees while something runs: progress, messages, no start-up noise."""

import contextlib
import importlib
import logging
import os
import sys

from tqdm import tqdm

from latent_arithmetic.io import UserError, first_line

LOG_SECONDS = 15.0  # between two states of a bar whose output is not a terminal


class _Interruption:
    """Remembers Control-C: compiled code may swallow the exception it raises."""

    requested = False

    def handle(self, signal_number, frame):
        self.requested = True
        raise KeyboardInterrupt

    def raise_if_requested(self) -> None:
        if self.requested:
            raise KeyboardInterrupt


interruption = _Interruption()


def in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def progress_bar(total: int, title: str, done: int = 0, unit: str = "step") -> tqdm:
    """A bar of `total` units with the time left, which vanishes when closed.

    It writes to standard error, so that a command's answers stay alone on standard
    output; in a notebook to standard output, where it is not shown in red. Where
    standard error is no terminal, it writes a state now and then.
    """
    stream = sys.stdout if in_notebook() else sys.stderr
    interactive = in_notebook() or stream.isatty()
    return tqdm(
        total=total,
        initial=done,
        desc=title,
        unit=unit,
        file=stream,
        leave=False,
        mininterval=0.5 if interactive else LOG_SECONDS,
        maxinterval=10.0 if interactive else 2 * LOG_SECONDS,
        dynamic_ncols=interactive and not in_notebook(),
        ncols=None if interactive and not in_notebook() else 100,
    )


def say(message: str) -> None:
    """Print a line where the progress bars go."""
    print(message, file=sys.stdout if in_notebook() else sys.stderr, flush=True)


@contextlib.contextmanager
def _silent_standard_error():
    """Discard what compiled code writes to standard error."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _is_no_advice_on_retracing(record: logging.LogRecord) -> bool:
    return "tf.function retracing" not in record.getMessage()


def import_keras_quietly() -> None:
    """Import Keras without its backend's start-up messages.

    TensorFlow 2.19 and later write to standard error whatever the log level is
    (tensorflow/tensorflow issue 100442). Its advice on retracing is left out, too: it
    also comes where several models of different size each predict once. All other
    warnings stay.

    Raises:
        UserError: the backend is not installed, or Keras's own configuration file
            names one that does not exist.
    """
    try:
        with _silent_standard_error():
            keras = importlib.import_module("keras")
            if keras.config.backend() == "tensorflow":
                logger = importlib.import_module("tensorflow").get_logger()
                logger.addFilter(_is_no_advice_on_retracing)
    except (ImportError, ValueError, AttributeError, TypeError) as error:
        backend = os.environ.get("KERAS_BACKEND") or "that ~/.keras/keras.json names"
        raise UserError(
            f"Keras could not be imported with the backend {backend} "
            f"({first_line(error)}); install that backend, or set KERAS_BACKEND to "
            "tensorflow, jax or torch"
        ) from None
