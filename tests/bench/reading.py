"""Reading many playlists: how far from the ideal, requests times latency over parallelism."""

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
"""Page one embeds 100 entries, nine more pages bring 50 each."""
LATENCY_S = 0.1
DAY = date(2026, 11, 20)


class Copies:
    """One chart's entries again and again, under any id, encoded once."""

    def __init__(self) -> None:
        chart: dict[str, Any] = dict(playlist(CHARTS[0], DAY) or {})
        chart["entries"] = (chart["entries"] * ENTRIES)[:ENTRIES]
        self._head = shapes.body(shapes.head(chart, "items", "http://127.0.0.1/v1"))
        self._pages = {
            offset: shapes.body(shapes.page(chart, offset, 50, "items", "http://127.0.0.1/v1"))
            for offset in range(100, ENTRIES, 50)
        }

    def listing(self, app_class: AppClass = "restricted") -> dict[str, str]:
        """The playlists: id → name."""
        del app_class
        return {playlist_id: playlist_id for playlist_id in PLAYLISTS}

    def library(self) -> list[str]:
        """The user's list is not asked for."""
        return []

    def listed(self, ask: PlaylistQuery) -> None:
        """Likewise."""
        del ask

    def entries(self, day: date) -> list[Any]:
        """No song is asked for by itself."""
        del day
        return []

    def head(self, ask: PlaylistQuery) -> bytes:
        """Answers GET /playlists/{id}."""
        return self._head.replace(CHARTS[0].encode(), ask.playlist_id.encode())

    def page(self, ask: PlaylistQuery, offset: int, limit: int) -> bytes:
        """Answers GET /playlists/{id}/items."""
        del ask, limit
        return self._pages[offset]


class NoLake(Lake):
    """Takes what is kept and forgets it: S3 is not what is measured."""

    def __init__(self) -> None:
        self.sizes: list[int] = []

    def write(self, key: str, body: bytes, content_type: str) -> Written:
        """Counts the bytes."""
        del content_type
        self.sizes.append(len(body))
        return Written(key, len(body), "")


def measure() -> list[tuple[str, str, str]]:
    """Rows for the table: what, measured, allowed."""
    with _stand_in() as url:
        credentials = SpotifyCredentials(
            client_id=CLIENT_ID,
            client_secret=SecretStr(CLIENT_SECRET),
            refresh_token=SecretStr(REFRESH_TOKEN),
            api_url=f"{url}/v1",
            accounts_url=url,
        )
        lake, now = NoLake(), datetime.now(UTC)
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
        asked = [
            one for one in requests.get(f"{url}/sandbox/requests", timeout=10).json() if "v1" in one["path"]
        ]
    if len(work.kept) != len(PLAYLISTS):
        raise RuntimeError(f"only {len(work.kept)} playlists were read: {work.others[:1]}")
    ideal = len(asked) * LATENCY_S / THREADS
    return [
        (
            "requests per playlist of 10 pages (10, and 1 to see that it held still)",
            f"{len(asked) / 100:g}",
            "11",
        ),
        (f"time ÷ ideal ({ideal:.1f} s at {THREADS} threads)", f"{seconds / ideal:.2f}", "1.15"),
    ]


@contextmanager
def _stand_in() -> Iterator[str]:
    """The stand-in in a process of its own, so that only the client's work is measured here."""
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
    app = create_app(Copies(), today=lambda: DAY, app_class="restricted", latency_ms=int(LATENCY_S * 1000))
    with running(app) as url:
        pipe.send(url)
        pipe.recv()
