"""What is read of the Web API's answers, typed; everything else is skipped while decoding.

Source: Spotify Web API reference, and recorded answers. A field without a default is required: an entry
without it is rejected with the field's path.
"""

from datetime import date, datetime
from typing import Annotated, Any, Generic, TypeVar

from msgspec import UNSET, Meta, Raw, Struct
from msgspec.json import Decoder

Entry = TypeVar("Entry")

LONGEST_TEXT = 2**22
"""Characters that surely fit into a VARCHAR: 16 MB unless declared longer, 4 bytes a character at most."""

Id = Annotated[str, Meta(min_length=1, max_length=LONGEST_TEXT)]
Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
Count = Annotated[int, Meta(ge=0, le=2**53)]


class Link(Struct):
    spotify: Text | None = None


class Image(Struct):
    url: Text | None = None


class Owner(Struct):
    id: Text
    display_name: Text | None = None


class Followers(Struct):
    total: Count | None = None


class Paging(Struct, Generic[Entry]):
    items: list[Entry] | None = None
    total: Count | None = None


class Answer(Struct, Generic[Entry]):
    """Where the entries are: in a page at the top, in a playlist under `items`, `tracks` or both."""

    items: list[Entry] | Paging[Entry] | None = None
    tracks: Paging[Entry] | None = None
    total: Count | None = None


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


class Wrapper(Struct):
    """One entry of a playlist: the new API says `item`, the old one `track`, some answers both."""

    added_at: Raw = Raw()
    added_by: Raw = Raw()
    is_local: Any = None
    item: Raw = Raw()
    track: Raw = Raw()


class AddedBy(Struct):
    id: Text | None = None


class Identity(Struct):
    """What tells a song from an episode, a local file and a tombstone, whose id is there and null."""

    id: Any = UNSET
    type: Any = None
    name: Any = None
    uri: Any = None
    is_local: Any = None


class Artist(Struct):
    id: Id
    name: Text
    external_urls: Link | None = None


class Album(Struct):
    id: Id
    name: Text
    album_type: Text
    total_tracks: Count
    artists: list[Artist] | None = None
    release_date: Text | None = None
    release_date_precision: Text | None = None
    external_urls: Link | None = None
    images: list[Image] | None = None


class ExternalIds(Struct):
    isrc: Text | None = None


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


class Track(Struct):
    """A song as an entry of a playlist shows it."""

    id: Id
    name: Text
    album: Album
    artists: Annotated[list[Artist], Meta(min_length=1)]
    duration_ms: Count
    explicit: bool
    disc_number: Count
    track_number: Count
    popularity: Count | None = None
    external_ids: ExternalIds | None = None
    external_urls: Link | None = None


class Song(Struct):
    """An accepted entry: the song, and when and by whom it was added."""

    position: int
    track: Track
    release_date: date | None
    release_date_precision: str | None
    added_at: datetime | None
    added_by: str | None


class Reject(Struct):
    """A refused entry, with the reason and the entry as JSON text."""

    position: int
    reason: str
    entry: str


# msgspec looks into a type when it first needs it, and crashes where two threads do so at once.
_READ: tuple[Any, ...] = (Answer[Raw], Answer[Any], PlaylistHead, Version, Wrapper, AddedBy, Identity, Track)
for _kind in (*_READ, FullArtist, FullAlbum):
    Decoder(_kind)
