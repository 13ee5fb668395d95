"""Waiting for pipes: until all files are loaded, a file fails, or the deadline is reached."""

import json
from collections.abc import Sequence
from typing import Any, cast

import pytest

from pipeline.columns import TABLES
from pipeline.errors import AccountingError, StopRun
from pipeline.lake.layout import table_key
from pipeline.records import File
from pipeline.warehouse.landing import Landing, Polling
from pipeline.warehouse.session import Session
from tests.builders import DAY, RUN

SONGS, ALBUMS = (table_key(table, DAY, RUN, "snowpipe") for table in ("songs", "albums"))
FILES = [File("songs", DAY, SONGS, 50, 9, "x"), File("albums", DAY, ALBUMS, 40, 9, "x")]
LANDED = {"songs": 50, "albums": 40}


Entry = dict[str, Any]


def entry(key: str, status: str = "Loaded", error: str | None = None, line: int | None = None) -> Entry:
    failure = {"first_error_message": error, "first_error_line_number": line}
    rows = LANDED.get(key.split("/")[1])
    return {"file_name": key, "status": status, "row_count": rows, **failure}


class Pipes:
    """A session with scripted load histories per table; the last report repeats."""

    def __init__(
        self, reports: dict[str, list[list[Entry]]], landed: dict[str, int], state: str = "PAUSED"
    ) -> None:
        self.reports = reports
        self.landed = landed
        self.state = state
        self.pending = 3
        self.queried: list[str] = []

    def rows(self, name: str, values: Sequence[Any], *, table: str) -> list[dict[str, Any]]:
        """Returns the load history of a landing table."""
        assert (name, values) == ("load/find_copy_history", (RUN,))
        of = table.strip("'").removesuffix("_landing")
        self.queried.append(of)
        found = self.reports[of]
        return found.pop(0) if len(found) > 1 else found[0]

    def execute(self, name: str, values: Sequence[Any] = (), **parts: str) -> list[tuple[Any, ...]]:
        """Returns row counts of landing, by table or by file, or the status of a pipe."""
        if name == "load/generated/count_landed":
            assert values == (RUN,) * len(TABLES)
            return [(table, DAY, rows) for table, rows in self.landed.items()]
        if name == "load/find_landed_files":
            table = parts["table"].strip('"').removesuffix("_LANDING").lower()
            key = table_key(table, DAY, RUN, "snowpipe")
            return [(f"folder/{key}", self.landed[table])] if table in self.landed else []
        assert set(parts) == {"pipe"}
        return [(self.status(),)]

    def status(self) -> str | None:
        """Returns what SYSTEM$PIPE_STATUS returns."""
        report = {"executionState": self.state, "pendingFileCount": self.pending, "error": "No such stage."}
        return json.dumps(report)


def wait(pipes: Pipes, slept: list[float] | None = None, deadline_s: float = 60) -> None:
    pauses = [] if slept is None else slept
    polling = Polling(deadline_s, pauses.append, lambda: sum(pauses))
    Landing(cast("Session", pipes), RUN, FILES).wait(polling)


def test_waiting_ends_once_every_file_is_loaded_in_any_order() -> None:
    pipes = Pipes({"songs": [[], [], [entry(SONGS)]], "albums": [[], [entry(ALBUMS)]]}, LANDED)
    slept: list[float] = []
    wait(pipes, slept)
    assert slept == [1, 2]
    assert pipes.queried.count("songs") == 3
    assert pipes.queried.count("albums") == 2


@pytest.mark.parametrize("relative_to", ["", "songs/", "tables/songs/", "folder/tables/songs/"])
def test_a_file_is_recognised_whatever_its_path_is_relative_to(relative_to: str) -> None:
    name = SONGS.removeprefix("tables/songs/")
    reported = entry(SONGS) | {"file_name": f"{relative_to}{name}"}
    wait(Pipes({"songs": [[reported]], "albums": [[entry(ALBUMS)]]}, LANDED))


