"""Many playlists in one run: six task runs in total; a malformed playlist fails alone."""

from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId

from tests.builders import artist, entry, head, song
from tests.flows.conftest import TODAY, Pipeline


def responses(count: int) -> dict[str, Any]:
    """Playlists of two songs; the one in the middle has no song with an id."""
    songs = [entry(song(f"song-{n}", artists=[artist(f"artist-{n}")])) for n in range(2)]
    ids = [f"many{number:018d}" for number in range(count)]
    shown = {playlist: head(songs, id_=playlist, type="playlist") for playlist in ids}
    broken = ids[count // 2]
    return shown | {broken: head([entry(song(id=7)), entry(song(id=8))], id_=broken, type="playlist")}


@pytest.mark.usefixtures("with_events", "with_reports")
@pytest.mark.parametrize("count", [50, pytest.param(500, marks=pytest.mark.faults)])
def test_many_playlists_take_six_task_runs(pipeline: Pipeline, count: int) -> None:
    shown = responses(count)
    playlists = [*shown]
    pipeline.serve(shown)
    state = pipeline.ingest(*playlists, snapshot_date=TODAY)

    failed = f"1 failed. playlist {playlists[count // 2]}"
    assert state.message.startswith(f"{count - 1} playlists loaded, {failed}")
    assert pipeline.place.count("playlists") == count - 1
    assert pipeline.place.count("playlist_songs") == 2 * (count - 1)
    with get_client(sync_client=True) as api:
        of_run = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
        runs = api.read_task_runs(flow_run_filter=of_run)
    assert sorted(run.name.rsplit("-", 1)[0] for run in runs) == [
        "keep_snapshots",
        "setup_warehouse",
        "truncate_and_load",
        "write_receipt",
        "write_report",
        "write_tables",
    ]
