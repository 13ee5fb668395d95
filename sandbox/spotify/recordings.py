"""Recorded API responses from a folder, served instead of the catalogue.

A playlist object, or a list holding one, is served byte for byte if it embeds all its entries. A bare page of
entries gets a made-up head. Every day, every shape and every class of app gives the same: what was recorded.
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
from sandbox.spotify.sources import Ask

_ID = re.compile("[0-9A-Za-z]{22}")
_ID_IN_URL = re.compile(r"/playlists/([0-9A-Za-z]{22})(?![0-9A-Za-z])")


MOST_REFUSED = 10
"""Refused files that the message of a folder without a good one names."""


class Recorded(NamedTuple):
    """A playlist as it is served; entries is None where Spotify withheld them."""

    file_name: str
    head: bytes
    entries: list[Json] | None


class Recordings:
    """The playlists in a folder; `remarks` has a line for each file that was refused."""

    def __init__(self, files: list[File], remarks: list[str]) -> None:
        self.remarks = list(remarks)
        self._playlists: dict[str, Recorded] = {}
        for file in files:
            if is_playlist(file.answer):
                self._add(file, str(file.answer.get("id")))
        for file in files:
            if is_page(file.answer):
                found = _ID_IN_URL.search(str(file.answer.get("href")))
                self._add(file, found[1] if found else "")

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Reads every *.json; raises OSError with every reason if none of them can be served."""
        if not folder.is_dir():
            raise NotADirectoryError(f"{folder} is no folder of recordings")
        files, refused = read_files(folder)
        if not files:
            raise FileNotFoundError(_nothing_good(folder, refused))
        return cls(files, refused)

    def listing(self, _app_class: AppClass = "extended_new") -> dict[str, str]:
        """Returns the playlists: id → file name."""
        return {playlist_id: recorded.file_name for playlist_id, recorded in self._playlists.items()}

    def library(self) -> list[str]:
        """Returns the ids of all playlists: the user follows what others own."""
        return list(self._playlists)

    def listed(self, ask: Ask) -> Json:
        """Returns a playlist as GET /me/playlists shows it."""
        recorded = self._find(ask)
        return shapes.listed(json.loads(recorded.head), len(recorded.entries or []), ask.shape, ask.api_url)

    def head(self, ask: Ask) -> bytes:
        """Returns the response body of GET /playlists/{id}."""
        return self._find(ask).head

    def page(self, ask: Ask, offset: int, limit: int) -> bytes:
        """Returns the response body of GET /playlists/{id}/items; the entries keep their recorded shape."""
        entries = self._find(ask).entries
        if entries is None:
            raise RefusedError(403, "Forbidden")
        url = f"{ask.api_url}/playlists/{ask.playlist_id}/items"
        return shapes.body(shapes.paging(entries, url, offset, limit))

    def entries(self, _day: date) -> Iterable[Json]:
        """Returns the entries of all playlists."""
        return chain.from_iterable(recorded.entries or [] for recorded in self._playlists.values())

    def _find(self, ask: Ask) -> Recorded:
        if ask.playlist_id not in self._playlists:
            raise RefusedError(404, "Resource not found")
        return self._playlists[ask.playlist_id]

    def _add(self, file: File, own_id: str) -> None:
        usable = _ID.fullmatch(own_id) and own_id not in self._playlists
        playlist_id = own_id if usable else base62("recording", file.name)
        record = _page_as_playlist if is_page(file.answer) else _playlist
        self._playlists[playlist_id] = record(file, playlist_id)


def _nothing_good(folder: Path, refused: list[str]) -> str:
    more = len(refused) - MOST_REFUSED
    return "\n".join(
        [
            f"{folder} holds no *.json with a playlist or a page of one",
            *(f"  {line}" for line in refused[:MOST_REFUSED]),
            *([f"  and {more:,} more"] if more > 0 else []),
        ]
    )


def _pagings(answer: Json) -> dict[str, Json]:
    """Returns a playlist's paging objects by key, the new key first."""
    found = {key: answer.get(key) for key in ("items", "tracks")}
    return {
        key: paging
        for key, paging in found.items()
        if isinstance(paging, dict) and isinstance(paging.get("items"), list)
    }


def _playlist(file: File, playlist_id: str) -> Recorded:
    """Serves the recorded bytes with its id here, changed only where entries were not recorded."""
    pagings, own_id = _pagings(file.answer), str(file.answer.get("id"))
    entries: list[Json] | None = next((paging["items"] for paging in pagings.values()), None)
    whole = all(paging.get("total") == len(paging["items"]) for paging in pagings.values())
    if whole and _ID.fullmatch(own_id):
        return Recorded(file.name, file.raw.replace(own_id.encode(), playlist_id.encode()), entries)
    cut = {key: {**paging, "total": len(paging["items"]), "next": None} for key, paging in pagings.items()}
    return Recorded(
        file.name, shapes.body({**file.answer, **cut, **identity("playlist", playlist_id)}), entries
    )


def _page_as_playlist(file: File, playlist_id: str) -> Recorded:
    """Makes up a head around the entries of a page."""
    entries: list[Json] = file.answer["items"]
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
