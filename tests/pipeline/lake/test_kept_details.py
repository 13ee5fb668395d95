"""Kept details of artists and albums: how long they are fresh, which apply to a date, unreadable files."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.errors import Code, ConfigurationError
from pipeline.lake.kept_details import FRESH, DetailsEnvelope, KeptDetails, write_details
from pipeline.lake.layout import details_key, parse_details_key
from pipeline.lake.store import Lake
from pipeline.transform.details import details_frame
from tests.builders import DAY, RUN, artist, body

ONE_DAY = timedelta(days=1)


def keep(lake: Lake, day: date, popularity: int, *ids: str, run: str = RUN) -> None:
    envelope = DetailsEnvelope(run, "artists", datetime.now(UTC), list(ids), "1.2.3")
    write_details(
        lake, envelope, [body({"artists": [artist(one, popularity=popularity) for one in ids]})], day
    )


def popularity(lake: Lake, first: date, last: date) -> dict[str, int]:
    known = KeptDetails(lake).known(first, last).get("artists", details_frame("artists", []))
    return dict(known.select("artist_id", "popularity").iter_rows())


@pytest.mark.parametrize(("age", "fresh"), [(0, True), (7, True), (8, False), (-1, False)])
def test_details_are_fresh_for_seven_days(lake: Lake, age: int, fresh: bool) -> None:
    assert FRESH.days == 7
    keep(lake, DAY - age * ONE_DAY, 1, "a", "b")
    assert KeptDetails(lake).fresh_ids("artists", DAY) == ({"a", "b"} if fresh else set())
    assert KeptDetails(lake).fresh_ids("albums", DAY) == set()


def test_details_that_expire_at_midnight_still_apply_to_the_next_date(lake: Lake) -> None:
    keep(lake, DAY - FRESH, 1, "a")
    assert popularity(lake, DAY + ONE_DAY, DAY + ONE_DAY) == {"a": 1}
    assert popularity(lake, DAY + 2 * ONE_DAY, DAY + 2 * ONE_DAY) == {}


def test_the_newest_details_up_to_the_date_win(lake: Lake) -> None:
    keep(lake, DAY - 2 * ONE_DAY, 1, "a", "b")
    keep(lake, DAY, 2, "a")
    keep(lake, DAY + ONE_DAY, 3, "a", "b")
    assert popularity(lake, DAY, DAY) == {"a": 2, "b": 1}
    assert popularity(lake, DAY, DAY + ONE_DAY) == {"a": 3, "b": 3}


def test_unreadable_ids_are_not_fresh_until_the_code_can_read_them(lake: Lake) -> None:
    envelope = DetailsEnvelope(RUN, "artists", datetime.now(UTC), ["a"], "1.2.3", unreadable=["b", "c"])
    bodies = [body({"artists": [artist("a", popularity=1), artist("b", popularity=2.0), {"id": 5}]})]
    write_details(lake, envelope, bodies, DAY)
    assert KeptDetails(lake).fresh_ids("artists", DAY) == {"a", "b"}
    assert popularity(lake, DAY, DAY) == {"a": 1, "b": 2}


def test_an_object_that_was_not_requested_is_ignored(lake: Lake) -> None:
    envelope = DetailsEnvelope(RUN, "artists", datetime.now(UTC), ["a"], "1.2.3")
    write_details(lake, envelope, [body({"artists": [artist("a"), artist("other")]})], DAY)
    assert KeptDetails(lake).known_ids("artists", DAY) == KeptDetails(lake).fresh_ids("artists", DAY) == {"a"}


def test_a_file_that_is_not_kept_details_is_skipped_with_a_warning(
    lake: Lake, caplog: pytest.LogCaptureFixture
) -> None:
    key = details_key("artists", DAY, RUN)
    lake.write(key, b"no gzip", "application/gzip")
    lake.write("details/readme.txt", b"mine", "text/plain")
    assert KeptDetails(lake).fresh_ids("artists", DAY) == set()
    assert popularity(lake, DAY, DAY) == {}
    assert f"{key} is left out, because it cannot be read as kept details" in caplog.text


@pytest.mark.parametrize("code", [Code.LAKE_DENIED, Code.LAKE_KEY_MISSING, Code.LAKE_BUCKET])
def test_a_file_that_cannot_be_read_is_skipped_with_a_warning(
    lake: Lake, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, code: Code
) -> None:
    keep(lake, DAY, 1, "a")
    keep(lake, DAY - ONE_DAY, 2, "b")
    read = Lake.read

    def refuse(self: Lake, key: str) -> bytes:
        if str(DAY) in key:
            raise ConfigurationError("no", code)
        return read(self, key)

    monkeypatch.setattr(Lake, "read", refuse)
    if code == Code.LAKE_BUCKET:  # concerns every file
        with pytest.raises(ConfigurationError):
            popularity(lake, DAY, DAY)
        return
    assert popularity(lake, DAY, DAY) == {"b": 2}
    assert details_key("artists", DAY, RUN) in caplog.text


def test_each_file_is_read_once(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(lake, DAY, 1, "a")
    read: list[str] = []
    original = Lake.read

    def recorded(self: Lake, key: str) -> bytes:
        read.append(key)
        return original(self, key)

    monkeypatch.setattr(Lake, "read", recorded)
    kept = KeptDetails(lake)
    for _ in range(3):
        assert kept.fresh_ids("artists", DAY) == {"a"}
    assert read == [details_key("artists", DAY, RUN)]


def test_details_of_earlier_dates_are_released_from_memory(
    lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    days = [DAY - age * ONE_DAY for age in range(30, -1, -1)]
    for day in days:
        keep(lake, day, 1, "a")
    read = Counter[str]()
    original = Lake.read

    def recorded(self: Lake, key: str) -> bytes:
        read[key] += 1
        return original(self, key)

    monkeypatch.setattr(Lake, "read", recorded)
    kept = KeptDetails(lake)
    for day in days:
        assert kept.known(day, day)["artists"].height == 1
    assert set(read.values()) == {1}
    kept.known(days[0], days[0])
    assert read[details_key("artists", days[0], RUN)] == 2


@pytest.mark.parametrize(
    "key",
    [
        "details/kind=artists/dt=2026-02-30/x",
        details_key("artists", DAY, "run"),
        f"x{details_key('a', DAY, RUN)}",
    ],
)
def test_other_keys_are_not_parsed_as_details(key: str) -> None:
    assert parse_details_key(key) is None
    assert parse_details_key(details_key("artists", DAY, RUN)) == ("artists", DAY)
