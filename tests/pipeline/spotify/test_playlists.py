"""Reading a playlist: the requests it takes, and that all responses belong to one snapshot id."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest

from pipeline.errors import PlaylistUnavailable
from pipeline.records import Envelope
from pipeline.spotify.playlists import read_playlist
from pipeline.transform.pages import decode_page
from sandbox.spotify import catalogue, shapes
from sandbox.spotify.catalogue import CHARTS, EMPTY, FOREIGN, MIXTAPE, MIXTAPE_LENGTH
from sandbox.spotify.errors import RefusedError
from sandbox.spotify.shapes import Shape
from sandbox.spotify.sources import PlaylistQuery, Synthetic
from tests.builders import PLAYLIST, SHAPES, THE_RUN, Json, body, entry, head, page, song, without
from tests.spotify import TODAY, Spotify, Start

CHART = CHARTS[0]


@dataclass
class Kept:
    """The responses of one read, in memory."""

    envelope: Envelope
    bodies: list[bytes] = field(default_factory=list)

    def add(self, body: bytes) -> None:
        """Adds the next response."""
        self.bodies.append(body)


def _read(spotify: Spotify, playlist: str, published: Callable[[str], bool] = lambda _: False) -> Kept:
    kept = read_playlist(spotify.client(), THE_RUN, playlist, published, Kept)
    assert kept is not None
    return kept


def _entries(kept: Kept) -> list[bytes]:
    pages = [decode_page(body) for body in kept.bodies]
    return [entry for page in pages if page for entry in page.entries]


def test_a_playlist_of_one_page_takes_one_request(spotify: Spotify) -> None:
    kept = _read(spotify, CHART)
    assert spotify.requested() == [f"{CHART} 200"]
    assert (kept.envelope.total, len(kept.bodies), len(_entries(kept))) == (50, 1, 50)


def test_an_empty_playlist_takes_one_request(spotify: Spotify) -> None:
    kept = _read(spotify, EMPTY)
    assert spotify.requested() == [f"{EMPTY} 200"]
    assert (kept.envelope.total, len(kept.bodies), _entries(kept)) == (0, 1, [])


@pytest.mark.parametrize("shape", ["items", "both"])
def test_a_long_playlist_is_paged_and_its_snapshot_id_compared_at_the_end(start: Start, shape: Shape) -> None:
    spotify = start(shape)
    kept = _read(spotify, MIXTAPE)
    assert spotify.requested() == [
        f"{MIXTAPE} 200",
        *(f"{MIXTAPE}/items?limit=50&offset={offset} 200" for offset in (100, 150, 200, 250, 300)),
        f"{MIXTAPE} 200",
    ]
    assert (kept.envelope.total, kept.envelope.api_shape, len(kept.bodies)) == (MIXTAPE_LENGTH, shape, 6)
    assert len(_entries(kept)) == MIXTAPE_LENGTH


def test_responses_are_kept_unchanged(spotify: Spotify) -> None:
    before = datetime.now(UTC)
    kept = _read(spotify, CHART)
    sent = spotify.standin.get(f"/v1/playlists/{CHART}", spotify.standin.bearer())
    assert kept.bodies == [sent.content]
    assert kept.envelope.snapshot_id == sent.json()["snapshot_id"]
    assert kept.envelope.playlist_id == CHART
    assert before <= kept.envelope.fetched_at <= datetime.now(UTC)


def test_a_published_playlist_is_skipped_after_one_request(spotify: Spotify) -> None:
    snapshot_ids: list[str] = []

    def published(snapshot_id: str) -> bool:
        snapshot_ids.append(snapshot_id)
        return True

    assert read_playlist(spotify.client(), THE_RUN, MIXTAPE, published, Kept) is None
    assert spotify.requested() == [f"{MIXTAPE} 200"]
    assert snapshot_ids == [_read(spotify, MIXTAPE).envelope.snapshot_id]


def test_a_playlist_the_app_may_not_read_fails_after_one_request_with_the_reason(start: Start) -> None:
    spotify = start("items")
    with pytest.raises(PlaylistUnavailable, match=f"playlist {FOREIGN}: .*owns or collaborates on"):
        _read(spotify, FOREIGN)
    assert spotify.requested() == [f"{FOREIGN} 200"]


def _mixtape(day: date) -> Json:
    found = catalogue.playlist(MIXTAPE, day)
    assert found is not None
    return found


class Scripted(Synthetic):
    """Scripted responses: `heads` for `GET /playlists/{id}`, the last repeated; `pages` by offset."""

    def __init__(self, heads: list[bytes], pages: dict[int, bytes] | None = None) -> None:
        self.heads, self.pages = heads, pages or {}

    def head(self, ask: PlaylistQuery) -> bytes:
        """Response of GET /playlists/{id}."""
        del ask
        return self.heads.pop(0) if len(self.heads) > 1 else self.heads[0]

    def page(self, ask: PlaylistQuery, offset: int, limit: int) -> bytes:
        """Response of GET /playlists/{id}/items."""
        del ask, limit
        if offset not in self.pages:
            raise RefusedError(404, "Service not found")
        return self.pages[offset]


def _head(count: int, total: int, snapshot_id: str = "one") -> bytes:
    entries = [entry(song(f"song-{number}")) for number in range(count)]
    response = head(entries, "both", snapshot_id=snapshot_id)
    for key in ("items", "tracks"):
        response[key]["total"] = total
    return body(response)


def _page(offset: int, count: int, total: int) -> bytes:
    return body(page([entry(song(f"song-{offset + number}")) for number in range(count)], total, offset))


def _short(offset: int, total: int) -> bytes:
    """A page from which the server left out an entry: its limit is 3, but it has 2 entries."""
    entries = [entry(song(f"song-{offset + number}")) for number in (0, 2)]
    return body(page(entries, total, offset) | {"limit": 3})


def test_totals_and_offsets_may_be_written_as_floats(start: Start) -> None:
    first, second = (one.replace(b'"total": 3', b'"total": 3.0') for one in (_head(2, 3), _page(2, 1, 3)))
    second = second.replace(b'"offset": 2', b'"offset": 2.0')
    spotify = start(source=Scripted([first], {2: second}))
    assert _read(spotify, PLAYLIST).envelope.total == 3


def test_the_next_page_starts_where_the_last_one_ended(start: Start) -> None:
    spotify = start(source=Scripted([_head(3, 8)], {3: _page(3, 4, 8), 7: _page(7, 1, 8)}))
    kept = _read(spotify, PLAYLIST)
    assert [json.loads(one)["item"]["id"] for one in _entries(kept)] == [f"song-{n}" for n in range(8)]
    offsets = [seen for seen in spotify.requested() if "offset" in seen]
    assert offsets == [f"{PLAYLIST}/items?limit=50&offset={offset} 200" for offset in (3, 7)]


def test_a_playlist_that_changed_is_read_again(start: Start) -> None:
    pages = {2: _page(2, 1, 3)}
    heads = [_head(2, 3, "old"), _head(2, 3, "new"), _head(2, 3, "new")]
    spotify = start(source=Scripted([*heads, _head(2, 3, "new")], pages))
    kept = _read(spotify, PLAYLIST)
    assert kept.envelope.snapshot_id == "new"
    assert len(_entries(kept)) == 3
    assert len(spotify.requested()) == 6


class ChangesWhilePaging(Synthetic):
    """The catalogue, which advances by a week after the first page."""

    days = 0

    def head(self, ask: PlaylistQuery) -> bytes:
        """Response of GET /playlists/{id}."""
        return super().head(ask._replace(day=ask.day + timedelta(self.days)))

    def page(self, ask: PlaylistQuery, offset: int, limit: int) -> bytes:
        """Response of GET /playlists/{id}/items."""
        response = super().page(ask._replace(day=ask.day + timedelta(self.days)), offset, limit)
        self.days = 7
        return response


def test_a_playlist_that_changes_between_two_pages_is_kept_in_one_state(start: Start) -> None:
    spotify = start(source=ChangesWhilePaging())
    kept = _read(spotify, MIXTAPE)
    later = shapes.response_bodies(
        _mixtape(TODAY + timedelta(7)), "both", api_url=f"{spotify.standin.url}/v1"
    )
    assert kept.bodies == later
    assert len(spotify.requested()) == 14


class Inconsistent(NamedTuple):
    """Responses that never agree, the expected number of requests, and the expected message."""

    heads: list[bytes]
    pages: dict[int, bytes]
    requests: int
    message: str


INCONSISTENT = {
    "a new snapshot id on every read": Inconsistent(
        [_head(2, 3, f"snapshot-{number}") for number in range(9)], {2: _page(2, 1, 3)}, 9, "3 of 3 entries"
    ),
    "fewer entries than counted": Inconsistent([_head(2, 3)], {2: _page(2, 0, 3)}, 6, "2 of 3 entries"),
    "more entries than counted": Inconsistent([_head(4, 3)], {}, 3, "4 of 3 entries, too many"),
    "an entry left out of a page": Inconsistent(
        [_head(2, 8)], {2: _short(2, 8)}, 6, "only 2 of 3 entries were received after entry 2"
    ),
    "a page that skips an entry": Inconsistent(
        [_head(2, 8)], {2: _page(3, 3, 8)}, 6, "entries 3 to 3 were not received"
    ),
    "a page that repeats an entry": Inconsistent(
        [_head(2, 8)], {2: _page(1, 3, 8)}, 6, "entry 2 was received twice"
    ),
    "another total later": Inconsistent(
        [_head(2, 3)], {2: _page(2, 1, 4)}, 6, "Spotify counted 3 entries first and 4 later"
    ),
}


@pytest.mark.parametrize("case", INCONSISTENT.values(), ids=INCONSISTENT)
def test_a_playlist_whose_responses_never_agree_fails_after_three_reads(
    start: Start, case: Inconsistent
) -> None:
    spotify = start(source=Scripted(list(case.heads), case.pages))
    with pytest.raises(PlaylistUnavailable, match=f"{PLAYLIST}: .* 3 reads.*{case.message}"):
        _read(spotify, PLAYLIST)
    assert len(spotify.requested()) == case.requests


def test_if_items_is_not_found_the_older_tracks_endpoint_is_read(start: Start) -> None:
    spotify = start("tracks")
    spotify.fail({"path": f"{MIXTAPE}/items", "status": 404, "times": 99})
    kept = _read(spotify, MIXTAPE)
    assert spotify.fired() == [1]
    assert kept.envelope.api_shape == "tracks"
    assert len(_entries(kept)) == MIXTAPE_LENGTH
    assert spotify.requested() == [
        f"{MIXTAPE} 200",
        f"{MIXTAPE}/items?limit=50&offset=100 404",
        *(f"{MIXTAPE}/tracks?limit=50&offset={offset} 200" for offset in (100, 150, 200, 250, 300)),
        f"{MIXTAPE} 200",
    ]


def test_if_items_and_tracks_are_refused_the_playlist_fails(start: Start) -> None:
    spotify = start("both")
    spotify.fail({"path": f"{MIXTAPE}/(items|tracks)", "status": 403, "times": 99})
    with pytest.raises(PlaylistUnavailable, match=MIXTAPE):
        _read(spotify, MIXTAPE)
    assert spotify.fired() == [2]


def test_a_transient_fault_on_a_page_takes_one_more_request(spotify: Spotify) -> None:
    spotify.fail({"path": "offset=200", "kind": "truncated"})
    kept = _read(spotify, MIXTAPE)
    assert spotify.fired() == [1]
    assert (len(_entries(kept)), len(spotify.requested()), len(spotify.slept)) == (MIXTAPE_LENGTH, 8, 1)


NO_PLAYLISTS = {
    "a list": b"[]",
    "a string": b'"playlist"',
    "an empty object": b"{}",
    "without snapshot_id": body(without(head([]), ("snapshot_id",))),
    "entries that are a number": body(head([], items=5)),
}


@pytest.mark.parametrize("response", NO_PLAYLISTS.values(), ids=NO_PLAYLISTS)
def test_a_response_that_is_not_a_playlist_fails_it(start: Start, response: bytes) -> None:
    spotify = start(source=Scripted([response]))
    with pytest.raises(PlaylistUnavailable, match=PLAYLIST):
        _read(spotify, PLAYLIST)
    assert len(spotify.requested()) == 1


@pytest.mark.parametrize("response", [b"[]", b"5", b'{"items":5}', b'{"items":[],"total":"x"}'], ids=repr)
def test_a_response_that_is_not_a_page_fails_the_playlist(start: Start, response: bytes) -> None:
    spotify = start(source=Scripted([_head(2, 3)], {2: response}))
    with pytest.raises(PlaylistUnavailable, match=PLAYLIST):
        _read(spotify, PLAYLIST)


def test_a_last_response_that_is_not_a_playlist_fails_it(start: Start) -> None:
    spotify = start(source=Scripted([_head(2, 3), b"[]"], {2: _page(2, 1, 3)}))
    with pytest.raises(PlaylistUnavailable, match=PLAYLIST):
        _read(spotify, PLAYLIST)


@pytest.mark.parametrize("shape", SHAPES)
def test_responses_with_lone_surrogates_are_kept_unchanged(start: Start, shape: Shape) -> None:
    response = body(head([entry(song(name="half \ud83d"))], shape, name="half \ud83d"))
    kept = _read(start(source=Scripted([response])), PLAYLIST)
    assert kept.bodies == [response]
    assert kept.envelope.api_shape == shape


@pytest.mark.parametrize("total", [None, "absent", 2.5, 1e300, 100_001])
def test_a_playlist_without_a_usable_total_fails(start: Start, total: str | float | None) -> None:
    response = head([entry(song())])
    response["items"]["total"] = total
    if total == "absent":
        del response["items"]["total"]
    spotify = start(source=Scripted([body(response)]))
    with pytest.raises(PlaylistUnavailable, match="has no usable `total`"):
        _read(spotify, PLAYLIST)


def test_an_outage_of_items_is_retried_and_tracks_is_not_requested(start: Start) -> None:
    spotify = start("both")
    spotify.fail({"path": f"{MIXTAPE}/items", "status": 503, "times": 99})
    with pytest.raises(PlaylistUnavailable, match="503"):
        read_playlist(spotify.client(budget_s=5), THE_RUN, MIXTAPE, lambda _: False, Kept)
    assert spotify.fired()[0] >= 2
    assert not [one for one in spotify.requested() if "/tracks" in one]


def test_an_empty_items_page_does_not_hide_a_full_tracks_page() -> None:
    response = head([entry(song())], "both") | {"items": {"items": [], "total": 0}}
    page = decode_page(body(response))
    assert page is not None
    assert (len(page.entries), page.total) == (1, 1)
