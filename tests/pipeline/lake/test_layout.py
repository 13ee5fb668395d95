"""Where things lie: the keys that people and other programs rely on."""

from datetime import date

import pytest

from pipeline.lake.layout import parse_raw_key, raw_key, raw_prefix, receipt_key, table_key

PLAYLIST = "37i9dQZF1DXcBWIGoYBM5M"
RUN = "20261121T060000Z-0123abcd"
DAY = date(2026, 11, 21)
RAW = f"raw/playlist_id={PLAYLIST}/snapshot_date=2026-11-21/{RUN}.json.gz"


def test_the_keys() -> None:
    assert raw_key(PLAYLIST, DAY, RUN) == RAW
    assert table_key("song_artists", DAY, RUN) == f"tables/song_artists/dt=2026-11-21/{RUN}.csv.gz"
    assert receipt_key(DAY, RUN) == f"runs/dt=2026-11-21/{RUN}.json"


def test_years_have_four_digits() -> None:
    assert receipt_key(date(987, 1, 2), RUN) == f"runs/dt=0987-01-02/{RUN}.json"


def test_prefixes() -> None:
    assert raw_prefix() == "raw/"
    assert raw_prefix(PLAYLIST) == f"raw/playlist_id={PLAYLIST}/"
    assert raw_key(PLAYLIST, DAY, RUN).startswith(raw_prefix(PLAYLIST))


def test_a_key_says_what_it_was_made_of() -> None:
    assert parse_raw_key(RAW) == (PLAYLIST, DAY, RUN)


HOSTILE = {
    "nothing": "",
    "another prefix": RAW.replace("raw/", "tables/"),
    "a folder before it": f"old/{RAW}",
    "a folder within": RAW.replace("/snapshot", "/x/snapshot"),
    "a way up": RAW.replace(PLAYLIST, "../../../../etc/passwd"),
    "something after it": f"{RAW}.tmp",
    "a line break after it": f"{RAW}\n",
    "not compressed": RAW.removesuffix(".gz"),
    "upper case": RAW.upper(),
    "an id of 21": RAW.replace(PLAYLIST, PLAYLIST[1:]),
    "an id of 23": RAW.replace(PLAYLIST, f"{PLAYLIST}x"),
    "an id with base64's letters": RAW.replace(PLAYLIST, f"{PLAYLIST[1:]}="),
    "an id with letters of others": RAW.replace(PLAYLIST, f"{PLAYLIST[1:]}é"),
    "no such day": RAW.replace("2026-11-21", "2026-02-29"),
    "no such month": RAW.replace("2026-11-21", "2026-13-01"),
    "day zero": RAW.replace("2026-11-21", "0000-00-00"),
    "a day without hyphens": RAW.replace("2026-11-21", "20261121"),
    "digits of others": RAW.replace("2026-11-21", "\u0662026-11-21"),
    "no run id": RAW.replace(RUN, ""),
    "a run id without its end": RAW.replace(RUN, RUN[:16]),
    "a run id in upper case": RAW.replace(RUN, RUN.upper()),
    "a run id with digits of others": RAW.replace(RUN, f"\u0662{RUN[1:]}"),
}


@pytest.mark.parametrize("key", HOSTILE.values(), ids=HOSTILE)
def test_any_other_key_is_no_kept_snapshot(key: str) -> None:
    assert parse_raw_key(key) is None
