"""Errors, named by what the run does next.

Every message says what happened, to which playlist, table or file, and what to do.
"""


class PipelineError(Exception):
    """An expected failure: its message is meant for the person who reads the run."""


class Transient(PipelineError):
    """Wait and try again: the task that raised it is retried."""


class PlaylistUnavailable(PipelineError):
    """Give up on one playlist and go on with the others."""


class StopRun(PipelineError):
    """Stop the run: nothing that follows can succeed."""


class ConfigurationError(StopRun):
    """A parameter, a block, a grant or a file of the project is wrong: mend it, then run again."""


class QuotaExceeded(StopRun):
    """Spotify's quota is used up: come back later."""


class AccountingError(StopRun):
    """Entries or rows are missing or too many: nothing is published."""


class LakeConflict(StopRun):
    """A key that may be written once holds something else."""
