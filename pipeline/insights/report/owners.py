"""Whose playlists are, and who added their songs: said where it tells them apart, and once. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.insights.report.contents import PlaylistFigures, SongLine
from pipeline.insights.report.words import shown_text, shown_title
from pipeline.records import SongChange


def distinguishing_owners(playlists: Sequence[PlaylistFigures]) -> Mapping[str, str]:
    """By id: the owner of each playlist whose name is not the only one; with the id if that is not enough."""
    names = {one.playlist_id: (shown_title(one.playlist_name), owned_by(one)) for one in playlists}
    titles = Counter(title for title, _ in names.values())
    pairs = Counter(names.values())
    return {
        playlist_id: owner if pairs[title, owner] == 1 else f"{owner} ({playlist_id})".strip()
        for playlist_id, (title, owner) in names.items()
        if titles[title] > 1
    }


def owned_by(figures: PlaylistFigures) -> str:
    """`by Anna`; empty if the owner is not known."""
    owner = shown_text(figures.owner_name)
    return f"by {owner}" if owner else ""


def usual_adder(songs: Sequence[SongLine]) -> str | None:
    """Who added more than half of the songs, if it is known of all; to say it of each would be noise."""
    adders = Counter(song.added_by for song in songs)
    if len(songs) < 2 or None in adders:  # noqa: PLR2004 - one song is no list
        return None
    adder, number = adders.most_common(1)[0]
    return adder if 2 * number > len(songs) else None


def only_adder(songs: Sequence[SongChange]) -> str | None:
    """Who added all of the songs, if there are several."""
    adders = {song.added_by for song in songs}
    return adders.pop() if len(adders) == 1 and len(songs) > 1 else None
