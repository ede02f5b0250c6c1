"""Errors that say what was received, what was expected and what to do."""

from collections.abc import Iterable


class UserError(Exception):
    """A mistake the user can mend; shown as one line, without a traceback."""


class TrainingDiverged(UserError):
    """A loss stopped being a finite number; the last good checkpoint is kept."""


def first_line(error: Exception) -> str:
    """The kind of an error and what it says, cut to one line."""
    return f"{type(error).__name__}: {error}".splitlines()[0]


def expect_one_of(what: str, received: str, known: Iterable[str]) -> None:
    """Refuse a name that is not known.

    Raises:
        UserError: says which names there are.
    """
    names = list(known)
    if received not in names:
        raise UserError(
            f"unknown {what} {received!r}; expected one of {', '.join(names)}"
        )
