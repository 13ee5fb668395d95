"""Kept snapshots: written unchanged, read back, ranked, and found by playlist and date."""

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
from tests.pipeline.lake.conftest import GZIP_MTIME

ENVELOPE = Envelope(
    run_id=RUN,
    playlist_id=PLAYLIST,
    snapshot_id="AAAA/+8=",
    fetched_at=datetime(2026, 11, 21, 6, 0, 0, 123_456, tzinfo=UTC),
    api_shape="both",
    total=3,
    code_version="1.2.3",
)


def test_a_raw_file_is_json_lines_starting_with_the_envelope() -> None:
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


def test_equal_responses_are_encoded_to_equal_bytes() -> None:
    encoded = encode_raw_file(ENVELOPE, [b"{}"])
    assert encoded == encode_raw_file(ENVELOPE, [b"{}"])
    assert encoded[GZIP_MTIME] == bytes(4)


def test_a_kept_snapshot_is_read_back(lake: Lake) -> None:
    kept = keep_snapshot(lake, RawFile.of(ENVELOPE, [b'{"a":1}', b'{"b":2}']), DAY)
    assert kept == Kept(raw_key(PLAYLIST, DAY, RUN), PLAYLIST, DAY)
    read = read_snapshot(lake, kept.key)
    assert list(read.bodies) == [b'{"a":1}', b'{"b":2}']
    assert read.envelope == ENVELOPE


def test_a_snapshot_is_kept_once_and_a_repeat_with_other_bytes_is_a_conflict(lake: Lake) -> None:
    kept = keep_snapshot(lake, RawFile.of(ENVELOPE, [b"{}"]), DAY)
    assert keep_snapshot(lake, RawFile.of(ENVELOPE, [b"{}"]), DAY) == kept
    with pytest.raises(LakeConflict, match=RUN):
        keep_snapshot(lake, RawFile.of(ENVELOPE, [b"[]"]), DAY)


@pytest.mark.parametrize(
    "pretty", [b'{\n  "a": "x y"\n}', b'{\r\n\t"a": "x y"\r\n}\r\n', b'\n\n{"a":\r"x y"}\n'], ids=repr
)
def test_line_breaks_between_json_tokens_are_removed(lake: Lake, pretty: bytes) -> None:
    kept = keep_snapshot(lake, RawFile.of(ENVELOPE, [pretty, b'{"b":"\\n"}']), DAY)
    assert [json.loads(body) for body in read_snapshot(lake, kept.key).bodies] == [{"a": "x y"}, {"b": "\n"}]


def test_other_unicode_line_breaks_do_not_end_a_line(lake: Lake) -> None:
    body = '{"a":"\u2028 \u2029 \x85"}'.encode()
    kept = keep_snapshot(lake, RawFile.of(ENVELOPE, [body]), DAY)
    assert list(read_snapshot(lake, kept.key).bodies) == [body]


WHOLE = encode_raw_file(ENVELOPE, [b'{"a":1}', b'{"b":2}'])
INVALID_FILES = {
    "empty": b"",
    "not compressed": b"{}\n{}\n",
    "truncated": WHOLE[:-9],
    "truncated in the header": WHOLE[:15],
    "damaged": WHOLE[:20] + b"\xff\xff\xff\xff" + WHOLE[24:],
    "wrong checksum": WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:],
    "empty after decompression": gzip.compress(b""),
    "no envelope": gzip.compress(b'{"items":[]}\n{}\n'),
    "not JSON": gzip.compress(b"hello\n{}\n"),
    "an envelope alone": encode_raw_file(ENVELOPE, []),
}


@pytest.mark.parametrize("content", INVALID_FILES.values(), ids=INVALID_FILES)
def test_an_invalid_file_is_refused_and_named(lake: Lake, content: bytes) -> None:
    lake.write("raw/odd.json.gz", content, "application/gzip")
    with pytest.raises(PlaylistUnavailable, match=r"s3://the-lake/raw/odd\.json\.gz is not a kept snapshot"):
        read_to_end(read_snapshot(lake, "raw/odd.json.gz").bodies)


