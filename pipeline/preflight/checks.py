"""Checklist: each check has a one-line result, and is skipped if a check that it needs has failed."""

from collections.abc import Callable, Iterable, Sequence
from typing import Literal

from msgspec import Struct

from pipeline.errors import Code, PipelineError
from pipeline.threads import Unfinished, threads, within

Status = Literal["ok", "missing", "wrong", "skipped"]

CHECK_S = 8.0
"""Timeout of one check. At most two in a row wait for an unresponsive service, so all take under 20 s."""
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
"""Codes that mean `missing`: it does not exist or is not granted. All other codes mean `wrong`."""


class NotVisible(Exception):
    """The check is not possible: the caller may not see the object, or there is none."""


CHECK_FAILED = "a value in a block may be unusable; if not, report a bug"


class Line(Struct, frozen=True):
    """Result of one check. `text`: what was found; if the check is red, the problem and its fix."""

    check: str
    status: Status
    text: str

    @property
    def is_red(self) -> bool:
        """True if something has to be fixed here. A skipped check depends on another red one."""
        return self.status in ("missing", "wrong")


class Checklist:
    """Runs checks in order, and collects their lines."""

    def __init__(self, failed: Iterable[str] = ()) -> None:
        """`failed`: names of checks in other lists that are not ok."""
        self.lines: list[Line] = []
        self.failed = set(failed)

    def check(self, name: str, run: Callable[[], str], needs: Sequence[str] = ()) -> None:
        """Runs one check for at most CHECK_S seconds.

        `run` returns what it found, or raises PipelineError or NotVisible. `needs`: names of checks that
        must be ok, else this one is skipped.
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
        except Exception as error:  # noqa: BLE001 - a defect in one check must not hide the results of others
            return self._note(name, "wrong", f"the check ended with {type(error).__name__}: {CHECK_FAILED}")

    def check_at_once(self, parts: Sequence[Callable[["Checklist"], None]]) -> None:
        """Runs parts concurrently, each with its own checklist. The lines keep the order of the parts."""

        def run(part: Callable[[Checklist], None]) -> "Checklist":
            own = Checklist(self.failed)
            part(own)
            return own

        with threads() as pool:
            for own in list(pool.map(run, parts)):
                self.lines += own.lines
                self.failed |= own.failed

    def skip(self, name: str, need: str) -> None:
        """Adds a skipped check that depends on another one."""
        self._note(name, "skipped", f"needs {need!r}")

    def _note(self, name: str, status: Status, text: str) -> None:
        self.lines.append(Line(name, status, text))
        if status != "ok":
            self.failed.add(name)
