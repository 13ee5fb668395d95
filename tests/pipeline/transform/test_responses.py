"""Kept responses of a playlist: numbers written as floats, and pages with missing or repeated entries."""

import re
from typing import Any, NamedTuple

import pytest

from pipeline.errors import AccountingError, Code, PlaylistUnavailable
from pipeline.transform.responses import snapshot_rows
from pipeline.transform.tables import build_tables
from tests.builders import DAY, RUN, Json, body, entry, head, only, page, rows, snapshot, song


def _songs(*places: int) -> list[Json]:
    return [entry(song(f"song-{place}")) for place in places]


def _floats(response: Json) -> bytes:
    """The response with each whole number written as a float."""
    return re.sub(rb": (\d+)(?=[,}])", rb": \1.0", body(response))


def test_floats_in_all_responses_are_whole_numbers() -> None:
    responses = [_floats(head(_songs(1), total=2)), _floats(page(_songs(2), 2))]
    decoded = snapshot_rows(snapshot(responses, 2))
    tables = build_tables([decoded], DAY, RUN)
    assert (
        rows(tables, "songs", "duration_ms", "popularity", "disc_number", "track_number")
        == [(180_000, 30, 1, 2)] * 2
    )
    assert only(tables, "albums")["total_tracks"] == 12
    assert only(tables, "playlists")["follower_count"] == 7
    assert not decoded.nulled


def test_floats_only_on_a_later_page_lose_no_entries() -> None:
    responses = [head(_songs(1, 2), total=4), _floats(page(_songs(3, 4), 4))]
    tables = build_tables([snapshot_rows(snapshot(responses, 4))], DAY, RUN)
    assert rows(tables, "playlist_songs", "position") == [1, 2, 3, 4]
    assert tables["rejects"].is_empty()


class Pages(NamedTuple):
    """Responses that are not a complete playlist of eight entries, and the expected message."""

    responses: list[Json]
    problem: str


def _limited(response: Json, limit: int) -> Json:
    """First page with this limit in the response."""
    return response | {"items": response["items"] | {"limit": limit}}


def _without_limit(response: Json) -> Json:
    return {key: value for key, value in response.items() if key != "limit"}


FIRST = head(_songs(1, 2, 3), total=8)
INCOMPLETE = {
    "an entry left out, and another twice": Pages(
        [FIRST, page(_songs(4, 6), 8, 3) | {"limit": 3}, page(_songs(6, 7, 8), 8, 5)],
        "only 2 of 3 entries were received after entry 3",
    ),
    "an entry left out on page one": Pages(
        [_limited(head(_songs(1, 3), total=8), 3), page(_songs(3, 4, 5, 6, 7, 8), 8, 2)],
        "only 2 of 3 entries were received after entry 0",
    ),
    "a page skipped": Pages([FIRST, page(_songs(5, 6, 7, 8), 8, 4)], "entries 4 to 4 were not received"),
    "a page repeated": Pages(
        [FIRST, page(_songs(3, 4), 8, 2), page(_songs(6, 7, 8), 8, 5)], "entry 3 was received twice"
    ),
    "an entry left out on a page that has no limit": Pages(
        [FIRST, _without_limit(page(_songs(4, 6), 8, 3)), page(_songs(6, 7, 8), 8, 5)],
        "only 2 of 50 entries were received after entry 3",
    ),
    "an entry twice on one page": Pages(
        [FIRST, page(_songs(4, 5, 5), 8, 3) | {"limit": 2}, page(_songs(7, 8), 8, 6)],
        "3 instead of 2 entries were received after entry 3",
    ),
    "another total later": Pages(
        [FIRST, page(_songs(4, 5, 6, 7, 8), 9, 3)], "counted 8 entries first and 9 later"
    ),
}


@pytest.mark.parametrize("case", INCOMPLETE.values(), ids=INCOMPLETE)
def test_responses_with_missing_or_repeated_entries_fail_their_playlist(case: Pages) -> None:
    with pytest.raises(PlaylistUnavailable, match=case.problem) as failure:
        snapshot_rows(snapshot(case.responses, 8))
    assert failure.value.code == Code.SNAPSHOT_INCOMPLETE


@pytest.mark.parametrize("count", [4, 6])
def test_a_count_other_than_the_total_publishes_nothing(count: int) -> None:
    responses: list[Any] = [head(_songs(*range(count)), total=5)]
    with pytest.raises(AccountingError, match="counted 5 entries"):
        snapshot_rows(snapshot(responses, 5))


SERVERS = {
    "lowers the limit": [FIRST, *(page(_songs(n), 8, n - 1) for n in range(4, 9))],
    "sends more than the limit on page one": [_limited(FIRST, 2), page(_songs(4, 5, 6, 7, 8), 8, 3)],
    "sends an empty page one": [_limited(head([], total=8), 100), page(_songs(1, 2, 3, 4, 5, 6, 7, 8), 8)],
    "leaves out the offset": [FIRST, {"items": _songs(4, 5, 6, 7, 8), "total": 8}],
}


@pytest.mark.parametrize("responses", SERVERS.values(), ids=SERVERS)
def test_other_page_sizes_are_accepted(responses: list[Json]) -> None:
    tables = build_tables([snapshot_rows(snapshot(responses, 8))], DAY, RUN)
    assert rows(tables, "playlist_songs", "position", "song_id") == [(n, f"song-{n}") for n in range(1, 9)]
