"""Time to read many playlists, relative to the ideal: requests x latency / threads."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from multiprocessing import get_context
from multiprocessing.connection import Connection
from time import perf_counter
from typing import Any

import requests
from pydantic import SecretStr

from blocks import SpotifyCredentials
from pipeline.keep import Keeper, keep_playlists
from pipeline.lake.retry_budget import RetryBudget
from pipeline.lake.store import Lake, Written
from pipeline.records import Run
from pipeline.spotify.client import SpotifyClient
from pipeline.threads import THREADS
from sandbox.spotify import shapes
from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from sandbox.spotify.catalogue import CHARTS, playlist
from sandbox.spotify.server import create_app
from sandbox.spotify.settings import AppClass
from sandbox.spotify.sources import PlaylistQuery
from tests.serving import running

PLAYLISTS = [f"bench{number:017d}" for number in range(100)]
ENTRIES = 550
"""100 entries on the first page and 50 on each of nine further pages."""
LATENCY_S = 0.1
DAY = date(2026, 11, 20)


class RepeatedChart:
    """A source whose playlists, under any id, repeat the entries of one chart; encoded once."""

    def __init__(self) -> None:
        chart: dict[str, Any] = dict(playlist(CHARTS[0], DAY) or {})
        chart["entries"] = (chart["entries"] * ENTRIES)[:ENTRIES]
        self._head = shapes.body(shapes.head(chart, "items", "http://127.0.0.1/v1"))
        self._pages = {
            offset: shapes.body(shapes.page(chart, offset, 50, "items", "http://127.0.0.1/v1"))
            for offset in range(100, ENTRIES, 50)
        }

    def listing(self, app_class: AppClass = "restricted") -> dict[str, str]:
        """Names of the playlists by id."""
        del app_class
        return {playlist_id: playlist_id for playlist_id in PLAYLISTS}

    def library(self) -> list[str]:
        """Empty, because the benchmark does not request it."""
        return []

    def listed(self, ask: PlaylistQuery) -> None:
        """Not requested."""
        del ask

    def entries(self, day: date) -> list[Any]:
        """Empty, because single songs are not requested."""
        del day
        return []

    def head(self, ask: PlaylistQuery) -> bytes:
        """Response of GET /playlists/{id}."""
        return self._head.replace(CHARTS[0].encode(), ask.playlist_id.encode())

    def page(self, ask: PlaylistQuery, offset: int, limit: int) -> bytes:
        """Response of GET /playlists/{id}/items."""
        del ask, limit
        return self._pages[offset]


class DiscardingLake(Lake):
    """Discards what is written, because S3 is not measured."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def write(self, key: str, body: bytes, content_type: str) -> Written:
        """Records the size."""
        del content_type
        self.sizes.append(len(body))
        return Written(key, len(body), "")


def measure() -> list[tuple[str, str, str]]:
    """Rows of the table: what, measured, allowed."""
    with _stand_in() as url:
        credentials = SpotifyCredentials(
            client_id=CLIENT_ID,
            client_secret=SecretStr(CLIENT_SECRET),
            refresh_token=SecretStr(REFRESH_TOKEN),
            api_url=f"{url}/v1",
            accounts_url=url,
        )
        lake, now = DiscardingLake(), datetime.now(UTC)
        keeper = Keeper(
            client=SpotifyClient(credentials),
            lake=lake,
            run=Run("run", now.date(), now, "bench", "bench"),
            is_published=lambda _playlist, _snapshot: False,
            retries=RetryBudget(len(PLAYLISTS)),
        )
        start = perf_counter()
        work = keep_playlists(keeper, PLAYLISTS)
        seconds = perf_counter() - start
        sent = [
            one for one in requests.get(f"{url}/sandbox/requests", timeout=10).json() if "v1" in one["path"]
        ]
    if len(work.kept) != len(PLAYLISTS):
        raise RuntimeError(f"only {len(work.kept)} playlists were read: {work.others[:1]}")
    ideal = len(sent) * LATENCY_S / THREADS
    return [
        (
            "requests per playlist of 10 pages (10, and 1 to compare the snapshot id)",
            f"{len(sent) / 100:g}",
            "11",
        ),
        (f"time ÷ ideal ({ideal:.1f} s at {THREADS} threads)", f"{seconds / ideal:.2f}", "1.15"),
    ]


@contextmanager
def _stand_in() -> Iterator[str]:
    """Runs the stand-in in its own process, so that only the client's CPU time counts here."""
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield str(ours.recv())
    finally:
        ours.send("stop")
        process.join(10)


def _serve(pipe: "Connection[Any, Any]") -> None:
    app = create_app(
        RepeatedChart(), today=lambda: DAY, app_class="restricted", latency_ms=int(LATENCY_S * 1000)
    )
    with running(app) as url:
        pipe.send(url)
        pipe.recv()
