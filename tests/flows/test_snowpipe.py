"""Load mode snowpipe: the same tables as copy; nothing is promoted unless every file has landed."""

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import sleep
from typing import IO, Any

import pytest
import requests

from flows.run import run_id_of
from pipeline.columns import TABLES, landing
from pipeline.lake.layout import LoadMode
from pipeline.lake.store import Lake, Written
from pipeline.warehouse.landing import Polling
from pipeline.warehouse.snowpipe import clear_landing
from sandbox.spotify.catalogue import CHARTS, EMPTY, PLAYLISTS
from sandbox.spotify.recordings import Recordings
from tests.flows.conftest import TODAY, Pipeline
from tests.pools import Pool
from tests.warehouses import Warehouse

CHART, OTHER_CHART = CHARTS
Misbehave = Callable[..., None]
LONGEST_PAUSE_S = 0.3
PIPE_MINUTES = 0.05
"""How long runs wait for a file that never lands; long enough for the others."""


@pytest.fixture
def pipeline(pipelines: dict[LoadMode, Pool[Pipeline]]) -> Iterator[Pipeline]:
    """A pipeline that is set up for Snowpipe, and empty."""
    with pipelines["snowpipe"].acquire() as acquired:
        acquired.serve()
        yield acquired


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs poll the pipes more often: the stand-in loads a file in less than a second."""
    often = partial(Polling, sleep=lambda pause: sleep(min(pause, LONGEST_PAUSE_S)))
    monkeypatch.setattr("pipeline.warehouse.landing.Polling", often)


@pytest.fixture
def pipes(pipeline: Pipeline) -> Iterator[Misbehave]:
    """Sets how the pipes misbehave from now on."""

    def misbehave(**settings: object) -> None:
        requests.put(pipe_settings(pipeline), json=settings, timeout=10).raise_for_status()

    yield misbehave
    misbehave()


def pipe_settings(pipeline: Pipeline) -> str:
    """URL of the stand-in's settings of pipes."""
    return f"{pipeline.place.addresses.snowflake}/sandbox/pipes"


def events(pipeline: Pipeline, kind: str) -> list[str]:
    """Keys of files whose notification the pipes have `held` or `repeated`."""
    return list(requests.get(pipe_settings(pipeline), timeout=10).json()[kind])


def landed(pipeline: Pipeline) -> int:
    """Rows in all landing tables."""
    return sum(pipeline.place.count(landing(table)) for table in TABLES)


def run(pipeline: Pipeline, *playlists: str, **parameters: Any) -> Any:
    """An ingest with load mode snowpipe that skips nothing."""
    options: dict[str, Any] = {"snapshot_date": TODAY, "load": "snowpipe", "skip_unchanged": False}
    return pipeline.ingest(*playlists, **{**options, **parameters})


def test_both_load_modes_give_the_same_tables_in_turn(new_pipeline: Pipeline) -> None:
    pipeline = new_pipeline
    assert run(pipeline, *PLAYLISTS, load="copy").is_completed()
    with pytest.raises(Exception, match="does not exist"):
        landed(pipeline)  # created by the first Snowpipe run
    copied = pipeline.place.contents(TABLES)
    assert run(pipeline, *PLAYLISTS).message.startswith(f"{len(PLAYLISTS)} playlists loaded")

    assert pipeline.place.contents(TABLES) == copied
    assert landed(pipeline) == 0
    assert pipeline.place.query("SELECT DISTINCT load FROM loads ORDER BY load") == [("copy",), ("snowpipe",)]
    promoted = pipeline.place.receipts()[-1]
    assert promoted["load"] == "snowpipe"
    assert all(file["key"].endswith(".snowpipe.csv.gz") for file in promoted["files"])
    assert run(pipeline, *PLAYLISTS, load="copy").is_completed()
    assert pipeline.place.contents(TABLES) == copied
    assert landed(pipeline) == 0


@pytest.mark.faults
def test_recordings_give_the_same_tables_in_both_load_modes(pipeline: Pipeline, recordings: Path) -> None:
    pipeline.serve(recordings)
    listing = Recordings.read(recordings).listing()
    run(pipeline, *listing, load="copy")
    copied = pipeline.place.contents(TABLES)
    assert run(pipeline, *listing).is_completed()

    assert pipeline.place.contents(TABLES) == copied


@pytest.mark.faults
def test_a_backfill_loads_with_snowpipe(pipeline: Pipeline) -> None:
    for day in (TODAY - timedelta(days=1), TODAY):
        pipeline.serve(today=day)
        assert run(pipeline, CHART, EMPTY, snapshot_date=day, load="copy").is_completed()
    copied = pipeline.place.contents(TABLES)
    pipeline.place.query("DELETE FROM songs_history")
    state = pipeline.backfill(load="snowpipe")

    assert state.message == "2 playlists, 4 snapshots loaded"
    assert pipeline.place.contents(TABLES) == copied
    assert landed(pipeline) == 0


