"""What stands beside playlists whose names are the same. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence

from pipeline.insights.report.contents import PlaylistFigures
from pipeline.insights.report.words import shown_text, shown_title


def told_apart(playlists: Sequence[PlaylistFigures]) -> Mapping[str, str]:
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
