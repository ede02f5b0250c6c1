"""Helpers for the notebooks' cells."""

import inspect

from latent_arithmetic.progress import in_notebook


def show_source(*objects) -> None:
    """Show the source of classes or functions, highlighted, next to their text.

    In a plain script nothing is shown: there the source is a file away.
    """
    if not in_notebook():
        return
    from IPython.display import Code, display

    for thing in objects:
        display(Code(inspect.getsource(thing), language="python"))
