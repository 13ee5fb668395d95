"""Owners of playlists and users who added songs, shown only where they are informative. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.insights.report.contents import PlaylistFigures, SongLine
from pipeline.insights.report.words import shown_text, shown_title
from pipeline.records import SongChange


def distinguishing_owners(playlists: Sequence[PlaylistFigures]) -> Mapping[str, str]:
    """Owners by playlist id, for playlists with the same name; with the id if the owner is the same, too."""
    names = {one.playlist_id: (shown_title(one.playlist_name), owned_by(one)) for one in playlists}
    titles = Counter(title for title, _ in names.values())
    pairs = Counter(names.values())
    return {
        playlist_id: owner if pairs[title, owner] == 1 else f"{owner} ({playlist_id})".strip()
        for playlist_id, (title, owner) in names.items()
        if titles[title] > 1
    }


def owned_by(figures: PlaylistFigures) -> str:
    """`by Anna`; empty if the owner is unknown."""
    owner = shown_text(figures.owner_name)
    return f"by {owner}" if owner else ""


def usual_adder(songs: Sequence[SongLine]) -> str | None:
    """The user who added more than half of the songs; None if there is none, or if any adder is unknown.

    The report names this user once instead of at each song.
    """
    adders = Counter(song.added_by for song in songs)
    if len(songs) < 2 or None in adders:  # noqa: PLR2004 - at a single song the user is named directly
        return None
    adder, number = adders.most_common(1)[0]
    return adder if 2 * number > len(songs) else None


def only_adder(songs: Sequence[SongChange]) -> str | None:
    """The user who added all songs, if there are several songs."""
    adders = {song.added_by for song in songs}
    return adders.pop() if len(adders) == 1 and len(songs) > 1 else None