@pytest.mark.parametrize("status", ["Load failed", "LOAD_FAILED", "Partially loaded"])
def test_a_failed_file_stops_the_run_with_file_line_and_reason(status: str) -> None:
    refused = entry(SONGS, status, "Numeric value 'x' is not recognized", 7)
    pipes = Pipes({"songs": [[refused]], "albums": [[entry(ALBUMS)]]}, LANDED)
    message = rf"songs_pipe did not load {SONGS}, line 7: {status}, Numeric value 'x'"
    with pytest.raises(StopRun, match=message):
        wait(pipes)


def test_a_file_not_loaded_at_the_deadline_is_named() -> None:
    pipes = Pipes({"songs": [[entry(SONGS, "Load in progress")]], "albums": [[entry(ALBUMS)]]}, LANDED)
    slept: list[float] = []
    message = rf"pipes have not loaded 1 of 2 files: {SONGS}\. Nothing was promoted"
    with pytest.raises(StopRun, match=message) as end:
        wait(pipes, slept)
    assert "songs_pipe is PAUSED, pending files: 3, No such stage. If" in str(end.value)
    assert "albums_pipe" not in str(end.value)
    assert sum(slept) == 60
    assert slept == [1, 2, 4, 8, 15, 1, 15, 14]


def test_the_load_history_is_queried_rarely_while_no_pipe_reports_progress() -> None:
    pipes = Pipes({"songs": [[]], "albums": [[entry(ALBUMS)]]}, LANDED)
    with pytest.raises(StopRun):
        wait(pipes, deadline_s=3600)
    first_minutes, hour = 8, 3600 / 150
    assert pipes.queried.count("songs") <= first_minutes + hour + 1


def test_the_load_history_is_queried_as_soon_as_a_pipe_reports_progress() -> None:
    pipes = Pipes({"songs": [[]] * 9 + [[entry(SONGS)]], "albums": [[entry(ALBUMS)]]}, LANDED)
    slept: list[float] = []

    def sleep(pause: float) -> None:
        slept.append(pause)
        pipes.pending = 3 if sum(slept) < 300 else 0

    Landing(cast("Session", pipes), RUN, FILES).wait(Polling(3600, sleep, lambda: sum(slept)))
    assert 300 <= sum(slept) < 315


@pytest.mark.parametrize("state", ["STOPPED_STAGE_DROPPED", "STALLED_STAGE_PERMISSION_ERROR"])
def test_a_stopped_pipe_stops_the_run_immediately(state: str) -> None:
    pipes = Pipes({"songs": [[]], "albums": [[entry(ALBUMS)]]}, LANDED, state)
    slept: list[float] = []
    with pytest.raises(StopRun, match=f"{SONGS}.*songs_pipe is {state}, pending files: 3"):
        wait(pipes, slept)
    assert slept == []


@pytest.mark.parametrize("text", [None, "null"])
def test_a_pipe_whose_status_the_role_may_not_see_is_waited_for(text: str | None) -> None:
    pipes = Pipes({"songs": [[], [entry(SONGS)]], "albums": [[entry(ALBUMS)]]}, LANDED)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pipes, "status", lambda: text)
        wait(pipes)
    assert pipes.queried.count("songs") == 2


@pytest.mark.parametrize(
    ("landed", "problem"),
    [
        ({"songs": 100, "albums": 40}, f"{SONGS} (100 rows instead of 50)"),
        ({"songs": 50}, f"{ALBUMS} (0 rows instead of 40)"),
    ],
    ids=["loaded twice", "not loaded"],
)
def test_landing_must_have_the_row_counts_of_the_files(landed: dict[str, int], problem: str) -> None:
    pipes = Pipes({"songs": [[entry(SONGS)]], "albums": [[entry(ALBUMS)]]}, landed)
    with pytest.raises(AccountingError, match="row counts in the landing tables differ") as end:
        wait(pipes)
    assert end.value.message.endswith(f"In landing: {problem}")
