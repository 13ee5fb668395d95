"""Types of the Web API's responses: the fields that the pipeline reads. Decoding skips all other fields.

A field without a default is required: an entry without it is rejected, and the reason names the field.
Any other field is null if it is absent or unusable (`lenient`).
`gc=False`: JSON has no reference cycles, and the garbage collector's tracking would double the time.
Source: Spotify Web API reference, and recorded responses.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder

E = TypeVar("E")

MAX_TEXT_CHARACTERS = 2**22
"""Longest text that VARCHAR always holds: 16 MB unless declared longer, at up to 4 bytes per character."""

Id = Annotated[str, Meta(min_length=1, max_length=MAX_TEXT_CHARACTERS)]
Text = Annotated[str, Meta(max_length=MAX_TEXT_CHARACTERS)]
Count = Annotated[int, Meta(ge=0, le=2**53)]


class Link(Struct, gc=False):
    spotify: Text | None = None


class Image(Struct, gc=False):
    url: Text | None = None


class Owner(Struct, gc=False):
    id: Text
    display_name: Text | None = None


class Followers(Struct, gc=False):
    total: Count | None = None


class Paging(Struct, Generic[E]):
    """A page of entries. `total`, `offset` and `limit` may be written as floats."""

    items: list[E] | None = None
    total: Any = None
    offset: Any = None
    limit: Any = None


class Response(Struct, Generic[E]):
    """A response with entries. A page has them under `items`, a playlist in a page under `items` or `tracks`.

    Some responses have both.
    """

    items: list[E] | Paging[E] | None = None
    tracks: Paging[E] | None = None
    total: Any = None
    offset: Any = None
    limit: Any = None


class PlaylistHead(Struct):
    """`GET /playlists/{id}` without its entries."""

    id: Id
    name: Text
    owner: Owner
    snapshot_id: Id
    description: Text | None = None
    public: bool | None = None
    collaborative: bool | None = None
    followers: Followers | None = None
    external_urls: Link | None = None
    images: list[Image] | None = None


class PlaylistVersion(Struct):
    """The snapshot id, which changes with every change of the playlist."""

    snapshot_id: Id


class AddedBy(Struct, gc=False):
    id: Text | None = None


class Artist(Struct, gc=False):
    id: Id
    name: Text | None = None
    external_urls: Link | None = None


class Album(Struct, gc=False):
    id: Id
    name: Text | None = None
    album_type: Text | None = None
    total_tracks: Count | None = None
    artists: list[Artist] | None = None
    release_date: Text | None = None
    release_date_precision: Text | None = None
    external_urls: Link | None = None
    images: list[Image] | None = None


class ExternalIds(Struct, gc=False):
    isrc: Text | None = None


class Track(Struct, gc=False):
    """The song of an entry. `type`, `uri` and `is_local` distinguish songs from other items."""

    id: Id
    name: Text
    album: Album
    artists: Annotated[list[Artist], Meta(min_length=1)]
    duration_ms: Count | None = None
    explicit: bool | None = None
    disc_number: Count | None = None
    track_number: Count | None = None
    popularity: Count | None = None
    external_ids: ExternalIds | None = None
    external_urls: Link | None = None
    type: Any = None
    uri: Any = None
    is_local: Any = None


class Added(Struct, gc=False):
    """When and by whom an entry was added."""

    added_at: Annotated[datetime, Meta(tz=True)] | None = None
    added_by: AddedBy | None = None
    is_local: Any = None


class Entry(Added, gc=False):
    """One entry of a playlist. The song is under `item` (new API), `track` (old API) or both."""

    item: Track | None = None
    track: Track | None = None


class FullArtist(Struct):
    """`GET /artists/{id}`: the fields that the artists of playlist entries lack."""

    id: Id
    genres: list[str] | None = None
    popularity: Count | None = None
    followers: Followers | None = None


class AlbumIds(Struct):
    upc: Text | None = None


class FullAlbum(Struct):
    """`GET /albums/{id}`: the fields that the albums of playlist entries lack."""

    id: Id
    label: Text | None = None
    external_ids: AlbumIds | None = None


class Reject(Struct, gc=False):
    """An entry that is not stored as a song, with the reason and the entry as JSON text."""

    reason: str
    entry: str


# msgspec inspects a type at its first use, and crashes if two threads do so simultaneously: do it at import.
for _kind in (
    Response[Raw],
    Response[Any],
    Response[Entry],
    PlaylistHead,
    PlaylistVersion,
    FullArtist,
    FullAlbum,
):
    Decoder(_kind)