EARLY_RUN, LATE_RUN = "20261121T060000Z-ffffffff", "20261121T060001Z-00000000"
DAYS = [date(2026, 11, day) for day in (19, 20, 21)]
UNRELATED = [
    "raw/playlist_id=short/snapshot_date=2026-11-20/20261120T060000Z-0123abcd.json.gz",
    f"raw/playlist_id={PLAYLIST}/snapshot_date=2026-11-20/notes.txt",
    f"raw/playlist_id={PLAYLIST}/snapshot_date=2026-02-30/{RUN}.json.gz",
    f"raw/playlist_id={PLAYLIST}/",
    f"tables/songs/dt=2026-11-20/{RUN}.csv.gz",
]


@pytest.fixture
def filled(lake: Lake) -> Lake:
    """Snapshots of two playlists on three days, one playlist kept twice a day, and unrelated files."""
    keys = [raw_key(PLAYLIST, day, run) for day in DAYS for run in (LATE_RUN, EARLY_RUN)]
    keys += [raw_key(OTHER_PLAYLIST, day, EARLY_RUN) for day in DAYS]
    for key in keys + UNRELATED:
        lake.write(key, b"-", "text/plain")
    return lake


def test_the_newest_snapshots_are_listed_by_date_and_playlist(filled: Lake) -> None:
    assert find_snapshots(filled, None, None, None).kept == [
        Kept(raw_key(playlist, day, run), playlist, day)
        for day in DAYS
        for playlist, run in ((PLAYLIST, LATE_RUN), (OTHER_PLAYLIST, EARLY_RUN))
    ]


def test_the_newest_snapshot_is_decided_by_fetched_at_not_by_run_id(lake: Lake) -> None:
    fetched = {EARLY_RUN: ENVELOPE.fetched_at, LATE_RUN: ENVELOPE.fetched_at - timedelta(minutes=3)}
    for run, fetched_at in fetched.items():
        envelope = structs.replace(ENVELOPE, run_id=run, fetched_at=fetched_at)
        keep_snapshot(lake, RawFile.of(envelope, [b"{}"]), DAY)

    assert keys_found(lake) == [raw_key(PLAYLIST, DAY, EARLY_RUN)]


MIDNIGHT = datetime.combine(DAY, time(), UTC)
MILLISECOND = timedelta(milliseconds=1)
RANKED = [
    MIDNIGHT - timedelta(hours=1),
    MIDNIGHT + timedelta(days=1),
    MIDNIGHT + timedelta(days=1, hours=6),
    MIDNIGHT + timedelta(days=3),  # kept by an early release, which accepted any date
    MIDNIGHT,
    MIDNIGHT + timedelta(hours=6),
    MIDNIGHT + timedelta(hours=6) + MILLISECOND,
    MIDNIGHT + timedelta(days=1) - timedelta(microseconds=1),
]
"""`fetched_at` of snapshots of one date, from the lowest to the highest rank."""


def test_snapshots_fetched_on_their_date_outrank_others_and_then_the_latest_wins() -> None:
    ranks = [rank(DAY, moment) for moment in RANKED]
    assert all(lower < higher for lower, higher in pairwise(ranks))
    other_zone = timezone(timedelta(hours=-11))
    assert [rank(DAY, moment.astimezone(other_zone)) for moment in RANKED] == ranks
    assert rank(DAY, MIDNIGHT + timedelta(microseconds=999)) == rank(DAY, MIDNIGHT), (
        "the warehouse stores milliseconds"
    )


@pytest.mark.parametrize("best", range(1, len(RANKED) + 1))
def test_the_highest_ranked_snapshot_wins_whatever_its_run_id(lake: Lake, best: int) -> None:
    for number, fetched_at in enumerate(RANKED[:best]):
        write_snapshot(lake, f"20261121T060000Z-{best - number:08x}", fetched_at)

    assert keys_found(lake) == [raw_key(PLAYLIST, DAY, "20261121T060000Z-00000001")]


def test_of_equal_ranks_the_last_run_id_wins(lake: Lake) -> None:
    for run, microseconds in ((EARLY_RUN, 999), (LATE_RUN, 0)):
        write_snapshot(lake, run, MIDNIGHT + timedelta(microseconds=microseconds))
    assert keys_found(lake) == [raw_key(PLAYLIST, DAY, LATE_RUN)]


