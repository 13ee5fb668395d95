"""Synthetic playlists of any length: a Spotify client and a lake with little cost of their own."""

import gzip
import json
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from time import process_time
from typing import IO, Any

import msgspec

from pipeline.lake.layout import parse_raw_key, raw_key
from pipeline.lake.s3_traffic import CHUNK_BYTES
from pipeline.lake.store import Lake, Written
from pipeline.records import Envelope, Kept
from tests.builders import RUN, album, artist, entry, head, song

MARKETS = [f"{first}{second}" for first in "ABCDEFGHIJ" for second in "KLMNOPQRST"] * 3
"""As many markets as Spotify lists in albums and songs: 4 KB per entry."""
PAGE_ONE, PAGE = 100, 50
GZIP = 31
FIRST_DAY = date(2020, 1, 1)


def playlist_ids(count: int) -> list[str]:
    """Returns `count` playlist ids."""
    return [f"bench{number:017d}" for number in range(count)]


def _entry(number: int, markets: list[str]) -> dict[str, Any]:
    artists = [artist(f"artist-{number // 3}"), artist(f"artist-{number}")]
    on = album(f"album-{number // 2}", artists[:1], available_markets=markets)
    return entry(song(f"song-{number}", artists, on, available_markets=markets))


def responses(entries: int, markets: int = len(MARKETS)) -> Iterator[bytes]:
    """Responses for a playlist with this number of entries: first page, then further pages."""
    named = MARKETS[:markets]
    first = head([]) | {"items": _paging(entries, 0, PAGE_ONE)}
    yield _filled(first, range(min(PAGE_ONE, entries)), named)
    for start in range(PAGE_ONE, entries, PAGE):
        numbers = range(start, min(start + PAGE, entries))
        yield _filled(_paging(entries, start, PAGE), numbers, named)


def _paging(total: int, offset: int, limit: int) -> dict[str, Any]:
    return {"items": [], "total": total, "offset": offset, "limit": limit}


def _filled(body: dict[str, Any], numbers: range, markets: list[str]) -> bytes:
    """Fills a response with entries."""
    entries = ",".join(json.dumps(_entry(number, markets), separators=(",", ":")) for number in numbers)
    text = json.dumps(body, separators=(",", ":"))
    return text.replace('"items":[]', f'"items":[{entries}]', 1).encode()


class Spotify:
    """Replaces the Spotify client; all playlists are equal. Responses are compressed to save memory."""

    for_user = True

    def __init__(self, entries: int) -> None:
        compressed = map(zlib.compress, responses(entries))
        self._pages = dict(zip([0, *range(PAGE_ONE, entries, PAGE)], compressed, strict=True))

    def authorise(self) -> None:
        """Does nothing."""

    def playlist(self, playlist_id: str) -> bytes:
        """First page."""
        return self.page("", "", 0).replace(head([])["id"].encode(), playlist_id.encode())

    def page(self, _playlist_id: str, _endpoint: str, offset: int) -> bytes:
        """Page at an offset."""
        return zlib.decompress(self._pages[offset])

    def snapshot_id(self, _playlist_id: str) -> bytes:
        """The same snapshot id for every playlist."""
        return json.dumps({"snapshot_id": head([])["snapshot_id"]}).encode()


class SyntheticLake(Lake):
    """Contains a snapshot of every playlist and date; written files are read to their end and discarded.

    `cpu_at_reads`: CPU time of the process at each read of a snapshot, in seconds.
    """

    def __init__(self, entries: int, latency_s: float = 0) -> None:
        self.bucket, self.folder = "bench", ""
        self._entries = entries
        self._latency_s = latency_s
        member = zlib.compressobj(wbits=GZIP)
        parts = [member.compress(body + b"\n") for body in responses(entries)]
        self._bodies = b"".join([*parts, member.flush()])
        self.written = 0
        self.cpu_at_reads: list[float] = []

    def read(self, key: str) -> bytes:
        """The envelope for this key, and the responses common to all."""
        time.sleep(self._latency_s)
        self.cpu_at_reads.append(process_time())
        if (raw := parse_raw_key(key)) is None:
            raise ValueError(key)
        fetched_at = datetime.combine(raw.snapshot_date, datetime.min.time(), UTC) + timedelta(hours=6)
        envelope = Envelope(raw.run_id, raw.playlist_id, "AAAA", fetched_at, "items", self._entries, "bench")
        return gzip.compress(msgspec.json.encode(envelope) + b"\n", 1) + self._bodies

    def write(self, key: str, body: bytes, content_type: str) -> Written:
        """Discards a snapshot; counts its bytes."""
        del content_type
        time.sleep(self._latency_s)
        self.written += len(body)
        return Written(key, len(body), "")

    def write_file(self, key: str, file: IO[bytes], digest: bytes, content_type: str) -> Written:
        """Discards a table file; counts its bytes."""
        del content_type
        time.sleep(self._latency_s)
        file.seek(0)
        size = sum(map(len, iter(lambda: file.read(CHUNK_BYTES), b"")))
        self.written += size
        return Written(key, size, digest.hex())

    def keys(self, prefix: str) -> Iterator[str]:
        """Empty: there are no kept details."""
        del prefix
        return iter(())


def kept(playlists: int, dates: int) -> list[Kept]:
    """Kept snapshots of `playlists` playlists on each of `dates` dates."""
    days = [FIRST_DAY + timedelta(days=number) for number in range(dates)]
    ids = playlist_ids(playlists)
    return [Kept(raw_key(one, day, RUN), one, day) for day in days for one in ids]
