"""Texts that break careless handling of quotes, escapes and line breaks, and the rows expected for them."""

import json
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from pipeline.records import Snapshot
from pipeline.transform.pages import decode_snapshot_id
from tests.builders import Json, album, artist, body, entry, fetched, head, song

Query = Callable[..., list[tuple[Any, ...]]]

TEXTS = {
    "empty": "",
    "blank": " ",
    "blanks around": "  padded\t ",
    "quote": '"',
    "two quotes": '""',
    "quoted": '"a","b"',
    "half quoted": '"a',
    "apostrophe": "it's ''",
    "comma": ",",
    "line feed": "a\nb",
    "carriage return": "a\rb",
    "both": "\r\n",
    "line feed last": "a\n",
    "carriage return last": "a\r",
    "other line breaks": "\v\f\x1c\x1d\x1e\x85\u2028\u2029",
    r"\N": r"\N",
    r"\\N": r"\\N",
    "NULL": "NULL",
    "null": "null",
    "backslash": "\\",
    "backslash, quote": '\\"',
    "backslash, line feed": "\\\n",
    "escapes as text": r"\n \t \x00 \u0000 \ud83d %00 &#0; ' \'",
    "control characters": "".join(map(chr, [*range(1, 32), 127, 128, 159])),
    "byte order mark": "\ufeffa",
    "swapped byte order mark": "\ufffe",
    "not a character": "\uffff\U0010ffff",
    "replacement": "\ufffd",
    "right to left": "\u202e\u200fקפה\u2067 (live)\u2069",
    "zero width": "a\u200b\u200d\u00adb",
    "combining": "e\u0301 é Å \u212b ﬁ ǆ",
    "emoji": "🫖👩‍👩‍👧‍👦🇦🇶👍🏽",
    "formula =": '=HYPERLINK("http://x","y")',
    "formula +": "+1-1",
    "formula @": "@SUM(A1)",
    "formula -": "-2+3",
    "SQL": "'); DROP TABLE songs_history; --",
    "SQL comment": "/* x */ -- y",
    "bind variables": "? :1 %s %(a)s $1 &name",
    "Jinja": "{{ 7*7 }}{% raw %}",
    "format": "{0.__class__} {} ${x} $$",
    "JSON": '{"a": [1, null]}',
    "XML": "<!-- & <b>x</b> ]]>",
    "path": "../../etc/passwd",
    "number": "1e400",
    "date": "0000-00-00",
    "true": "true",
    "infinity": "NaN",
    "1 MB": "ü" * 2**19,
    "1 MB of quotes": '"' * 2**20,
    "1 MB of lines": "a,\n" * 350_000,
    "NUL": "a\0b",
    "NULs": "\0\0",
    "backslash, NUL": "\\\0",
    "high surrogate": "a\ud83d",
    "low surrogate": "\ude00a",
    "surrogates the wrong way round": "\ude00\ud83d",
}


class Landed(NamedTuple):
    """Rows of one playlist in the warehouse."""

    playlist: tuple[object, ...]
    songs: list[tuple[object, ...]]
    rejects: list[tuple[str, str]]


def _entry(text: str) -> Json:
    """An entry with the text in every text field of the song; ids are never empty."""
    some = text or "-"
    by = artist(some, name=text, external_urls={"spotify": some})
    on = album(some, [by], name=text, album_type=text, release_date_precision=text)
    on |= {"external_urls": {"spotify": some}, "images": [{"url": text}]}
    urls = {"external_urls": {"spotify": some}, "external_ids": {"isrc": text}}
    return entry(song(some, [by], on, name=text, **urls), added_by={"id": some})


def hostile_snapshot(number: int, text: str) -> Snapshot:
    """A snapshot with the text in every text field of the playlist and of its only song."""
    playlist = f"{number:022}"
    own = {"name": text, "description": text, "owner": {"id": text, "display_name": text}}
    response = body(head([_entry(text)], id_=playlist) | own | {"snapshot_id": text or "-"})
    return fetched(playlist, [response], 1, decode_snapshot_id(response))


LANDED = """
    SELECT p.playlist_id, p.name, p.description, p.owner_id, p.owner_name, p.snapshot_id, l.snapshot_id
    FROM playlists_history AS p INNER JOIN loads AS l
    ON p.playlist_id = l.playlist_id AND p.run_id = l.run_id
    WHERE p.run_id = ?
"""
SONGS = """
    SELECT
        s.playlist_id, s.song_id, o.added_by, s.name, s.isrc, s.url, b.album_id, b.name, b.album_type,
        b.url, b.image_url, t.artist_id, t.name, t.url, c.artist_id, d.artist_id, b.release_date_precision
    FROM songs_history AS s
    INNER JOIN playlist_songs_history AS o ON s.playlist_id = o.playlist_id AND s.song_id = o.song_id
    INNER JOIN albums_history AS b ON s.playlist_id = b.playlist_id AND s.album_id = b.album_id
    INNER JOIN artists_history AS t ON s.playlist_id = t.playlist_id AND s.artist_id = t.artist_id
    INNER JOIN song_artists_history AS c ON s.playlist_id = c.playlist_id AND s.song_id = c.song_id
    INNER JOIN album_artists_history AS d ON b.playlist_id = d.playlist_id AND b.album_id = d.album_id
    WHERE s.run_id = ?
"""
REJECTS = "SELECT playlist_id, reason, entry FROM rejects_history WHERE run_id = ?"


def read_landed(query: Query, run_id: str, snapshots: Sequence[Snapshot]) -> list[Landed]:
    """Reads the rows of each snapshot of a run."""
    landed = {row[0]: Landed(row[1:], [], []) for row in query(LANDED, run_id)}
    for playlist, *values in query(SONGS, run_id):
        landed[playlist].songs.append(tuple(values))
    for playlist, reason, text in query(REJECTS, run_id):
        landed[playlist].rejects.append((reason, text))
    return [landed[one.envelope.playlist_id] for one in snapshots]


def check(text: str, landed: Landed) -> None:
    """Asserts that the rows contain the text unchanged, or a reject with the reason."""
    text = json.loads(json.dumps(text))  # joins adjacent high and low surrogates to one character
    fit = text.encode("utf-8", "replace").decode().replace("\0", "?")
    assert landed.playlist == (fit, fit, fit, fit, fit or "-", fit or "-")
    if fit == text:
        some = text or "-"
        ids, rest = (some, some, text, text, some), (some, text, text, some, text, some, text, some)
        assert landed.songs == [(*ids, *rest, some, some, text or "day")]
        assert landed.rejects == []
    else:
        assert landed.songs == []
        ((reason, kept),) = landed.rejects
        assert reason == ("nul_character" if fit == text.replace("\0", "?") else "lone_surrogate")
        assert json.loads(kept) == _entry(text)
