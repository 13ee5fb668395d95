"""Changes as text, for the run's message, the artifact and notifications. Pure."""

import re
from collections.abc import Iterator, Sequence

from pipeline.insights.names import or_no_name
from pipeline.markdown import ARTIFACT_BYTES, as_text, markdown_table, shortened
from pipeline.masking import printable
from pipeline.records import PlaylistChanges, SongChange

PLAYLISTS_NAMED = 10
"""Maximum number of changed playlists that a run's message names; a run may have thousands."""
SONGS_NAMED = 20
"""Maximum number of added, of removed and of moved songs that a notification names."""
NAME_CHARACTERS = 80
CELL_CHARACTERS = 200
SCANNED_CHARACTERS = 1_000
"""Limit of a name before characters in it are replaced; Spotify's names are far shorter."""
NO_MARKUP = str.maketrans({"<": "\u2039", ">": "\u203a", "@": "\uff20", "[": "(", "]": ")"})
"""Characters that start tags, links and mentions in mail, Slack and Discord, and their replacements."""
ADDRESSES = ((re.compile(r"://"), ":\u2044\u2044"), (re.compile(r"(?<=\w)\.(?=\w)"), "\u2024"))
"""Similar slashes and dots, because mail programs and chats turn plain addresses into links."""


def counts(changes: PlaylistChanges) -> str:
    """`2 added, 1 removed, 1 moved, 1 more rejected`; empty if nothing changed."""
    return in_numbers(
        len(changes.entered), len(changes.left), len(changes.moved), sum(changes.rejected.values())
    )


def in_numbers(added: int, removed: int, moved: int, rejected: int) -> str:
    """Counts of changes as text; empty if all are 0."""
    numbers = {"added": added, "removed": removed, "moved": moved, "more rejected": rejected}
    return ", ".join(f"{number:,} {what}" for what, number in numbers.items() if number)


def with_changes(found: Sequence[PlaylistChanges]) -> list[PlaylistChanges]:
    """The playlists with changes, sorted by name."""
    return sorted(filter(counts, found), key=lambda one: (one.name.casefold(), one.playlist_id))


def shown_name(changes: PlaylistChanges) -> str:
    """The playlist's name for a message: one short line that cannot become markup."""
    return _plain(changes.name)


def in_one_line(found: Sequence[PlaylistChanges]) -> str:
    """`Party mix: 2 added, 1 removed; Focus: 1 moved`; empty if nothing changed."""
    all_changed = with_changes(found)
    named = [f"{shown_name(one)}: {counts(one)}" for one in all_changed[:PLAYLISTS_NAMED]]
    more = len(all_changed) - len(named)
    return "; ".join([*named, *([f"and {more:,} more playlists changed"] if more else [])])


def in_lines(changes: PlaylistChanges) -> str:
    """Counts and the earlier date, then one line per song, at most SONGS_NAMED of each kind."""
    lines = [f"{shown_name(changes)}: {counts(changes)} since {changes.previous_date}"]
    for what, songs in _kinds(changes):
        lines += [_line(what, song) for song in songs[:SONGS_NAMED]]
        if len(songs) > SONGS_NAMED:
            lines.append(f"and {len(songs) - SONGS_NAMED:,} more {what}")
    return "\n".join(lines)


def changes_table(found: Sequence[PlaylistChanges], receipt_url: str) -> str:
    """Markdown table of the changes; rows that do not fit are only in the receipt."""
    if not with_changes(found):
        return "Nothing changed."
    return markdown_table(_rows(found), ARTIFACT_BYTES, f": the full receipt is {as_text(receipt_url)}")


def _rows(found: Sequence[PlaylistChanges]) -> Iterator[dict[str, object]]:
    for changes in with_changes(found):
        for what, songs in _kinds(changes):
            for song in songs:
                yield _row(changes, what, song)
        for reason, number in changes.rejected.items():
            entries = SongChange("", f"{number:,} more: {reason}", None, None, None, None)
            yield _row(changes, "rejected", entries)


def _row(changes: PlaylistChanges, what: str, song: SongChange) -> dict[str, object]:
    return {
        "playlist": _cell(or_no_name(changes.name)),
        "since": str(changes.previous_date),
        "change": what,
        "from": song.previous_position,
        "to": song.position,
        "song": _cell(or_no_name(song.name)),
        "artist": _cell(song.artist),
        "added by": _cell(song.added_by),
    }


def _cell(text: str | None) -> str:
    return shortened(text or "", CELL_CHARACTERS)


def _kinds(changes: PlaylistChanges) -> list[tuple[str, Sequence[SongChange]]]:
    return [("added", changes.entered), ("removed", changes.left), ("moved", changes.moved)]


def _line(what: str, song: SongChange) -> str:
    by = f" by {_plain(song.added_by)}" if what == "added" and song.added_by else ""
    places = " → ".join(dict.fromkeys(str(one) for one in (song.previous_position, song.position) if one))
    title = ": ".join([*([_plain(song.artist)] if song.artist else []), _plain(song.name)])
    return f"{what}{by} ({places}) {title}"


def _plain(text: str) -> str:
    words = " ".join(text[:SCANNED_CHARACTERS].split())
    shown = printable(words).translate(NO_MARKUP)
    for pattern, harmless in ADDRESSES:
        shown = pattern.sub(harmless, shown)
    return or_no_name(shortened(shown, NAME_CHARACTERS))
