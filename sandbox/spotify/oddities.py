"""Unusual entries that real playlists contain, one of each kind."""

from collections.abc import Callable
from typing import Any

from sandbox.spotify.objects import (
    ME,
    Json,
    album,
    entry,
    episode,
    identity,
    markets,
    null_identity,
    track,
    user,
)
from sandbox.spotify.seeds import base62
from sandbox.spotify.words import title

ADDED_AT = "2025-06-01T12:00:00Z"
RENAMED_EVERY_DAYS = 7


def _artist(name: str) -> Json:
    return {"name": name, **identity("artist", base62("odd artist", name))}


def _song(name: str, on: Json | None = None, artists: list[Json] | None = None, **further: object) -> Json:
    artists = artists or [_artist("Odd One Out")]
    on = on or album(base62("odd album", name), "Oddities", artists)
    return track(base62("odd song", name), name, on, artists, **further)


def _dated(name: str, release_date: str | None, precision: str | None) -> Json:
    dates = {"release_date": release_date, "release_date_precision": precision}
    return _song(name, album(base62("odd album", name), f"{name}, Album", [_artist("Odd One Out")], **dates))


def _added(item: Json | None, **changes: Any) -> Json:  # any JSON value
    return {**entry(item, ADDED_AT, user(ME)), **changes}


def _without_key() -> Json:
    return {key: value for key, value in _added(None).items() if key != "item"}


def _without_popularity() -> Json:
    return _added({key: value for key, value in _song("Unpopular").items() if key != "popularity"})


def _unidentified(name: str, artist: str, on: str, **further: object) -> Json:
    """Returns a track without ids, with the keys that Spotify sends for it."""
    empty: Json = {"available_markets": [], "images": [], "artists": []}
    undated = {"album_type": None, "release_date": None, "release_date_precision": None}
    return {
        "album": {"name": on, **empty, **undated, **null_identity("album")},
        "artists": [{"name": artist, **null_identity("artist")}],
        "available_markets": [],
        "explicit": False,
        "preview_url": None,
        "disc_number": 0,
        "duration_ms": 0,
        "external_ids": {},
        "name": name,
        "popularity": 0,
        "track_number": 0,
        "is_local": False,
        **null_identity("track"),
        **further,
    }


def _local() -> Json:
    uri = "spotify:local:Garage+Otters:Demo+Tape:Rehearsal%2C+Take+2:273"
    return _unidentified(
        "Rehearsal, Take 2", "Garage Otters", "Demo Tape", is_local=True, uri=uri, duration_ms=273_000
    )


def _tombstone() -> Json:
    removed = _unidentified("", "", "")
    removed["album"]["release_date"], removed["album"]["release_date_precision"] = "0000", "year"
    return removed


def _renamed(day: int) -> Json:
    return _song("Working Title") | {"name": f"Working Title, Take {day // RENAMED_EVERY_DAYS % 9 + 1}"}


def _somebody_elses_album() -> Json:
    various = album(base62("odd compilation"), "Now That's a Kettle 7", [_artist("Various Kettles")])
    return _song("Guest Appearance", {**various, "album_type": "compilation"})


def _crowd() -> Json:
    return _song("Everybody on Stage", artists=[_artist(f"Choir Member {number}") for number in range(1, 11)])


def _unknown_keys() -> Json:
    extra = {"sandbox_unknown": {"nested": [1, None, {"deep": True}]}}
    return _added(_song("From the Future") | extra, primary_color="#1DB954", **extra)


def _named(name: str) -> Callable[[int], Json]:
    return lambda _day: _added(_song(name))


# name of the oddity → function from a date's ordinal to the entry
ODDITIES: dict[str, Callable[[int], Json]] = {
    "null item": lambda _day: _added(None),
    "no item key": lambda _day: _without_key(),
    "tombstone": lambda _day: _added(_tombstone()),
    "local file": lambda _day: _added(_local()),
    "episode": lambda _day: _added(episode(base62("episode"), "Which Kettle?", base62("show"))),
    "added_at null": lambda _day: _added(_song("Added Who Knows When"), added_at=None),
    "added_at 1970": lambda _day: _added(_song("Added Long Ago"), added_at="1970-01-01T00:00:00Z"),
    "added_by null": lambda _day: _added(_song("Added by Nobody"), added_by=None),
    "added_by empty": lambda _day: _added(_song("Added by Editors"), added_by=user("")),
    "precision year": lambda _day: _added(_dated("Sometime That Year", "1987", "year")),
    "precision month": lambda _day: _added(_dated("Sometime That Month", "1999-11", "month")),
    "precision day": lambda _day: _added(_dated("On That Day", "2004-02-29", "day")),
    "precision null": lambda _day: _added(_dated("No Idea When", None, None)),
    "release_date 0000": lambda _day: _added(_dated("Year Nought", "0000", "year")),
    "empty name": lambda _day: _added(_song("", album(base62("unnamed"), "", [_artist("")]), [_artist("")])),
    "song twice": lambda _day: _added(_song("Encore")),
    "song twice, again": lambda _day: _added(_song("Encore"), added_at="2025-07-01T12:00:00Z"),
    "album by others": lambda _day: _added(_somebody_elses_album()),
    "ten artists": lambda _day: _added(_crowd()),
    "renamed": lambda day: _added(_renamed(day)),
    "lone surrogate": _named("Broken \ud83d Heart"),
    "commas and quotes": _named("Hello, \"World\", it's 'me'"),
    "newlines": _named("Line One\nLine Two\r\nLine Three\tTabbed"),
    "CJK": _named("夜のやかん (ライブ)"),
    "emoji": _named("Kettle 🫖 Party 👩‍👩‍👧‍👦 🇦🇶"),
    "RTL": _named("קומקום الغلاية"),
    r"\N": _named(r"\N"),
    "= first": _named("=1+1"),
    "+ first": _named("+Plus+"),
    "@ first": _named("@mention"),
    "backslashes": _named("C:\\Kettle\\"),
    "blanks around": _named("  padded  "),
    "popularity absent": lambda _day: _without_popularity(),
    "unknown keys": lambda _day: _unknown_keys(),
    "few markets": lambda _day: _added(_song("Hard to Get", available_markets=markets(0)[:2])),
    "long name": _named(" / ".join(title("long", number) for number in range(12))),
}
