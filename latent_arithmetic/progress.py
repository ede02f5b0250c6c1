"""One way to show progress: what is happening, how far, how long is left."""

import sys

from tqdm import tqdm


def in_notebook() -> bool:
    """Whether this code runs in a Jupyter kernel."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def progress_bar(total: int, title: str, done: int = 0, unit: str = "step") -> tqdm:
    """A bar of `total` units that vanishes when closed.

    It writes to standard error, so that a command's answers stay alone on
    standard output; in a notebook to standard output, where it is not painted red.
    """
    return tqdm(
        total=total,
        initial=done,
        desc=title,
        unit=unit,
        file=sys.stdout if in_notebook() else sys.stderr,
        leave=False,
        mininterval=0.5,
        ncols=100,
    )


def say(message: str) -> None:
    """Print a line where the progress bars go."""
    print(message, file=sys.stdout if in_notebook() else sys.stderr, flush=True)
