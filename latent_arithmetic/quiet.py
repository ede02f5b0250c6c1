"""Import Keras without its backend's start-up chatter."""

import contextlib
import importlib
import os
import sys


@contextlib.contextmanager
def _silent_standard_error():
    """Send what compiled code writes to standard error nowhere, for a while."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def import_keras_quietly() -> None:
    """Import Keras; TensorFlow 2.19 and later greet on standard error whatever the
    log level is (tensorflow/tensorflow issue 100442). An import error still shows."""
    with _silent_standard_error():
        importlib.import_module("keras")