@pytest.mark.faults
def test_late_and_repeated_notifications_load_a_file_once(pipeline: Pipeline, pipes: Misbehave) -> None:
    run(pipeline, CHART, load="copy")
    copied = pipeline.place.contents(TABLES)
    pipes(delay=0.5, twice=f"{pipeline.place.name}.*snowpipe")
    assert run(pipeline, CHART).is_completed()

    assert len(events(pipeline, "repeated")) == 7
    assert pipeline.place.contents(TABLES) == copied
    assert landed(pipeline) == 0


def test_a_missing_file_promotes_nothing_and_does_not_disturb_later_runs(
    pipeline: Pipeline, pipes: Misbehave
) -> None:
    run(pipeline, CHART)
    before = pipeline.place.contents(TABLES)
    pipes(hold=f"{pipeline.place.name}/tables/songs/")
    state = run(pipeline, CHART, OTHER_CHART, pipe_minutes=PIPE_MINUTES)

    (held,) = events(pipeline, "held")
    failed = held.rpartition("/")[2].partition(".")[0]
    assert state.is_failed()
    assert "pipes have not loaded" in state.message
    assert f"tables/songs/dt={TODAY}/{failed}.snowpipe.csv.gz" in state.message
    assert pipeline.place.contents(TABLES) == before
    assert pipeline.place.query("SELECT COUNT(*) FROM loads WHERE run_id = ?", failed) == [(0,)]
    assert pipeline.place.keys(f"runs/dt={TODAY}/{failed}") == []
    pipes()  # the file lands now, too late for its run
    assert run(pipeline, CHART, OTHER_CHART).is_completed()
    assert pipeline.place.count("playlists") == 2
    assert left_in_landing(pipeline) == {failed}


def left_in_landing(pipeline: Pipeline) -> set[str]:
    """Run ids with rows in the landing tables."""
    rows = [pipeline.place.query(f"SELECT DISTINCT run_id FROM {landing(table)}") for table in TABLES]
    return {run_id for found in rows for (run_id,) in found}


@pytest.mark.faults
def test_stale_rows_are_deleted_from_landing(pipeline: Pipeline, pipes: Misbehave) -> None:
    pipes(hold=f"{pipeline.place.name}/tables/songs/")
    assert run(pipeline, CHART, pipe_minutes=PIPE_MINUTES).is_failed()
    assert events(pipeline, "held")
    pipes()
    pipeline.place.query("UPDATE albums_landing SET run_id = '20200101T000000Z-00000000'")
    (failed,) = left_in_landing(pipeline) - {"20200101T000000Z-00000000"}
    assert run(pipeline, EMPTY).is_completed()
    assert left_in_landing(pipeline) == {failed}
    with Warehouse(pipeline.place).session() as session:
        clear_landing(session, "load/delete_stale_landing", run_id_of(datetime.now(UTC) + timedelta(days=1)))
    assert left_in_landing(pipeline) == set()


@pytest.mark.parametrize(
    ("text", "problem"),
    [("a,b\n1,2\n", "line 2"), pytest.param("", "tables/songs/", marks=pytest.mark.faults)],
)
def test_a_malformed_file_fails_the_run_and_is_named(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch, text: str, problem: str
) -> None:
    run(pipeline, CHART)
    before = pipeline.place.contents(TABLES)
    write_file = Lake.write_file

    def damaged(lake: Lake, key: str, file: IO[bytes], digest: bytes, content_type: str) -> Written:
        if not key.startswith("tables/songs/"):
            return write_file(lake, key, file, digest, content_type)
        file.seek(0)
        return lake.write(key, gzip.compress(text.encode()) if text else file.read()[:-20], content_type)

    monkeypatch.setattr(Lake, "write_file", damaged)
    state = run(pipeline, OTHER_CHART, CHART)

    assert state.is_failed()
    assert f"songs_pipe did not load tables/songs/dt={TODAY}/" in state.message
    assert problem in state.message
    assert pipeline.place.contents(TABLES) == before
    monkeypatch.undo()
    assert run(pipeline, OTHER_CHART, CHART).is_completed()


@pytest.mark.faults
@pytest.mark.parametrize("dropped", ["PIPE songs_pipe", "TABLE songs_landing"])
def test_a_dropped_pipe_or_table_is_named_and_can_be_recreated(pipeline: Pipeline, dropped: str) -> None:
    run(pipeline, CHART)
    before = pipeline.place.contents(TABLES)
    pipeline.place.query(f"DROP {dropped}")
    state = run(pipeline, CHART)

    assert state.is_failed()
    assert dropped.split()[1] in state.message
    assert "DELETE FROM snowpipe_versions lets the next Snowpipe run recreate them" in state.message
    assert pipeline.place.contents(TABLES) == before
    pipeline.place.query("DELETE FROM snowpipe_versions")
    assert run(pipeline, CHART).is_completed()
    assert pipeline.place.contents(TABLES) == before


@pytest.mark.faults
def test_paused_pipes_are_named_at_the_deadline(pipeline: Pipeline) -> None:
    run(pipeline, CHART)
    pipeline.place.query("ALTER PIPE songs_pipe SET PIPE_EXECUTION_PAUSED = TRUE")
    state = run(pipeline, CHART, pipe_minutes=PIPE_MINUTES)

    assert state.is_failed()
    assert "songs_pipe is PAUSED, pending files: 1" in state.message
    assert "SET PIPE_EXECUTION_PAUSED = FALSE" in state.message
