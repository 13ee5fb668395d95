"""A list of checks: each has one line as its result, and is skipped if one that it needs has failed."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from msgspec import Struct

from pipeline.errors import Code, PipelineError
from pipeline.threads import Unfinished, threads, within

Status = Literal["ok", "missing", "wrong", "skipped"]

CHECK_S = 8.0
"""How long one check may take. At most two wait for a service that does not respond: all take under 20 s."""
MISSING = frozenset(
    {
        Code.BLOCK_MISSING,
        Code.PLAYLISTS_EMPTY,
        Code.LAKE_BUCKET,
        Code.LAKE_DENIED,
        Code.SNOWFLAKE_NOT_FOUND,
        Code.SNOWFLAKE_DENIED,
        Code.SPOTIFY_NOT_FOUND,
        Code.SPOTIFY_NO_USER,
        Code.SPOTIFY_SCOPE,
        Code.RATE_LIMIT_MISSING,
        Code.DEPLOY_VARIABLE_MISSING,
        Code.WORK_POOL_MISSING,
        Code.WORKER_MISSING,
        Code.DEPLOYMENT_MISSING,
        Code.AUTOMATION_MISSING,
        Code.AWS_NOT_FOUND,
        Code.AWS_NOT_ALLOWED,
        Code.NOTIFICATION_MISSING,
    }
)
"""Codes of what is not there, or not granted; all others are of what is there and wrong."""


class NotVisible(Exception):
    """The caller may not look, or there is nothing to look at; says why."""


ODD = "a value of the block may be unusable; if not, report it"


class Line(Struct, frozen=True):
    """Result of one check. `text` says what was found, or what is red and how to fix it."""

    check: str
    status: Status
    text: str

    @property
    def is_red(self) -> bool:
        """Whether something has to be fixed here; what is skipped waits for another check."""
        return self.status in ("missing", "wrong")


class Checklist:
    """Runs checks in the order in which they are named, and keeps their lines."""

    def __init__(self, failed: Iterable[str] = ()) -> None:
        """`failed`: checks of other lists that are not ok."""
        self.lines: list[Line] = []
        self.failed = set(failed)

    def check(self, name: str, run: Callable[[], str], needs: Sequence[str] = ()) -> None:
        """Runs one check, at most CHECK_S seconds.

        `run` returns what it found, or raises PipelineError, or NotVisible. `needs`: checks without which
        it is skipped.
        """
        if failed := [need for need in needs if need in self.failed]:
            return self._note(name, "skipped", f"needs {failed[0]!r}")
        try:
            return self._note(name, "ok", within(CHECK_S, run))
        except NotVisible as error:
            return self._note(name, "skipped", str(error))
        except PipelineError as error:
            return self._note(name, "missing" if error.code in MISSING else "wrong", str(error))
        except Unfinished:
            return self._note(name, "wrong", f"no response within {CHECK_S:g} s: run preflight again")
        except Exception as error:  # noqa: BLE001 - one check that breaks must not hide the others
            return self._note(name, "wrong", f"the check ended with {type(error).__name__}: {ODD}")

    def check_at_once(self, parts: Sequence[Callable[["Checklist"], None]]) -> None:
        """Runs parts at the same time, each with a list of its own; the lines stay in their order."""

        def run(part: Callable[[Checklist], None]) -> "Checklist":
            own = Checklist(self.failed)
            part(own)
            return own

        with threads() as pool:
            for own in list(pool.map(run, parts)):
                self.lines += own.lines
                self.failed |= own.failed

    def skip(self, name: str, need: str) -> None:
        """Notes that nothing is known about this, because of another check."""
        self._note(name, "skipped", f"needs {need!r}")

    def _note(self, name: str, status: Status, text: str) -> None:
        self.lines.append(Line(name, status, text))
        if status != "ok":
            self.failed.add(name)
