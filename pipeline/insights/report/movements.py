"""Movement of a song since the previous snapshot. Pure."""

from typing import NamedTuple

from pipeline.insights.report.contents import PlaylistFigures, SongLine
from pipeline.records import SongChange


class Movement(NamedTuple):
    """Movement of a song since the previous snapshot: a symbol, its text alternative, and emphasis."""

    symbol: str = ""
    words: str = ""
    is_highlighted: bool = False


def chart_movement(song: SongLine, figures: PlaylistFigures) -> Movement:
    """Movement in a chart: every difference between the places."""
    before = song.previous_position
    if before is None or figures.previous_date is None:
        return _entered(song, figures)
    if before == song.position:
        return Movement("=", "same place")
    return _moved(before, song.position)


def list_movement(song: SongLine, figures: PlaylistFigures, change: SongChange | None) -> Movement:
    """Movement in a list made by hand: only songs that somebody moved, not those that shifted with them."""
    if song.previous_position is None:
        return _entered(song, figures)
    if change is None or change.previous_position in (None, song.position):
        return Movement()
    return _moved(change.previous_position, song.position)._replace(is_highlighted=True)


def _moved(before: int, now: int) -> Movement:
    symbol, direction = ("▲", "up") if before > now else ("▼", "down")
    return Movement(f"{symbol} {abs(before - now):,}", f"{direction} from {before:,}")


def _entered(song: SongLine, figures: PlaylistFigures) -> Movement:
    if figures.previous_date is None:
        return Movement()
    word = "new" if song.snapshot_count == 1 else "again"
    return Movement(word, word, is_highlighted=True)
