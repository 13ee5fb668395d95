"""The synthetic playlists: deterministic, different from day to day, and with every oddity."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

from sandbox.spotify.catalogue import (
    CHARTS,
    EMPTIED,
    EMPTY,
    FOREIGN,
    MIXTAPE,
    MIXTAPE_LENGTH,
    PLAYLISTS,
    playlist,
)
from sandbox.spotify.objects import ME, Json

DAYS = [date(2026, 10, 20) + timedelta(days=number) for number in range(31)]
FAR_DAYS = [date(1999, 12, 31), date(2024, 2, 29), date(2026, 11, 21), date(2040, 1, 1)]
ROOT = Path(__file__).parents[3]


def found(playlist_id: str, day: date) -> Json:
    content = playlist(playlist_id, day)
    assert content is not None
    return content


def songs(playlist_id: str, day: date) -> list[str]:
    return [entry["item"]["id"] for entry in found(playlist_id, day)["entries"]]


def test_every_playlist_has_a_valid_id() -> None:
    for playlist_id in PLAYLISTS:
        assert re.fullmatch("[0-9A-Za-z]{22}", playlist_id)
        assert found(playlist_id, DAYS[0])["id"] == playlist_id
    assert playlist("37i9dQZEVXbMDoHDwVN2tF", DAYS[0]) is None


def test_playlists_are_equal_in_another_process() -> None:
    code = (
        "import datetime, sys; from sandbox.spotify.catalogue import *;"
        "print(*(playlist(name, datetime.date(2026, 10, 20))['snapshot_id'] for name in PLAYLISTS))"
    )
    environment = {**os.environ, "PYTHONHASHSEED": "12345"}
    command = [sys.executable, "-c", code]
    out = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert out.stdout.split() == [found(name, DAYS[0])["snapshot_id"] for name in PLAYLISTS]


@pytest.mark.parametrize("playlist_id", PLAYLISTS)
def test_snapshot_ids_are_equal_if_and_only_if_the_content_is_equal(playlist_id: str) -> None:
    contents = [found(playlist_id, day) for day in DAYS]
    for content in contents:
        assert set("/+=") <= set(content["snapshot_id"])
        assert base64.b64decode(content["snapshot_id"], validate=True)
    bare = [{key: value for key, value in content.items() if key != "snapshot_id"} for content in contents]
    for first, one in enumerate(contents):
        for second, other in enumerate(contents):
            assert (one["snapshot_id"] == other["snapshot_id"]) == (bare[first] == bare[second])


def test_mixtape_changes_on_some_days() -> None:
    ids = [found(MIXTAPE, day)["snapshot_id"] for day in DAYS]
    assert 1 < len(set(ids)) < len(DAYS)


@pytest.mark.parametrize("chart", CHARTS)
def test_chart_has_fifty_different_songs(chart: str) -> None:
    for day in DAYS:
        assert len(songs(chart, day)) == len(set(songs(chart, day))) == 50


@pytest.mark.parametrize("chart", CHARTS)
def test_at_least_half_of_a_chart_stays_for_a_week(chart: str) -> None:
    for day, later in zip(DAYS, DAYS[7:], strict=False):
        assert 25 <= len(set(songs(chart, day)) & set(songs(chart, later))) < 50


@pytest.mark.parametrize("chart", CHARTS)
def test_songs_move_by_few_positions(chart: str) -> None:
    moves = [
        before.index(song) - after.index(song)
        for before, after in pairwise(songs(chart, day) for day in DAYS)
        for song in set(before) & set(after)
    ]
    assert min(moves) < -3
    assert max(moves) > 3
    assert sum(map(abs, moves)) / len(moves) < 4


@pytest.mark.parametrize("chart", CHARTS)
def test_some_song_re_enters_a_chart(chart: str) -> None:
    charts = [set(songs(chart, day)) for day in DAYS]
    re_entered = [
        song
        for song in set.union(*charts)
        if "yny" in re.sub(r"(.)\1+", r"\1", "".join("y" if song in listed else "n" for listed in charts))
    ]
    assert re_entered


@pytest.mark.parametrize("chart", CHARTS)
def test_artists_have_several_hits_and_songs_several_artists(chart: str) -> None:
    billed = [
        (entry["item"]["id"], artist["id"])
        for entry in found(chart, DAYS[0])["entries"]
        for artist in entry["item"]["artists"]
    ]
    assert len(billed) > 60
    assert len({artist for _, artist in billed}) < len(billed) - 20


@pytest.mark.parametrize("chart", CHARTS)
def test_popularity_changes(chart: str) -> None:
    standing = [
        {entry["item"]["id"]: entry["item"]["popularity"] for entry in found(chart, day)["entries"]}
        for day in (DAYS[0], DAYS[5])
    ]
    both = standing[0].keys() & standing[1].keys()
    assert any(standing[0][song] != standing[1][song] for song in both)
    assert all(0 <= number <= 100 for number in (*standing[0].values(), *standing[1].values()))


def test_some_songs_are_renamed() -> None:
    names: dict[str, set[str]] = {}
    for day in DAYS:
        for entry in found(CHARTS[0], day)["entries"]:
            names.setdefault(entry["item"]["id"], set()).add(entry["item"]["name"])
    assert any(len(known) > 1 for known in names.values())


def test_one_playlist_is_always_empty_and_one_every_other_day() -> None:
    assert not any(found(EMPTY, day)["entries"] for day in DAYS)
    for day in DAYS:
        assert bool(found(EMPTIED, day)["entries"]) == bool(day.toordinal() % 2)


def test_only_the_foreign_playlist_has_another_owner() -> None:
    others = [name for name in PLAYLISTS if found(name, DAYS[0])["owner"]["id"] != ME]
    assert others == [FOREIGN]
    assert found(FOREIGN, DAYS[0])["entries"]


class Case(NamedTuple):
    """An oddity, and a function that returns a true value for an entry with it."""

    name: str
    holds: Callable[[Json], object]


def item(entry: Json) -> Json:
    return entry.get("item") or {}


def name(entry: Json) -> str:
    return str(item(entry).get("name") or "")


def precision(entry: Json) -> object:
    return item(entry).get("album", {}).get("release_date_precision", "no album")


def album_artists(entry: Json) -> set[str]:
    return {artist["id"] for artist in item(entry).get("album", {}).get("artists", [])}


CASES = [
    Case("null item", lambda entry: entry.get("item", 0) is None),
    Case("no item key", lambda entry: "item" not in entry),
    Case(
        "tombstone",
        lambda entry: (
            (item(entry).get("id", 0), item(entry).get("uri", 0), precision(entry)) == (None, None, "year")
        ),
    ),
    Case(
        "local file",
        lambda entry: item(entry).get("is_local") and item(entry)["uri"].startswith("spotify:local:"),
    ),
    Case("episode", lambda entry: item(entry).get("type") == "episode" and item(entry)["show"]["id"]),
    Case("added_at null", lambda entry: entry["added_at"] is None),
    Case("added_at 1970", lambda entry: entry["added_at"] == "1970-01-01T00:00:00Z"),
    Case("added_by null", lambda entry: entry["added_by"] is None),
    Case("added_by empty", lambda entry: (entry["added_by"] or {}).get("id") == ""),
    Case("year", lambda entry: precision(entry) == "year" and len(item(entry)["album"]["release_date"]) == 4),
    Case(
        "month", lambda entry: precision(entry) == "month" and item(entry)["album"]["release_date"][4] == "-"
    ),
    Case("day", lambda entry: precision(entry) == "day"),
    Case("precision null", lambda entry: precision(entry) is None and not item(entry)["is_local"]),
    Case(
        "0000",
        lambda entry: item(entry).get("id") and item(entry).get("album", {}).get("release_date") == "0000",
    ),
    Case("empty name", lambda entry: item(entry).get("id") and not name(entry)),
    Case(
        "album by others",
        lambda entry: album_artists(entry) - {artist["id"] for artist in item(entry).get("artists", [])},
    ),
    Case("ten artists", lambda entry: len(item(entry).get("artists", [])) == 10),
    Case("lone surrogate", lambda entry: re.search("[\ud800-\udfff]", name(entry))),
    Case("commas and quotes", lambda entry: {",", '"', "'"} <= set(name(entry))),
    Case("newlines", lambda entry: {"\n", "\r"} <= set(name(entry))),
    Case("CJK", lambda entry: re.search("[\u3040-\u9fff]", name(entry))),
    Case("emoji", lambda entry: re.search("[\U0001f300-\U0001faff]", name(entry))),
    Case("RTL", lambda entry: re.search("[\u0590-\u06ff]", name(entry))),
    Case(r"\N", lambda entry: name(entry) == r"\N"),
    Case("=", lambda entry: name(entry).startswith("=")),
    Case("+", lambda entry: name(entry).startswith("+")),
    Case("@", lambda entry: name(entry).startswith("@")),
    Case(
        "popularity absent",
        lambda entry: item(entry).get("type") == "track" and "popularity" not in item(entry),
    ),
    Case("unknown key", lambda entry: "sandbox_unknown" in entry and "sandbox_unknown" in item(entry)),
    Case("primary_color", lambda entry: entry["primary_color"]),
    Case("video_thumbnail", lambda entry: "video_thumbnail" in entry),
    Case("a few markets", lambda entry: len(item(entry).get("available_markets", [])) == 2),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_mixtape_contains_every_oddity_on_any_date(case: Case) -> None:
    for day in FAR_DAYS:
        entries = found(MIXTAPE, day)["entries"]
        assert len(entries) == MIXTAPE_LENGTH
        assert any(case.holds(entry) for entry in entries)


@pytest.mark.parametrize("day", FAR_DAYS, ids=str)
def test_mixtape_has_a_duplicate_song_and_a_renamed_song(day: date) -> None:
    entries = [item(entry) for entry in found(MIXTAPE, day)["entries"]]
    encores = [track for track in entries if track.get("name") == "Encore"]
    assert len(encores) == 2
    assert encores[0] == encores[1]
    later = [item(entry) for entry in found(MIXTAPE, day + timedelta(days=7))["entries"]]
    takes = [
        [
            (track["id"], track["name"])
            for track in tracks
            if track.get("name", "").startswith("Working Title")
        ]
        for tracks in (entries, later)
    ]
    assert takes[0][0][0] == takes[1][0][0]
    assert takes[0][0][1] != takes[1][0][1]


def test_description_has_commas_quotes_and_newlines() -> None:
    assert {",", '"', "\n", "\\"} <= set(found(MIXTAPE, DAYS[0])["description"])


def test_playlists_are_json_values() -> None:
    for playlist_id in PLAYLISTS:
        content = found(playlist_id, DAYS[0])
        assert json.loads(json.dumps(content)) == content
