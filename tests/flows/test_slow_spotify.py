"""Runs with a trickling Spotify or a wrong clock: how they end, and what they load."""

import time
from functools import partial

import pytest
import requests

import flows.connections
from pipeline.spotify import http
from pipeline.spotify.client import SpotifyClient
from sandbox.spotify.catalogue import CHARTS, EMPTY
from tests.flows.conftest import TODAY, Pipeline

CHART = CHARTS[0]
DEADLINE_S, BUDGET_S = 0.5, 2.0


def test_a_trickling_playlist_fails_and_the_others_are_loaded(
    pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    client = partial(SpotifyClient, budget_s=BUDGET_S, sleep=slept.append)
    monkeypatch.setattr(
        flows.connections, "SpotifyClient", partial(client, clock=lambda: time.monotonic() + sum(slept))
    )
    monkeypatch.setattr(http, "DEADLINE_S", DEADLINE_S)
    url = pipeline.serve()
    fault = {"path": f"/v1/playlists/{CHART}", "kind": "trickle", "status": 200, "every_ms": 20, "times": 99}
    requests.put(f"{url}/sandbox/faults", json=[fault], timeout=10).raise_for_status()
    state = pipeline.ingest(CHART, EMPTY, snapshot_date=TODAY)

    (fired,) = requests.get(f"{url}/sandbox/faults", timeout=10).json()
    assert 2 <= fired["fired"] <= BUDGET_S / DEADLINE_S
    assert state.is_failed()
    assert f"playlist {CHART}: Spotify's response was not complete after 0.5 s" in state.message
    assert "[SPOTIFY_BUDGET]" in state.message
    assert pipeline.place.count("playlists") == 1


def test_a_run_whose_clock_is_ahead_keeps_nothing(pipeline: Pipeline) -> None:
    url = pipeline.serve()
    wrong = {"date_behind_s": 300}
    requests.patch(f"{url}/sandbox/settings", json=wrong, timeout=10).raise_for_status()
    state = pipeline.ingest(CHART, snapshot_date=TODAY)

    assert state.is_failed()
    assert state.message.endswith("[CLOCK_SKEWED]")
    assert pipeline.place.keys("") == []
