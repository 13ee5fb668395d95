"""Recorded responses: served as recorded, under unique ids."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from sandbox.spotify import library
from sandbox.spotify.errors import RefusedError
from sandbox.spotify.library import Library
from sandbox.spotify.objects import Json, user
from sandbox.spotify.recordings import MAX_REFUSED_SHOWN, Recordings
from sandbox.spotify.sources import PlaylistQuery
from tests.spotify_standin import Start

REAL = Path(__file__).parents[4] / "shared" / "data" / "recordings"
ONE, TWO = "recorded00000000000001", "recorded00000000000002"
ENTRY = {"added_at": None, "item": {"name": "Lone \ud83d Surrogate"}}


def query(playlist_id: str) -> PlaylistQuery:
    return PlaylistQuery(playlist_id, date(2026, 11, 21), "both", "http://127.0.0.1:1/v1")


def playlist_object(playlist_id: str, total: int = 2, **further: object) -> Json:
    paging = {"href": "", "items": [ENTRY, ENTRY], "limit": 100, "next": "more", "offset": 0, "total": total}
    return {
        "id": playlist_id,
        "type": "playlist",
        "name": "Ône",
        "owner": user("me"),
        "snapshot_id": "AAAA",
        "items": paging,
        **further,
    }


def page(href: str) -> Json:
    return {"href": href, "items": [{"added_at": None, "track": None}], "limit": 1, "offset": 40, "total": 99}


def write(folder: Path, **files: object) -> Recordings:
    for name, content in files.items():
        text = content if isinstance(content, str) else json.dumps(content, indent=3)
        (folder / f"{name}.json").write_text(text)
    return Recordings.read(folder)


def ids(recordings: Recordings) -> dict[str, str]:
    """Returns file name → id."""
    return {name: playlist_id for playlist_id, name in recordings.listing().items()}


def test_complete_playlist_is_served_byte_for_byte(tmp_path: Path) -> None:
    recordings = write(tmp_path, a=playlist_object(ONE), b=[playlist_object(TWO)])
    assert ids(recordings) == {"a.json": ONE, "b.json": TWO}
    assert recordings.head(query(ONE)) == (tmp_path / "a.json").read_bytes()
    inside = (tmp_path / "b.json").read_bytes().strip(b"[] \n")
    assert recordings.head(query(TWO)) == inside
    assert json.loads(inside)["id"] == TWO


def test_total_counts_only_recorded_entries(tmp_path: Path) -> None:
    recordings = write(tmp_path, a=playlist_object(ONE, total=300))
    head = json.loads(recordings.head(query(ONE)))
    assert (head["items"]["total"], head["items"]["next"], head["name"]) == (2, None, "Ône")
    assert json.loads(recordings.page(query(ONE), 1, 50))["items"] == [ENTRY]


def test_later_file_with_the_same_id_gets_another_id(tmp_path: Path) -> None:
    recordings = write(
        tmp_path,
        b=playlist_object(ONE, name="second"),
        a=playlist_object(ONE),
        c=page(f"/playlists/{ONE}/items"),
    )
    found = ids(recordings)
    assert found["a.json"] == ONE
    assert all(re.fullmatch("[0-9A-Za-z]{22}", playlist_id) for playlist_id in found.values())
    assert len(set(found.values())) == 3
    second = recordings.head(query(found["b.json"]))
    assert second == (tmp_path / "b.json").read_bytes().replace(ONE.encode(), found["b.json"].encode())
    assert ids(Recordings.read(tmp_path)) == found


def test_playlist_with_an_invalid_id_gets_a_new_id(tmp_path: Path) -> None:
    recordings = write(tmp_path, a=playlist_object("short"), b=page("/users/x/playlists/y/tracks"))
    for playlist_id in recordings.listing():
        assert json.loads(recordings.head(query(playlist_id)))["id"] == playlist_id


def test_every_playlist_is_in_the_users_list_with_its_recorded_owner(tmp_path: Path) -> None:
    recordings = write(tmp_path, a=playlist_object(ONE), b=page(f"/playlists/{TWO}/items"))
    shown = [recordings.listed(query(playlist_id)) for playlist_id in recordings.library()]
    heads = [json.loads(recordings.head(query(one["id"]))) for one in shown]
    assert [one["id"] for one in shown] == [*recordings.listing()]
    assert [one["items"]["total"] for one in shown] == [2, 1]
    for one, head in zip(shown, heads, strict=True):
        assert (one["owner"], one["snapshot_id"]) == (head.get("owner"), head.get("snapshot_id"))


@pytest.mark.parametrize("first", [True, False], ids=["page first", "playlist first"])
def test_playlist_object_keeps_its_id_if_a_page_has_the_same(tmp_path: Path, first: bool) -> None:
    names = ("a", "b") if first else ("b", "a")
    found = ids(
        write(tmp_path, **{names[0]: page(f"/playlists/{ONE}/items"), names[1]: playlist_object(ONE)})
    )
    assert found[f"{names[1]}.json"] == ONE


def test_page_gets_a_head_with_its_number_of_entries(tmp_path: Path) -> None:
    recordings = write(tmp_path, a=page(f"https://api.spotify.com/v1/playlists/{ONE}/tracks?offset=40"))
    head = json.loads(recordings.head(query(ONE)))
    assert "items" not in head
    assert (head["tracks"]["total"], head["tracks"]["items"]) == (1, [{"added_at": None, "track": None}])
    assert json.loads(recordings.page(query(ONE), 0, 50))["total"] == 1


def test_page_of_null_entries_is_served_as_recorded(tmp_path: Path) -> None:
    href = f"https://api.spotify.com/v1/playlists/{ONE}/items"
    recordings = write(tmp_path, a={"href": href, "items": [None, None], "total": 2})

    assert json.loads(recordings.head(query(ONE)))["items"]["items"] == [None, None]


def test_entries_of_a_playlist_recorded_without_entries_are_refused(tmp_path: Path) -> None:
    content = playlist_object(ONE)
    del content["items"]
    recordings = write(tmp_path, a=content)
    assert "items" not in json.loads(recordings.head(query(ONE)))
    with pytest.raises(RefusedError) as refused:
        recordings.page(query(ONE), 0, 50)
    assert refused.value.status == 403


ENCODINGS = {
    "UTF-8 with a byte order mark": "utf-8-sig",
    "UTF-16 with a byte order mark": "utf-16",
    "UTF-16 without one": "utf-16-le",
    "UTF-32": "utf-32",
}


@pytest.mark.parametrize("encoding", ENCODINGS.values(), ids=ENCODINGS)
@pytest.mark.parametrize("listed", [False, True], ids=["object", "list"])
def test_other_encodings_are_served_as_utf8(tmp_path: Path, encoding: str, listed: bool) -> None:
    text = json.dumps(playlist_object(ONE), indent=3, ensure_ascii=False).replace("\ud83d", "")
    marks = "\ufeff" * (
        encoding == "utf-8-sig"
    )  # a second byte order mark, as in a file that was converted twice
    (tmp_path / "a.json").write_bytes((marks + (f"[{text}]" if listed else text)).encode(encoding))
    recordings = Recordings.read(tmp_path)
    assert recordings.head(query(ONE)) == text.encode()
    assert recordings.remarks == []


LARGE = "large00000000000000001"
PAGE = page(f"/playlists/{ONE}/items")
REFUSED: dict[str, tuple[object, str]] = {
    "error response": ({"error": {"status": 404}}, "it is an error response"),
    "cut": ('{"type": "playlist", ', "it is not JSON ("),
    "web page": ("<html></html>", "it is not JSON ("),
    "JSON lines": ("{}\n{}", "it is not JSON ("),
    "not a number of JSON": ('{"type": "playlist", "x": NaN}', "it is not JSON (NaN)"),
    "empty": ("", "it is empty"),
    "blank": (" \n", "it is empty"),
    "Latin-1": (b'{"name": "\xd4ne"}', "it is not UTF-8 ("),
    "nested too deeply": ("[" * 200_000, "it is nested too deeply"),
    "null": (None, "it is null"),
    "text": ('"playlist"', "it is a text"),
    "list of one number": ([5], "it is a number"),
    "list of numbers": ([1, 2], "it is a list of 2 values"),
    "list of playlists": ([playlist_object(ONE), playlist_object(TWO)], "it is a list of 2 values"),
    "list of entries": ([ENTRY, ENTRY], "it contains entries without"),
    "list of one entry": ([ENTRY], "it contains entries without"),
    "entry": (ENTRY, "it contains entries without"),
    "page of albums": ({"items": [], "href": "/albums"}, "it is a page, but its `href` contains no playlist"),
    "artists": ({"artists": []}, "it is neither a playlist"),
    "no snapshot id": (playlist_object(ONE, snapshot_id=None), "it is a playlist without `snapshot_id`"),
    "no owner, no name": (
        playlist_object(ONE, owner=None, name=5),
        "it is a playlist without `name`, `owner.id`",
    ),
    "list instead of a page": (
        playlist_object(ONE, items=[ENTRY]),
        "`items` is a list instead of a page of entries",
    ),
    "no list of entries": (playlist_object(ONE, tracks={"items": "x"}), "`tracks.items` is a text"),
    "entry that is a number": (playlist_object(ONE, items={"items": [ENTRY, 5]}), "entry 2 is a number"),
    "entry of a page that is a list": ({**PAGE, "items": [None, []]}, "entry 2 is a list"),
}


@pytest.mark.parametrize(("content", "reason"), REFUSED.values(), ids=REFUSED)
def test_invalid_file_is_refused_with_name_and_reason(tmp_path: Path, content: object, reason: str) -> None:
    if isinstance(content, bytes):
        (tmp_path / "odd.json").write_bytes(content)
        recordings = write(tmp_path, good=playlist_object(TWO))
    else:
        recordings = write(tmp_path, odd=content, good=playlist_object(TWO))
    (line,) = recordings.remarks
    assert line.startswith(f"odd.json: refused, {reason}")
    assert list(recordings.listing()) == [TWO]


def test_subfolder_is_refused_and_other_extensions_are_ignored(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "CAPITALS.JSON").write_text(json.dumps(playlist_object(ONE)))
    recordings = Recordings.read(tmp_path)
    assert ids(recordings) == {"CAPITALS.JSON": ONE}
    (line,) = recordings.remarks
    assert line.startswith("folder.json: refused, it cannot be read (")


def test_error_without_a_usable_file_lists_a_limited_number_of_reasons(tmp_path: Path) -> None:
    for number in range(MAX_REFUSED_SHOWN + 2):
        (tmp_path / f"{number:02}.json").write_text("[1, 2]")
    with pytest.raises(FileNotFoundError) as refused:
        Recordings.read(tmp_path)
    first, *lines, last = str(refused.value).splitlines()
    assert str(tmp_path) in first
    assert lines == [f"  {n:02}.json: refused, it is a list of 2 values" for n in range(MAX_REFUSED_SHOWN)]
    assert last == "  and 2 more"


@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_missing_or_empty_folder_is_an_error(tmp_path: Path, folder: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(OSError, match=folder):
        Recordings.read(tmp_path / folder)


def test_recordings_are_served(tmp_path: Path, start: Start) -> None:
    standin = start(source=write(tmp_path, a=playlist_object(ONE)))
    assert standin.get(f"/v1/playlists/{ONE}", standin.bearer()).content == (tmp_path / "a.json").read_bytes()
    assert standin.app_client().playlist_items(ONE, limit=1, offset=1)["items"] == [ENTRY]
    assert standin.get("/sandbox/playlists").json() == {ONE: "a.json"}
    assert standin.get(f"/v1/playlists/{TWO}", standin.bearer()).status_code == 404


needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="real recordings are not in ../shared/data")


@needs_real
def test_every_real_recording_is_served_or_refused_with_a_remark() -> None:
    recordings = Recordings.read(REAL)
    remarked = {line.partition(":")[0] for line in recordings.remarks}
    assert remarked | set(ids(recordings)) == {path.name for path in REAL.glob("*.json")}
    assert not remarked & set(ids(recordings))


@needs_real
def test_every_real_playlist_is_complete(start: Start) -> None:
    recordings = Recordings.read(REAL)
    client = start(source=recordings).app_client()
    untouched = 0
    for playlist_id, name in recordings.listing().items():
        head = client.playlist(playlist_id)
        paging = head["items"] if "items" in head else head["tracks"]
        assert head["id"] == playlist_id
        assert len(paging["items"]) == paging["total"]
        assert client.playlist_items(playlist_id, limit=50)["items"] == paging["items"][:50]
        untouched += recordings.head(query(playlist_id)) in (REAL / name).read_bytes()
    assert untouched >= 5


def test_artists_and_albums_of_recordings_are_served(tmp_path: Path, start: Start) -> None:
    artist, on = {"id": ONE, "type": "artist"}, {"id": TWO, "artists": [{"id": None}], "total_tracks": 2}
    entry = {"track": {"album": on, "artists": [artist], "name": "Recorded", "track_number": 2}}
    bare: list[Json] = [{"track": None}, {}, {"item": {"album": {"id": None}}}, {"track": {"album": on}}]
    odd: list[object] = [None, {"track": 5}, {"track": {"album": "x"}}, {"track": {"album": {"id": [1]}}}]
    nulls = {
        "album": {"id": "odd", "artists": None, "total_tracks": None},
        "artists": [5],
        "track_number": [],
    }
    large = {
        "album": {"id": LARGE, "artists": 5, "total_tracks": 1e300},
        "artists": 5,
        "track_number": 1e300,
    }
    tracks = [{"track": nulls}, {"track": large}]
    recorded = {**page(f"/playlists/{ONE}/items"), "items": [entry, *bare, *odd, *tracks]}
    client = start(source=write(tmp_path, a=recorded)).app_client()
    assert client.artists([ONE, TWO])["artists"][1] is None
    assert client.artist(ONE)["followers"]["total"]
    assert client.album(TWO)["tracks"]["items"][1]["name"] == "Recorded"
    assert client.album(LARGE)["tracks"]["total"] == library.MAX_TRACKS


@needs_real
def test_every_album_of_real_playlists_is_served(start: Start) -> None:
    recordings = Recordings.read(REAL)
    library = Library.of(recordings.entries(date(2026, 11, 21)))
    assert len(library.albums) > 50
    for album_id in library.albums:
        album = library.album(album_id)
        assert album
        assert album["id"] == album_id
    some = [artist_id for artist_id in library.artists if artist_id][:50]
    found = start(source=recordings).app_client().artists(some)["artists"]
    assert [one["id"] for one in found] == some
