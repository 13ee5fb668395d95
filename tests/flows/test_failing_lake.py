"""A lake that fails for some keys, or trickles its responses: what a run loads, and how it ends."""

import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain, repeat
from socket import socket
from time import monotonic
from typing import Any

import pytest
import requests

import flows.ingest
from pipeline.errors import Code
from pipeline.lake import retry_budget, store
from sandbox.spotify.catalogue import CHARTS, EMPTY, MIXTAPE
from tests.faults.injected import FAILURES, Fault
from tests.faults.labels import Request
from tests.faults.proxy import Traffic, serving
from tests.flows.conftest import Pipeline

CHART, OTHER_CHART = CHARTS
PLAYLISTS = [CHART, OTHER_CHART, MIXTAPE, EMPTY]
REFUSED = FAILURES["503"]
INTERVAL_S = 0.02


class FaultyTraffic(Traffic):
    """Injects the next of `faults` into each request whose method and path match `pattern`."""

    def __init__(self, pattern: str, faults: Iterator[Fault | None]) -> None:
        super().__init__()
        self.pattern, self.faults = pattern, faults
        self.hit: Counter[str] = Counter()
        self._lock = threading.Lock()

    @contextmanager
    def passing(self, request: Request) -> Iterator[Fault | None]:
        """Yields the fault of the request; None passes it on."""
        fault = None
        with self._lock:
            if re.search(self.pattern, f"{request.method} {request.target}") and (fault := next(self.faults)):
                self.hit[request.method] += 1
        yield fault


FailLake = Callable[[str, Iterator[Fault | None]], tuple[Pipeline, FaultyTraffic, str]]


@pytest.fixture
def fail_lake(pipeline: Pipeline, monkeypatch: pytest.MonkeyPatch) -> Iterator[FailLake]:
    """Puts a proxy between the pipeline and its lake.

    Backoff is short and botocore does not retry: a fault meets our own retries at once.
    """
    monkeypatch.setattr(retry_budget, "LONGEST_BACKOFF_S", 0.02)
    monkeypatch.setattr(retry_budget, "BUDGET_S", 0.5)
    monkeypatch.setitem(store.CLIENT_CONFIG, "retries", {"total_max_attempts": 1})
    monkeypatch.setattr(flows.ingest.keep_snapshots, "retry_delay_seconds", None)
    with ExitStack() as stack:

        def fail(pattern: str, faults: Iterator[Fault | None]) -> tuple[Pipeline, FaultyTraffic, str]:
            traffic = FaultyTraffic(pattern, faults)
            s3 = stack.enter_context(serving("s3", pipeline.place.addresses.s3, traffic))
            url = pipeline.serve()
            return pipeline.with_blocks(AWS_ENDPOINT_URL=s3), traffic, url

        yield fail


def times_read(url: str, playlist: str) -> int:
    """Number of requests for the playlist itself, without those for its snapshot id."""
    seen: list[dict[str, Any]] = requests.get(f"{url}/sandbox/requests", timeout=5).json()
    return sum(one["path"] == f"/v1/playlists/{playlist}" and "fields" not in one["query"] for one in seen)


def test_a_throttled_prefix_fails_only_its_playlist(fail_lake: FailLake) -> None:
    pipeline, traffic, _ = fail_lake(f"PUT .*/raw/playlist_id[^/]*{OTHER_CHART}", repeat(REFUSED))
    state = pipeline.ingest(*PLAYLISTS)

    assert traffic.hit[
        "PUT"
    ]  # how often depends on the machine; test_retry_budget.py counts with a clock of its own
    assert state.is_failed()
    assert re.match(
        rf"3 playlists loaded, 1 failed\. playlist {OTHER_CHART}: .*503.*\[LAKE_UN", state.message
    )
    assert state.message.endswith(f"[{Code.PLAYLISTS_FAILED}]")
    place = pipeline.place
    assert place.count("playlists") == 3
    (receipt,) = place.receipts()
    (line,) = [line for line in receipt["playlists"] if line["status"] == "failed"]
    assert line["playlist_id"] == OTHER_CHART
    assert line["reason"].endswith("[LAKE_UNAVAILABLE]")


def test_a_retried_keep_task_reads_and_writes_nothing_twice(
    fail_lake: FailLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry_budget, "MANY_PLAYLISTS", 1)
    monkeypatch.setattr(retry_budget, "BUDGET_S", 0)
    pipeline, traffic, url = fail_lake(
        f"PUT .*/raw/playlist_id[^/]*{EMPTY}", chain([REFUSED, REFUSED], repeat(None))
    )
    state = pipeline.ingest(*PLAYLISTS)

    assert traffic.hit["PUT"] == 2
    assert state.is_completed(), state.message
    assert pipeline.place.count("playlists") == 4
    assert len(pipeline.place.keys("raw/")) == 4
    assert times_read(url, EMPTY) == 3
    assert [times_read(url, playlist) for playlist in PLAYLISTS[:3]] == [1, 1, 1]


@pytest.mark.faults
def test_a_backfill_that_cannot_rank_the_snapshots_of_a_playlist_publishes_the_others(
    fail_lake: FailLake,
) -> None:
    pipeline, traffic, _ = fail_lake(
        f"GET .*/raw/playlist_id[^/]*{CHART}/", chain(repeat(None, 2), repeat(REFUSED))
    )
    for _ in range(2):
        assert pipeline.ingest(CHART, EMPTY, skip_unchanged=False).is_completed()
    before = pipeline.place.contents(("playlists",))
    state = pipeline.backfill()

    assert traffic.hit["GET"] > 2
    assert state.is_failed()
    assert re.match(rf"1 playlist loaded, 1 failed\. playlist {CHART}: .*\[LAKE_UNAVAILABLE\]", state.message)
    assert pipeline.place.contents(("playlists",)) == before


def test_a_trickling_snapshot_is_requested_again(
    fail_lake: FailLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "REQUEST_DEADLINE_S", 1.0)
    monkeypatch.setattr(retry_budget, "BUDGET_S", 60)
    ended = threading.Event()

    def trickle(client: socket) -> bool:
        client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not ended.wait(INTERVAL_S):
            client.sendall(b" ")
        return False

    pipeline, traffic, _ = fail_lake("GET .*/raw/playlist_id", chain([Fault(before=trickle)], repeat(None)))
    began = monotonic()
    state = pipeline.ingest(CHART, EMPTY)
    took = monotonic() - began
    ended.set()

    assert traffic.hit["GET"] == 1
    assert state.is_completed(), state.message
    assert pipeline.place.count("playlists") == 2
    assert took < 60


def test_a_snapshot_without_read_permission_fails_only_its_playlist(fail_lake: FailLake) -> None:
    def deny(client: socket) -> bool:
        client.sendall(
            b"HTTP/1.1 403 Forbidden\r\nContent-Type: application/xml\r\nConnection: close\r\n\r\n"
            b"<Error><Code>AccessDenied</Code></Error>"
        )
        return False

    pipeline, traffic, _ = fail_lake(f"GET .*/raw/playlist_id[^/]*{EMPTY}", repeat(Fault(before=deny)))
    state = pipeline.ingest(CHART, EMPTY)

    assert traffic.hit["GET"] == 1
    assert re.match(
        rf"1 playlist loaded, 1 failed\. playlist {EMPTY}: .*denied.*\[LAKE_DENIED", state.message
    )
    assert pipeline.place.count("playlists") == 1
