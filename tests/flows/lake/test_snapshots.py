"""Kept snapshots: written as they came, read back, found by playlist and date."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

import pytest
from msgspec import structs

from flows.errors import LakeConflict, PlaylistUnavailable
from flows.lake.answers import encode_answers
from flows.lake.layout import raw_key
from flows.lake.snapshots import (
    Envelope,
    Kept,
    by_date,
    find_snapshots,
    keep_snapshot,
    read_snapshot,
)
from flows.lake.store import Lake
from tests.builders import DAY, OTHER_PLAYLIST, PLAYLIST, RUN

ENVELOPE = Envelope(
    run_id=RUN,
    playlist_id=PLAYLIST,
    snapshot_id="AAAA/+8=",
    fetched_at=datetime(2026, 11, 21, 6, 0, 0, 123_456, tzinfo=UTC),
    api_shape="both",
    total=3,
    code_version="1.2.3",
)


def test_a_snapshot_is_json_lines_the_envelope_first() -> None:
    first, *bodies = gzip.decompress(encode_answers(ENVELOPE, [b'{"a":1}', b'{"b":2}'])).split(b"\n")
    assert json.loads(first) == {
        "run_id": RUN,
        "playlist_id": PLAYLIST,
        "snapshot_id": "AAAA/+8=",
        "fetched_at": "2026-11-21T06:00:00.123456Z",
        "api_shape": "both",
        "total": 3,
        "code_version": "1.2.3",
    }
    assert bodies == [b'{"a":1}', b'{"b":2}', b""]


def test_equal_answers_give_equal_bytes() -> None:
    assert encode_answers(ENVELOPE, [b"{}"]) == encode_answers(ENVELOPE, [b"{}"])


def test_what_is_kept_is_read_back(lake: Lake) -> None:
    kept = keep_snapshot(lake, ENVELOPE, [b'{"a":1}', b'{"b":2}'], DAY)
    assert kept == Kept(raw_key(PLAYLIST, DAY, RUN), PLAYLIST, DAY)
    read = read_snapshot(lake, kept.key)
    assert read.bodies == [b'{"a":1}', b'{"b":2}']
    assert (read.playlist_id, read.snapshot_id, read.total) == (PLAYLIST, "AAAA/+8=", 3)
    assert read.fetched_at == ENVELOPE.fetched_at


def test_it_is_kept_once_and_again_only_as_it_is(lake: Lake) -> None:
    kept = keep_snapshot(lake, ENVELOPE, [b"{}"], DAY)
    assert keep_snapshot(lake, ENVELOPE, [b"{}"], DAY) == kept
    with pytest.raises(LakeConflict, match=RUN):
        keep_snapshot(lake, ENVELOPE, [b"[]"], DAY)


@pytest.mark.parametrize(
    "pretty", [b'{\n  "a": "x y"\n}', b'{\r\n\t"a": "x y"\r\n}\r\n', b'\n\n{"a":\r"x y"}\n'], ids=repr
)
def test_line_breaks_of_the_layout_do_not_end_a_line(lake: Lake, pretty: bytes) -> None:
    kept = keep_snapshot(lake, ENVELOPE, [pretty, b'{"b":"\\n"}'], DAY)
    assert [json.loads(body) for body in read_snapshot(lake, kept.key).bodies] == [{"a": "x y"}, {"b": "\n"}]


def test_only_line_breaks_end_a_line(lake: Lake) -> None:
    exotic = '{"a":"\u2028 \u2029 \x85"}'.encode()
    kept = keep_snapshot(lake, ENVELOPE, [exotic], DAY)
    assert read_snapshot(lake, kept.key).bodies == [exotic]


WHOLE = encode_answers(ENVELOPE, [b'{"a":1}', b'{"b":2}'])
NO_SNAPSHOTS = {
    "empty": b"",
    "not compressed": b"{}\n{}\n",
    "cut": WHOLE[:-9],
    "cut early": WHOLE[:15],
    "damaged": WHOLE[:20] + b"\xff\xff\xff\xff" + WHOLE[24:],
    "wrong checksum": WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:],
    "nothing in it": gzip.compress(b""),
    "no envelope": gzip.compress(b'{"items":[]}\n{}\n'),
    "no JSON": gzip.compress(b"hello\n{}\n"),
    "an envelope alone": encode_answers(ENVELOPE, []),
}


@pytest.mark.parametrize("content", NO_SNAPSHOTS.values(), ids=NO_SNAPSHOTS)
def test_a_file_that_is_no_snapshot_is_named(lake: Lake, content: bytes) -> None:
    lake.write("raw/odd.json.gz", content, "application/gzip")
    with pytest.raises(PlaylistUnavailable, match=r"s3://the-lake/raw/odd\.json\.gz is no kept snapshot"):
        read_snapshot(lake, "raw/odd.json.gz")


EARLY, LATE = "20261121T060000Z-ffffffff", "20261121T060001Z-00000000"
DAYS = [date(2026, 11, day) for day in (19, 20, 21)]
FOREIGN = [
    "raw/playlist_id=short/snapshot_date=2026-11-20/20261120T060000Z-0123abcd.json.gz",
    f"raw/playlist_id={PLAYLIST}/snapshot_date=2026-11-20/notes.txt",
    f"raw/playlist_id={PLAYLIST}/snapshot_date=2026-02-30/{RUN}.json.gz",
    f"raw/playlist_id={PLAYLIST}/",
    f"tables/songs/dt=2026-11-20/{RUN}.csv.gz",
]


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """Two playlists on three days, one of them kept twice each day, between files of others."""
    keys = [raw_key(PLAYLIST, day, run) for day in DAYS for run in (LATE, EARLY)]
    keys += [raw_key(OTHER_PLAYLIST, day, EARLY) for day in DAYS]
    for key in keys + FOREIGN:
        lake.write(key, b"-", "text/plain")
    return lake


def test_the_newest_of_each_playlist_and_date_is_found_by_date_then_playlist(filled: Lake) -> None:
    assert find_snapshots(filled, None, None, None) == [
        Kept(raw_key(playlist, day, run), playlist, day)
        for day in DAYS
        for playlist, run in ((PLAYLIST, LATE), (OTHER_PLAYLIST, EARLY))
    ]


def test_the_newest_is_the_latest_look_whatever_run_began_first(lake: Lake) -> None:
    looks = {EARLY: ENVELOPE.fetched_at, LATE: ENVELOPE.fetched_at - timedelta(minutes=3)}
    for run, fetched_at in looks.items():
        envelope = structs.replace(ENVELOPE, run_id=run, fetched_at=fetched_at)
        keep_snapshot(lake, envelope, [b"{}"], DAY)

    assert [kept.key for kept in find_snapshots(lake, None, None, None)] == [raw_key(PLAYLIST, DAY, EARLY)]


def test_a_broken_file_gives_way_to_another_snapshot_of_the_date(lake: Lake) -> None:
    keep_snapshot(lake, structs.replace(ENVELOPE, run_id=EARLY), [b"{}"], DAY)
    lake.write(raw_key(PLAYLIST, DAY, LATE), b"cut off", "application/gzip")

    assert [kept.key for kept in find_snapshots(lake, None, None, None)] == [raw_key(PLAYLIST, DAY, EARLY)]


def test_a_snapshot_that_has_gone_is_that_playlist_s_trouble(lake: Lake) -> None:
    key = raw_key(PLAYLIST, DAY, RUN)
    with pytest.raises(
        PlaylistUnavailable, match=rf"{key} is gone: put the file back, or leave its date out"
    ):
        read_snapshot(lake, key)


def test_another_playlist_s_file_is_refused(lake: Lake) -> None:
    key = raw_key(OTHER_PLAYLIST, DAY, RUN)
    lake.write(key, encode_answers(ENVELOPE, [b"{}"]), "application/gzip")
    with pytest.raises(PlaylistUnavailable, match=rf"holds playlist {PLAYLIST}: a copied file"):
        read_snapshot(lake, key)


class Range(NamedTuple):
    """Limits of a backfill, both included, and the days within."""

    start: date | None
    end: date | None
    days: list[date]


RANGES = [
    Range(None, None, DAYS),
    Range(DAYS[0], DAYS[2], DAYS),
    Range(DAYS[1], DAYS[1], DAYS[1:2]),
    Range(DAYS[1], None, DAYS[1:]),
    Range(None, DAYS[1], DAYS[:2]),
    Range(DAYS[2], DAYS[0], []),
    Range(date(2027, 1, 1), None, []),
]


@pytest.mark.parametrize("limits", RANGES, ids=lambda limits: f"{limits.start} to {limits.end}")
def test_the_limits_are_included(filled: Lake, limits: Range) -> None:
    found = find_snapshots(filled, [PLAYLIST], limits.start, limits.end)
    assert [(kept.playlist_id, kept.snapshot_date) for kept in found] == [
        (PLAYLIST, day) for day in limits.days
    ]


def test_only_the_playlists_asked_for_are_found(filled: Lake) -> None:
    assert {kept.playlist_id for kept in find_snapshots(filled, [OTHER_PLAYLIST], None, None)} == {
        OTHER_PLAYLIST
    }
    assert len(find_snapshots(filled, [OTHER_PLAYLIST, PLAYLIST], None, None)) == 6
    assert len(find_snapshots(filled, [PLAYLIST, PLAYLIST], None, None)) == 3
    assert find_snapshots(filled, ["cPlaylist0000000000003"], None, None) == []


def test_kept_snapshots_by_date_in_the_order_of_dates() -> None:
    one, two, three = (Kept(f"key {day}", PLAYLIST, day) for day in DAYS)
    other = Kept("other", OTHER_PLAYLIST, DAYS[1])
    assert list(by_date([three, other, one, two]).items()) == [
        (DAYS[0], [one]),
        (DAYS[1], [other, two]),
        (DAYS[2], [three]),
    ]