def test_fetched_before_excludes_later_snapshots_and_ranks_the_rest(lake: Lake) -> None:
    noon, late = MIDNIGHT + timedelta(hours=12), MIDNIGHT + timedelta(days=1)
    write_snapshot(lake, EARLY_RUN, noon)
    write_snapshot(lake, LATE_RUN, late)
    write_snapshot(lake, "20261122T000000Z-00000000", late - MILLISECOND)
    kept = Kept(raw_key(PLAYLIST, DAY, EARLY_RUN), PLAYLIST, DAY)

    assert find_snapshots(lake, None, None, None, late - MILLISECOND) == ([kept], [], [])
    assert find_snapshots(lake, None, None, None, noon + MILLISECOND) == ([kept], [], [])
    found, left_out, _ = find_snapshots(lake, None, None, None, noon)
    assert (found, [(one.playlist_id, one.snapshot_date) for one in left_out]) == ([], [(PLAYLIST, DAY)])


def test_an_unreadable_file_is_found_if_the_date_has_no_other(lake: Lake) -> None:
    lake.write(raw_key(PLAYLIST, DAY, LATE_RUN), b"truncated", "application/gzip")
    for limit in (None, MIDNIGHT):
        assert len(find_snapshots(lake, None, None, None, limit).kept) == 1


def keys_found(lake: Lake) -> list[str]:
    return [kept.key for kept in find_snapshots(lake, None, None, None).kept]


def write_snapshot(lake: Lake, run: str, fetched_at: datetime, day: date = DAY, **changes: Any) -> str:
    """Writes a snapshot file without any check; returns its key."""
    envelope = structs.replace(ENVELOPE, run_id=run, fetched_at=fetched_at, **changes)
    key = raw_key(PLAYLIST, day, run)
    lake.write(key, encode_raw_file(envelope, [b"{}"]), "application/gzip")
    return key


@pytest.mark.parametrize("days", [-2, -1, 0, 1])
def test_a_snapshot_is_kept_only_under_the_date_of_its_fetch_or_the_day_before(lake: Lake, days: int) -> None:
    day = DAY + timedelta(days=days)
    if days in (-1, 0):
        assert keep_snapshot(lake, RawFile.of(ENVELOPE, [b"{}"]), day).snapshot_date == day
        return
    with pytest.raises(PlaylistUnavailable, match=f"{PLAYLIST} was fetched on {DAY}") as refused:
        keep_snapshot(lake, RawFile.of(ENVELOPE, [b"{}"]), day)
    assert refused.value.code == Code.SNAPSHOT_DATE_REFUSED
    assert list(lake.keys("raw/")) == []


class Impossible(NamedTuple):
    """A kept file with an impossible value, and the expected message."""

    message: str
    fetched_at: datetime = ENVELOPE.fetched_at
    day: date = DAY
    changes: dict[str, Any] = {}  # noqa: RUF012 - never changed


EAST, WEST = timezone(timedelta(hours=14)), timezone(timedelta(hours=-12))
IMPOSSIBLE = {
    "no time zone": Impossible("timezone", datetime(2026, 11, 21, 6)),  # noqa: DTZ001
    "the smallest datetime": Impossible("before Spotify existed", datetime.min.replace(tzinfo=EAST)),
    "the largest datetime": Impossible("in the future", datetime.max.replace(tzinfo=WEST)),
    "too early": Impossible("before Spotify existed", datetime(2005, 12, 31, tzinfo=UTC)),
    "in 300 days": Impossible("in the future", datetime.now(UTC) + timedelta(days=300)),
    "no snapshot id": Impossible("matching regex", changes={"snapshot_id": ""}),
    "NUL in the snapshot id": Impossible("matching regex", changes={"snapshot_id": "AAAA\0"}),
    "a negative total": Impossible("Expected `int` >= 0", changes={"total": -1}),
    "an impossible total": Impossible("Expected `int` <= 100000", changes={"total": 10**15}),
    "the smallest date": Impossible("0001-01-01", day=date.min),
    "the largest date": Impossible("9999-12-31", day=date.max),
    "a future date": Impossible("in the future", day=datetime.now(UTC).date() + timedelta(days=300)),
}


