"""Serves recorded API responses from a folder instead of the synthetic playlists.

A playlist object that contains all its entries is served byte for byte. A page without its playlist gets an
invented playlist object. The date, the shape and the class of app have no effect.
"""

import json
import re
from collections.abc import Iterable
from datetime import date
from itertools import chain
from pathlib import Path
from typing import NamedTuple, Self

from sandbox.spotify import shapes
from sandbox.spotify.errors import RefusedError
from sandbox.spotify.objects import API_URL, ME, Json, identity, user
from sandbox.spotify.recording_files import File, is_page, is_playlist, read_files
from sandbox.spotify.seeds import base62
from sandbox.spotify.settings import AppClass
from sandbox.spotify.sources import PlaylistQuery

_ID = re.compile("[0-9A-Za-z]{22}")
_ID_IN_URL = re.compile(r"/playlists/([0-9A-Za-z]{22})(?![0-9A-Za-z])")


MAX_REFUSED_SHOWN = 10
"""Maximum number of refused files in the error message of a folder without a usable file."""


class Recorded(NamedTuple):
    """A playlist to serve; `head`: body of GET /playlists/{id}, `entries`: None if Spotify withheld them."""

    file_name: str
    head: bytes
    entries: list[Json] | None


class Recordings:
    """The playlists in a folder; `remarks`: a line for each refused file."""

    def __init__(self, files: list[File], remarks: list[str]) -> None:
        self.remarks = list(remarks)
        self._playlists: dict[str, Recorded] = {}
        for file in files:
            if is_playlist(file.content):
                self._add(file, str(file.content.get("id")))
        for file in files:
            if is_page(file.content):
                found = _ID_IN_URL.search(str(file.content.get("href")))
                self._add(file, found[1] if found else "")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Reads every *.json; raises OSError with the reasons if no file can be served."""
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is not a folder")
        files, refused = read_files(folder)
        if not files:
            raise FileNotFoundError(_no_usable_file(folder, refused))
        return cls(files, refused)

    def listing(self, _app_class: AppClass = "extended_new") -> dict[str, str]:
        """Returns the playlists: id → file name."""
        return {playlist_id: recorded.file_name for playlist_id, recorded in self._playlists.items()}

    def library(self) -> list[str]:
        """Returns the ids of all playlists; the user follows those of other owners."""
        return list(self._playlists)

    def listed(self, query: PlaylistQuery) -> Json:
        """Returns the simplified playlist of GET /me/playlists."""
        recorded = self._find(query)
        return shapes.listed(
            json.loads(recorded.head), len(recorded.entries or []), query.shape, query.api_url
        )

    def head(self, query: PlaylistQuery) -> bytes:
        """Returns the response body of GET /playlists/{id}."""
        return self._find(query).head

    def page(self, query: PlaylistQuery, offset: int, limit: int) -> bytes:
        """Returns the response body of GET /playlists/{id}/items; the entries keep their recorded shape."""
        entries = self._find(query).entries
        if entries is None:
            raise RefusedError(403, "Forbidden")
        url = f"{query.api_url}/playlists/{query.playlist_id}/items"
        return shapes.body(shapes.paging(entries, url, offset, limit))

    def entries(self, _day: date) -> Iterable[Json]:
        """Returns the entries of all playlists."""
        return chain.from_iterable(recorded.entries or [] for recorded in self._playlists.values())

    def _find(self, query: PlaylistQuery) -> Recorded:
        if query.playlist_id not in self._playlists:
            raise RefusedError(404, "Resource not found")
        return self._playlists[query.playlist_id]

    def _add(self, file: File, own_id: str) -> None:
        usable = _ID.fullmatch(own_id) and own_id not in self._playlists
        playlist_id = own_id if usable else base62("recording", file.name)
        record = _page_as_playlist if is_page(file.content) else _playlist
        self._playlists[playlist_id] = record(file, playlist_id)


def _no_usable_file(folder: Path, refused: list[str]) -> str:
    more = len(refused) - MAX_REFUSED_SHOWN
    return "\n".join(
        [
            f"{folder} contains no *.json with a playlist or a page of a playlist",
            *(f"  {line}" for line in refused[:MAX_REFUSED_SHOWN]),
            *([f"  and {more:,} more"] if more > 0 else []),
        ]
    )


def _pagings(playlist: Json) -> dict[str, Json]:
    """Returns the paging objects of a playlist by key; `items`, the key since 2026, is first."""
    found = {key: playlist.get(key) for key in ("items", "tracks")}
    return {
        key: paging
        for key, paging in found.items()
        if isinstance(paging, dict) and isinstance(paging.get("items"), list)
    }


def _playlist(file: File, playlist_id: str) -> Recorded:
    """Returns the recorded bytes with the id `playlist_id`; re-encodes them only if entries are missing."""
    pagings, own_id = _pagings(file.content), str(file.content.get("id"))
    entries: list[Json] | None = next((paging["items"] for paging in pagings.values()), None)
    complete = all(paging.get("total") == len(paging["items"]) for paging in pagings.values())
    if complete and _ID.fullmatch(own_id):
        return Recorded(file.name, file.raw.replace(own_id.encode(), playlist_id.encode()), entries)
    shortened = {
        key: {**paging, "total": len(paging["items"]), "next": None} for key, paging in pagings.items()
    }
    return Recorded(
        file.name, shapes.body({**file.content, **shortened, **identity("playlist", playlist_id)}), entries
    )


def _page_as_playlist(file: File, playlist_id: str) -> Recorded:
    """Returns an invented playlist object with the entries of a page."""
    entries: list[Json] = file.content["items"]
    used = {key for entry in entries if entry for key in ("item", "track") if key in entry} or {"item"}
    url = f"{API_URL}/playlists/{playlist_id}"
    pagings = {f"{key}s": shapes.paging(entries, f"{url}/{key}s", 0, len(entries) or 1) for key in used}
    head = {
        "collaborative": False,
        "description": "",
        **identity("playlist", playlist_id),
        "images": [],
        "name": file.name,
        "owner": {"display_name": None, **user(ME)},
        "public": True,
        "snapshot_id": base62("snapshot", file.raw.hex()),
        **dict(sorted(pagings.items())),
    }
    return Recorded(file.name, shapes.body(head), entries)
