"""Keys of the lake layout, and parsing of raw keys."""

from datetime import date

import pytest

from pipeline.lake.layout import parse_raw_key, raw_key, raw_prefix, receipt_key, table_key

PLAYLIST = "37i9dQZF1DXcBWIGoYBM5M"
RUN = "20261121T060000Z-0123abcd"
DAY = date(2026, 11, 21)
RAW = f"raw/playlist_id={PLAYLIST}/snapshot_date=2026-11-21/{RUN}.json.gz"


def test_keys_of_the_layout() -> None:
    assert raw_key(PLAYLIST, DAY, RUN) == RAW
    assert table_key("song_artists", DAY, RUN) == f"tables/song_artists/dt=2026-11-21/{RUN}.csv.gz"
    assert receipt_key(DAY, RUN) == f"runs/dt=2026-11-21/{RUN}.json"


def test_years_have_four_digits() -> None:
    assert receipt_key(date(987, 1, 2), RUN) == f"runs/dt=0987-01-02/{RUN}.json"


def test_raw_prefixes() -> None:
    assert raw_prefix() == "raw/"
    assert raw_prefix(PLAYLIST) == f"raw/playlist_id={PLAYLIST}/"
    assert raw_key(PLAYLIST, DAY, RUN).startswith(raw_prefix(PLAYLIST))


def test_a_raw_key_is_parsed_into_its_parts() -> None:
    assert parse_raw_key(RAW) == (PLAYLIST, DAY, RUN)


OTHER_KEYS = {
    "empty": "",
    "another prefix": RAW.replace("raw/", "tables/"),
    "a leading folder": f"old/{RAW}",
    "a folder within": RAW.replace("/snapshot", "/x/snapshot"),
    "a path with ..": RAW.replace(PLAYLIST, "../../../../etc/passwd"),
    "a suffix": f"{RAW}.tmp",
    "a trailing line break": f"{RAW}\n",
    "not compressed": RAW.removesuffix(".gz"),
    "upper case": RAW.upper(),
    "an id of 21": RAW.replace(PLAYLIST, PLAYLIST[1:]),
    "an id of 23": RAW.replace(PLAYLIST, f"{PLAYLIST}x"),
    "an id with a base64 character": RAW.replace(PLAYLIST, f"{PLAYLIST[1:]}="),
    "an id with a non-ASCII letter": RAW.replace(PLAYLIST, f"{PLAYLIST[1:]}é"),
    "no such day": RAW.replace("2026-11-21", "2026-02-29"),
    "no such month": RAW.replace("2026-11-21", "2026-13-01"),
    "day zero": RAW.replace("2026-11-21", "0000-00-00"),
    "a day without hyphens": RAW.replace("2026-11-21", "20261121"),
    "non-ASCII digits": RAW.replace("2026-11-21", "\u0662026-11-21"),
    "no run id": RAW.replace(RUN, ""),
    "a truncated run id": RAW.replace(RUN, RUN[:16]),
    "a run id in upper case": RAW.replace(RUN, RUN.upper()),
    "a run id with a non-ASCII digit": RAW.replace(RUN, f"\u0662{RUN[1:]}"),
}


@pytest.mark.parametrize("key", OTHER_KEYS.values(), ids=OTHER_KEYS)
def test_any_other_key_is_not_parsed_as_a_snapshot(key: str) -> None:
    assert parse_raw_key(key) is None