@pytest.mark.parametrize("case", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_a_file_with_impossible_values_is_refused_and_another_snapshot_wins(
    lake: Lake, case: Impossible
) -> None:
    key = write_snapshot(lake, LATE_RUN, case.fetched_at, case.day, **case.changes)
    with pytest.raises(
        PlaylistUnavailable, match=rf"{key} is not a kept snapshot: .*{case.message}"
    ) as refused:
        read_snapshot(lake, key)
    assert refused.value.code == Code.LAKE_SNAPSHOT_INVALID
    if case.day == DAY:
        assert write_snapshot(lake, EARLY_RUN, MIDNIGHT) in keys_found(lake)


def test_a_fetched_at_up_to_a_minute_in_the_future_is_accepted(lake: Lake) -> None:
    now = datetime.now(UTC)
    assert read_snapshot(lake, write_snapshot(lake, EARLY_RUN, now + timedelta(seconds=50), now.date()))
    with pytest.raises(PlaylistUnavailable, match="in the future"):
        read_snapshot(lake, write_snapshot(lake, LATE_RUN, now + timedelta(seconds=120), now.date()))


def test_times_in_other_time_zones_are_converted_to_utc(lake: Lake) -> None:
    key = write_snapshot(lake, EARLY_RUN, ENVELOPE.fetched_at.astimezone(EAST))
    assert read_snapshot(lake, key).envelope.fetched_at.utcoffset() == timedelta()


def test_a_broken_file_loses_to_another_snapshot_of_the_date(lake: Lake) -> None:
    keep_snapshot(lake, RawFile.of(structs.replace(ENVELOPE, run_id=EARLY_RUN), [b"{}"]), DAY)
    lake.write(raw_key(PLAYLIST, DAY, LATE_RUN), b"truncated", "application/gzip")

    assert keys_found(lake) == [raw_key(PLAYLIST, DAY, EARLY_RUN)]


def test_a_missing_file_fails_only_its_playlist(lake: Lake) -> None:
    key = raw_key(PLAYLIST, DAY, RUN)
    with pytest.raises(
        PlaylistUnavailable, match=rf"{key} does not exist. Restore the file, or exclude its date"
    ):
        read_snapshot(lake, key)


def test_a_file_of_another_playlist_is_refused(lake: Lake) -> None:
    key = raw_key(OTHER_PLAYLIST, DAY, RUN)
    lake.write(key, encode_raw_file(ENVELOPE, [b"{}"]), "application/gzip")
    with pytest.raises(PlaylistUnavailable, match=rf"holds playlist {PLAYLIST}, so it is a copied file"):
        read_snapshot(lake, key)


class Range(NamedTuple):
    """Limits of a backfill, both inclusive, and the expected days."""

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
def test_the_limits_of_a_range_are_inclusive(filled: Lake, limits: Range) -> None:
    found = find_snapshots(filled, [PLAYLIST], limits.start, limits.end).kept
    assert [(kept.playlist_id, kept.snapshot_date) for kept in found] == [
        (PLAYLIST, day) for day in limits.days
    ]


def test_only_requested_playlists_are_found(filled: Lake) -> None:
    assert {kept.playlist_id for kept in find_snapshots(filled, [OTHER_PLAYLIST], None, None).kept} == {
        OTHER_PLAYLIST
    }
    assert len(find_snapshots(filled, [OTHER_PLAYLIST, PLAYLIST], None, None).kept) == 6
    assert len(find_snapshots(filled, [PLAYLIST, PLAYLIST], None, None).kept) == 3
    assert find_snapshots(filled, ["cPlaylist0000000000003"], None, None) == ([], [], [])


def test_snapshots_are_grouped_by_date_in_order() -> None:
    one, two, three = (Kept(f"key {day}", PLAYLIST, day) for day in DAYS)
    other = Kept("other", OTHER_PLAYLIST, DAYS[1])
    assert list(by_date([three, other, one, two]).items()) == [
        (DAYS[0], [one]),
        (DAYS[1], [other, two]),
        (DAYS[2], [three]),
    ]
