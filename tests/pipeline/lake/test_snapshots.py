"""Kept snapshots: written as they came, read back, found by playlist and date."""

import gzip
import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from itertools import pairwise
from typing import Any, NamedTuple

import pytest
from msgspec import structs

from pipeline.errors import Code, LakeConflict, PlaylistUnavailable
from pipeline.lake.layout import raw_key
from pipeline.lake.raw_files import RawFile, encode_raw_file
from pipeline.lake.snapshot_files import keep_snapshot, read_snapshot, read_to_end
from pipeline.lake.snapshots import by_date, find_snapshots, rank
from pipeline.lake.store import Lake
from pipeline.records import Envelope, Kept
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
    first, *bodies = gzip.decompress(encode_raw_file(ENVELOPE, [b'{"a":1}', b'{"b":2}'])).split(b"\n")
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
    assert encode_raw_file(ENVELOPE, [b"{}"]) == encode_raw_file(ENVELOPE, [b"{}"])


def test_what_is_kept_is_read_back(lake: Lake) -> None:
    kept = keep_snapshot(lake, RawFile.of(ENVELOPE, [b'{"a":1}', b'{"b":2}']), DAY)
    assert kept == Kept(raw_key(PLAYLIST, DAY, RUN), PLAYLIST, DAY)
    read = read_snapshot(lake, kept.key)
    assert list(read.bodies) == [b'{"a":1}', b'{"b":2}']
    assert read.envelope == ENVELOPE


def test_it_is_kept_once_and_again_only_as_it_is(lake: Lake) -> None:
    kept = keep_snapshot(lake, RawFile.of(ENVELOPE, [b"{}"]), DAY)
    assert keep_snapshot(lake, RawFile.of(ENVELOPE, [b"{}"]), DAY) == kept
    with pytest.raises(LakeConflict, match=RUN):
        keep_snapshot(lake, RawFile.of(ENVELOPE, [b"[]"]), DAY)


@pytest.mark.parametrize(
    "pretty", [b'{\n  "a": "x y"\n}', b'{\r\n\t"a": "x y"\r\n}\r\n', b'\n\n{"a":\r"x y"}\n'], ids=repr
)
def test_line_breaks_of_the_layout_do_not_end_a_line(lake: Lake, pretty: bytes) -> None:
    kept = keep_snapshot(lake, RawFile.of(ENVELOPE, [pretty, b'{"b":"\\n"}']), DAY)
    assert [json.loads(body) for body in read_snapshot(lake, kept.key).bodies] == [{"a": "x y"}, {"b": "\n"}]


def test_only_line_breaks_end_a_line(lake: Lake) -> None:
    exotic = '{"a":"\u2028 \u2029 \x85"}'.encode()
    kept = keep_snapshot(lake, RawFile.of(ENVELOPE, [exotic]), DAY)
    assert list(read_snapshot(lake, kept.key).bodies) == [exotic]


WHOLE = encode_raw_file(ENVELOPE, [b'{"a":1}', b'{"b":2}'])
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
    "an envelope alone": encode_raw_file(ENVELOPE, []),
}


@pytest.mark.parametrize("content", NO_SNAPSHOTS.values(), ids=NO_SNAPSHOTS)
def test_a_file_that_is_no_snapshot_is_named(lake: Lake, content: bytes) -> None:
    lake.write("raw/odd.json.gz", content, "application/gzip")
    with pytest.raises(PlaylistUnavailable, match=r"s3://the-lake/raw/odd\.json\.gz is not a kept snapshot"):
        read_to_end(read_snapshot(lake, "raw/odd.json.gz").bodies)


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
    assert find_snapshots(filled, None, None, None).kept == [
        Kept(raw_key(playlist, day, run), playlist, day)
        for day in DAYS
        for playlist, run in ((PLAYLIST, LATE), (OTHER_PLAYLIST, EARLY))
    ]


def test_the_newest_is_the_latest_look_whatever_run_began_first(lake: Lake) -> None:
    looks = {EARLY: ENVELOPE.fetched_at, LATE: ENVELOPE.fetched_at - timedelta(minutes=3)}
    for run, fetched_at in looks.items():
        envelope = structs.replace(ENVELOPE, run_id=run, fetched_at=fetched_at)
        keep_snapshot(lake, RawFile.of(envelope, [b"{}"]), DAY)

    assert keys_found(lake) == [raw_key(PLAYLIST, DAY, EARLY)]


