"""Errors, named by what the run does next.

PipelineError
├── Transient                        wait and retry
│   ├── RateLimited                    after the number of seconds that Spotify requests
│   ├── TokenExpired                   with a new access token
│   └── LockTimeout                    once another Snowflake session has released its lock
├── PlaylistUnavailable              give up on one playlist and go on
│   └── SpotifyRefused                 Spotify refuses the request, however often it is repeated
└── StopRun                          stop the run
    ├── ConfigurationError             a parameter, a block, a grant or a file has to be corrected
    │   ├── BlockMissing                 no Prefect block has the name
    │   ├── LakeKeyMissing               the bucket has no such key
    │   └── SnowflakeObjectNotFound      a table or view does not exist, or the role may not see it
    ├── QuotaExceeded                  run again after Spotify has renewed the quota
    ├── AccountingError                there are too few or too many entries or rows: nothing is published
    └── LakeConflict                   a write-once key already exists with other content

Every message states what happened, to which playlist, table or file, and what to do. Exceptions that are
always caught within the pipeline are not PipelineErrors; they are defined next to the code that catches them.
"""

from enum import StrEnum, auto


class Code(StrEnum):
    """Stable code at the end of an error message, in brackets. Codes do not change their meaning.

    docs/runbook.md has a table for each comment below, with one row for each code.
    """

    @staticmethod
    def _generate_next_value_(name: str, *_: object) -> str:
        return name

    # The run and its parameters
    PLAYLIST_INVALID = auto()
    PLAYLISTS_EMPTY = auto()
    DAILY_PLAYLISTS_INVALID = auto()
    PLAYLISTS_FAILED = auto()
    DATES_INVALID = auto()
    SNAPSHOT_DATE_REFUSED = auto()
    PARAMETER_INVALID = auto()
    NOTHING_KEPT = auto()
    NOTHING_TO_REPORT = auto()
    BLOCK_MISSING = auto()
    BLOCK_INVALID = auto()
    FULL_REFRESH_REFUSED = auto()
    FULL_REFRESH_UNCONFIRMED = auto()
    RECEIPT_MISSING = auto()
    RUN_DEADLINE = auto()
    CLOCK_SKEWED = auto()
    DISK_UNWRITABLE = auto()
    PREFECT_UNAVAILABLE = auto()
    RATE_LIMIT_MISSING = auto()
    RATE_LIMIT_INVALID = auto()
    # Spotify
    SPOTIFY_NOT_FOUND = auto()
    SPOTIFY_NOT_YOURS = auto()
    SPOTIFY_NO_USER = auto()
    SPOTIFY_SCOPE = auto()
    SPOTIFY_CLOSED = auto()
    SPOTIFY_REFUSED = auto()
    SPOTIFY_CHANGING = auto()
    SPOTIFY_UNREADABLE = auto()
    SPOTIFY_UNAVAILABLE = auto()
    SPOTIFY_RATE_LIMITED = auto()
    SPOTIFY_BUDGET = auto()
    SPOTIFY_QUOTA = auto()
    SPOTIFY_REFRESH_TOKEN = auto()
    SPOTIFY_TOKEN = auto()
    SPOTIFY_CLIENT = auto()
    SPOTIFY_APP = auto()
    SPOTIFY_ADDRESS = auto()
    SPOTIFY_API_CHANGED = auto()
    # The lake
    LAKE_BUCKET = auto()
    LAKE_DENIED = auto()
    LAKE_CREDENTIALS = auto()
    LAKE_SETTINGS = auto()
    LAKE_UNAVAILABLE = auto()
    LAKE_NO_CONDITIONAL_WRITES = auto()
    LAKE_CONFLICT = auto()
    LAKE_KEY_MISSING = auto()
    LAKE_SNAPSHOT_INVALID = auto()
    LAKE_SNAPSHOT_TOO_LARGE = auto()
    # The warehouse
    SNOWFLAKE_LOGIN = auto()
    SNOWFLAKE_PRIVATE_KEY = auto()
    SNOWFLAKE_UNAVAILABLE = auto()
    SNOWFLAKE_NOT_FOUND = auto()
    SNOWFLAKE_DENIED = auto()
    SNOWFLAKE_STAGE = auto()
    SNOWFLAKE_SQL = auto()
    SNOWFLAKE_REFUSED = auto()
    SNOWFLAKE_SLOW = auto()
    SNOWFLAKE_LOCKED = auto()
    SNOWFLAKE_LOCK_ROW = auto()
    SNOWFLAKE_LOCK_LOST = auto()
    SCHEMA_NEWER = auto()
    NEWER_LOADED = auto()
    PIPES_LATE = auto()
    PIPE_REFUSED = auto()
    PIPES_DROPPED = auto()
    # Counts that differ
    ENTRIES_LOST = auto()
    SNAPSHOT_INCOMPLETE = auto()
    ROWS_DIFFER = auto()
    # What surrounds a run
    DEPLOY_VARIABLE_MISSING = auto()
    DEPLOY_VARIABLE_INVALID = auto()
    WORK_POOL_MISSING = auto()
    WORK_POOL_DIFFERS = auto()
    WORKER_MISSING = auto()
    DEPLOYMENT_MISSING = auto()
    DEPLOYMENT_DIFFERS = auto()
    AUTOMATION_MISSING = auto()
    AUTOMATION_DIFFERS = auto()
    AWS_NOT_FOUND = auto()
    AWS_DIFFERS = auto()
    AWS_NOT_ALLOWED = auto()
    NOTIFICATION_MISSING = auto()
    INTEGRATION_DIFFERS = auto()


class PipelineError(Exception):
    """An expected failure. Its message is written for the person who operates the run.

    `message`: the text without the code, to embed in another message.
    """

    def __init__(self, message: str, code: Code) -> None:
        super().__init__(message, code)
        self.message = message
        self.code = code

    def __str__(self) -> str:
        return f"{self.message} [{self.code}]"

    def __repr__(self) -> str:
        """The message with its code: Prefect logs the repr of an error before it retries a task."""
        return str(self)


class Transient(PipelineError):
    """Wait and retry: Prefect retries the task that raised it."""


class RateLimited(Transient):
    """Wait for the number of `seconds` that Spotify requests, then retry."""

    def __init__(self, message: str, code: Code, seconds: float) -> None:
        super().__init__(message, code)
        self.seconds = seconds


class TokenExpired(Transient):
    """Fetch a new access token once, then retry."""


class LockTimeout(Transient):
    """Another Snowflake session held a lock longer than LOCK_TIMEOUT."""


class PlaylistUnavailable(PipelineError):
    """Give up on one playlist and go on with the others."""


class SpotifyRefused(PlaylistUnavailable):
    """Spotify refuses the request (`status` 400, 403 or 404), however often it is repeated."""

    def __init__(self, message: str, code: Code, status: int) -> None:
        super().__init__(message, code)
        self.status = status


class StopRun(PipelineError):
    """Stop the run: the remaining steps cannot succeed."""


class ConfigurationError(StopRun):
    """A parameter, a block, a grant or a file of the project is wrong. Correct it and run again."""


class BlockMissing(ConfigurationError):
    """No Prefect block has the name."""


class LakeKeyMissing(ConfigurationError):
    """The bucket does not contain the key."""


class SnowflakeObjectNotFound(ConfigurationError):
    """A table or view does not exist, or the role may not see it."""


class QuotaExceeded(StopRun):
    """Spotify's quota is used up: run again after it has been renewed."""


class AccountingError(StopRun):
    """There are too few or too many entries or rows: nothing is published."""


class LakeConflict(StopRun):
    """A write-once key already exists with other content."""
