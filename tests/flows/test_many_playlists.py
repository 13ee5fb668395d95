"""Many playlists in one run: few task runs, one bad playlist stops no other."""

from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterId
from prefect.events.worker import EventsWorker

from tests.builders import artist, entry, head, song
from tests.flows.conftest import TODAY, Pipeline

PLAYLISTS = [f"many{number:018d}" for number in range(500)]
BROKEN = PLAYLISTS[250]


@pytest.fixture
def answers() -> dict[str, Any]:
    """500 playlists of two songs, one of them without an owner."""
    songs = [entry(song(f"song-{n}", artists=[artist(f"artist-{n}")])) for n in range(2)]
    shown = {playlist: head(songs, id_=playlist, type="playlist") for playlist in PLAYLISTS}
    del shown[BROKEN]["owner"]
    return shown


def test_five_hundred_playlists_take_five_task_runs(
    pipeline: Pipeline, answers: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EventsWorker, "_client_override", None)  # Prefect learns of task runs by events
    pipeline.show(answers)
    state = pipeline.ingest(*PLAYLISTS, snapshot_date=TODAY)

    assert state.message.startswith(f"Playlists: 499 loaded, 1 failed. playlist {BROKEN}")
    assert pipeline.place.count("playlists") == 499
    assert pipeline.place.count("playlist_songs") == 998
    with get_client(sync_client=True) as api:
        of_run = FlowRunFilter(id=FlowRunFilterId(any_=[state.state_details.flow_run_id]))
        runs = api.read_task_runs(flow_run_filter=of_run)
    assert sorted(run.name.rsplit("-", 1)[0] for run in runs) == [
        "keep_snapshots",
        "setup_warehouse",
        "truncate_and_load",
        "write_receipt",
        "write_tables",
    ]