MIDNIGHT = datetime.combine(DAY, time(), UTC)
MILLISECOND = timedelta(milliseconds=1)
RANKED = [
    MIDNIGHT - timedelta(hours=1),
    MIDNIGHT + timedelta(days=1),
    MIDNIGHT + timedelta(days=1, hours=6),
    MIDNIGHT + timedelta(days=3),  # kept by a release that took any date
    MIDNIGHT,
    MIDNIGHT + timedelta(hours=6),
    MIDNIGHT + timedelta(hours=6) + MILLISECOND,
    MIDNIGHT + timedelta(days=1) - timedelta(microseconds=1),
]
"""When snapshots of one date were fetched, from the lowest to the highest rank."""


def test_fetched_on_the_date_outranks_fetched_on_another_and_then_later_wins() -> None:
    ranks = [rank(DAY, moment) for moment in RANKED]
    assert all(lower < higher for lower, higher in pairwise(ranks))
    elsewhere = timezone(timedelta(hours=-11))
    assert [rank(DAY, moment.astimezone(elsewhere)) for moment in RANKED] == ranks
    assert rank(DAY, MIDNIGHT + timedelta(microseconds=999)) == rank(DAY, MIDNIGHT), (
        "as the warehouse stores it"
    )


@pytest.mark.parametrize("best", range(1, len(RANKED) + 1))
def test_the_winner_is_the_highest_ranked_whatever_run_began_first(lake: Lake, best: int) -> None:
    for number, fetched_at in enumerate(RANKED[:best]):
        keep_anything(lake, f"20261121T060000Z-{best - number:08x}", fetched_at)

    assert keys_found(lake) == [raw_key(PLAYLIST, DAY, "20261121T060000Z-00000001")]


def test_of_equal_ones_the_last_run_wins(lake: Lake) -> None:
    for run, microseconds in ((EARLY, 999), (LATE, 0)):
        keep_anything(lake, run, MIDNIGHT + timedelta(microseconds=microseconds))
    assert keys_found(lake) == [raw_key(PLAYLIST, DAY, LATE)]


def test_fetched_before_leaves_later_ones_out_and_the_rest_are_ranked(lake: Lake) -> None:
    noon, late = MIDNIGHT + timedelta(hours=12), MIDNIGHT + timedelta(days=1)
    keep_anything(lake, EARLY, noon)
    keep_anything(lake, LATE, late)
    keep_anything(lake, "20261122T000000Z-00000000", late - MILLISECOND)
    kept = Kept(raw_key(PLAYLIST, DAY, EARLY), PLAYLIST, DAY)

    assert find_snapshots(lake, None, None, None, late - MILLISECOND) == ([kept], [], [])
    assert find_snapshots(lake, None, None, None, noon + MILLISECOND) == ([kept], [], [])
    nothing, left_out, _ = find_snapshots(lake, None, None, None, noon)
    assert (nothing, [(one.playlist_id, one.snapshot_date) for one in left_out]) == ([], [(PLAYLIST, DAY)])


def test_a_single_file_that_cannot_be_read_is_found_so_that_reading_names_it(lake: Lake) -> None:
    lake.write(raw_key(PLAYLIST, DAY, LATE), b"cut off", "application/gzip")
    for limit in (None, MIDNIGHT):
        assert len(find_snapshots(lake, None, None, None, limit).kept) == 1


def keys_found(lake: Lake) -> list[str]:
    return [kept.key for kept in find_snapshots(lake, None, None, None).kept]


def keep_anything(lake: Lake, run: str, fetched_at: datetime, day: date = DAY, **changes: Any) -> str:
    """Writes a kept snapshot as any release, clock or hand may have left it; returns its key."""
    envelope = structs.replace(ENVELOPE, run_id=run, fetched_at=fetched_at, **changes)
    key = raw_key(PLAYLIST, day, run)
    lake.write(key, encode_raw_file(envelope, [b"{}"]), "application/gzip")
    return key


@pytest.mark.parametrize("days", [-2, -1, 0, 1])
def test_what_was_fetched_days_after_the_date_is_not_kept_under_it(lake: Lake, days: int) -> None:
    day = DAY + timedelta(days=days)
    if days in (-1, 0):
        assert keep_snapshot(lake, RawFile.of(ENVELOPE, [b"{}"]), day).snapshot_date == day
        return
    with pytest.raises(PlaylistUnavailable, match=f"{PLAYLIST} was fetched on {DAY}") as refused:
        keep_snapshot(lake, RawFile.of(ENVELOPE, [b"{}"]), day)
    assert refused.value.code == Code.SNAPSHOT_DATE_REFUSED
    assert list(lake.keys("raw/")) == []


class Poison(NamedTuple):
    """What is wrong with a kept file, and how the message names it."""

    says: str
    fetched_at: datetime = ENVELOPE.fetched_at
    day: date = DAY
    changes: dict[str, Any] = {}  # noqa: RUF012 - never changed


EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
POISON = {
    "no time zone": Poison("timezone", datetime(2026, 11, 21, 6)),  # noqa: DTZ001
    "the first moment": Poison("before Spotify existed", datetime.min.replace(tzinfo=EAST)),
    "the last moment": Poison("in the future", datetime.max.replace(tzinfo=WEST)),
    "too early": Poison("before Spotify existed", datetime(2005, 12, 31, tzinfo=UTC)),
    "in two minutes": Poison("in the future", datetime.now(UTC) + timedelta(days=300)),
    "no snapshot id": Poison("matching regex", changes={"snapshot_id": ""}),
    "NUL in the snapshot id": Poison("matching regex", changes={"snapshot_id": "AAAA\0"}),
    "a negative total": Poison("Expected `int` >= 0", changes={"total": -1}),
    "an impossible total": Poison("Expected `int` <= 100000", changes={"total": 10**15}),
    "the first day": Poison("0001-01-01", day=date.min),
    "the last day": Poison("9999-12-31", day=date.max),
    "a day to come": Poison("in the future", day=datetime.now(UTC).date() + timedelta(days=300)),
}


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON)
def test_impossible_times_are_named_and_give_way(lake: Lake, poison: Poison) -> None:
    key = keep_anything(lake, LATE, poison.fetched_at, poison.day, **poison.changes)
    with pytest.raises(
        PlaylistUnavailable, match=rf"{key} is not a kept snapshot: .*{poison.says}"
    ) as refused:
        read_snapshot(lake, key)
    assert refused.value.code == Code.LAKE_SNAPSHOT_INVALID
    if poison.day == DAY:
        assert keep_anything(lake, EARLY, MIDNIGHT) in keys_found(lake)


def test_clocks_may_differ_by_a_minute(lake: Lake) -> None:
    now = datetime.now(UTC)
    assert read_snapshot(lake, keep_anything(lake, EARLY, now + timedelta(seconds=50), now.date()))
    with pytest.raises(PlaylistUnavailable, match="in the future"):
        read_snapshot(lake, keep_anything(lake, LATE, now + timedelta(seconds=120), now.date()))


def test_other_time_zones_are_read_as_utc(lake: Lake) -> None:
    key = keep_anything(lake, EARLY, ENVELOPE.fetched_at.astimezone(EAST))
    assert read_snapshot(lake, key).envelope.fetched_at.utcoffset() == timedelta()


def test_a_broken_file_gives_way_to_another_snapshot_of_the_date(lake: Lake) -> None:
    keep_snapshot(lake, RawFile.of(structs.replace(ENVELOPE, run_id=EARLY), [b"{}"]), DAY)
    lake.write(raw_key(PLAYLIST, DAY, LATE), b"cut off", "application/gzip")

    assert keys_found(lake) == [raw_key(PLAYLIST, DAY, EARLY)]


def test_a_snapshot_that_has_gone_is_that_playlist_s_trouble(lake: Lake) -> None:
    key = raw_key(PLAYLIST, DAY, RUN)
    with pytest.raises(
        PlaylistUnavailable, match=rf"{key} does not exist. Restore the file, or exclude its date"
    ):
        read_snapshot(lake, key)


def test_another_playlist_s_file_is_refused(lake: Lake) -> None:
    key = raw_key(OTHER_PLAYLIST, DAY, RUN)
    lake.write(key, encode_raw_file(ENVELOPE, [b"{}"]), "application/gzip")
    with pytest.raises(PlaylistUnavailable, match=rf"holds playlist {PLAYLIST}, so it is a copied file"):
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
    found = find_snapshots(filled, [PLAYLIST], limits.start, limits.end).kept
    assert [(kept.playlist_id, kept.snapshot_date) for kept in found] == [
        (PLAYLIST, day) for day in limits.days
    ]


def test_only_the_playlists_asked_for_are_found(filled: Lake) -> None:
    assert {kept.playlist_id for kept in find_snapshots(filled, [OTHER_PLAYLIST], None, None).kept} == {
        OTHER_PLAYLIST
    }
    assert len(find_snapshots(filled, [OTHER_PLAYLIST, PLAYLIST], None, None).kept) == 6
    assert len(find_snapshots(filled, [PLAYLIST, PLAYLIST], None, None).kept) == 3
    assert find_snapshots(filled, ["cPlaylist0000000000003"], None, None) == ([], [], [])


def test_kept_snapshots_by_date_in_the_order_of_dates() -> None:
    one, two, three = (Kept(f"key {day}", PLAYLIST, day) for day in DAYS)
    other = Kept("other", OTHER_PLAYLIST, DAYS[1])
    assert list(by_date([three, other, one, two]).items()) == [
        (DAYS[0], [one]),
        (DAYS[1], [other, two]),
        (DAYS[2], [three]),
    ]
