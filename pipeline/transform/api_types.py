"""What is read of the Web API's responses, typed; everything else is skipped while decoding.

Source: Spotify Web API reference, and recorded responses. A field without a default is required: an entry
without it is rejected with the field's path. Any other field is null if it is absent or unusable (`lenient`).
`gc=False`: JSON has no reference cycles, and Python's cyclic collector would take half of the time.
"""

from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar

from msgspec import Meta, Raw, Struct
from msgspec.json import Decoder

E = TypeVar("E")

LONGEST_TEXT = 2**22
"""Characters that surely fit into a VARCHAR: 16 MB unless declared longer, 4 bytes a character at most."""

Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
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
    """Entries, and where they stand: `total`, `offset` and `limit` may be written as floats."""

    items: list[E] | None = None
    total: Any = None
    offset: Any = None
    limit: Any = None


class Response(Struct, Generic[E]):
    """Where the entries are: in a page at the top, in a playlist under `items`, `tracks` or both."""

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


class Version(Struct):
    """What tells whether a playlist has changed."""

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
    """A song as an entry of a playlist shows it; `type`, `uri` and `is_local` tell it from other items."""

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
    """One entry of a playlist: the new API says `item`, the old one `track`, some responses both."""

    item: Track | None = None
    track: Track | None = None


class FullArtist(Struct):
    """`GET /artists/{id}`; what an entry of a playlist shows of an artist lacks these."""

    id: Id
    genres: list[str] | None = None
    popularity: Count | None = None
    followers: Followers | None = None


class AlbumIds(Struct):
    upc: Text | None = None


class FullAlbum(Struct):
    """`GET /albums/{id}`, likewise."""

    id: Id
    label: Text | None = None
    external_ids: AlbumIds | None = None


class Reject(Struct, gc=False):
    """A refused entry, with the reason and the entry as JSON text."""

    reason: str
    entry: str


# msgspec looks into a type when it first needs it, and crashes where two threads do so at once.
for _kind in (Response[Raw], Response[Any], Response[Entry], PlaylistHead, Version, FullArtist, FullAlbum):
    Decoder(_kind)
