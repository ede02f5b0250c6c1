"""Errors that say what was received, what was expected and what to do."""


class UserError(Exception):
    """A mistake the user can mend; shown as one line, without a traceback."""


class TrainingDiverged(UserError):
    """A loss stopped being a finite number; the last good checkpoint is kept."""
