"""How a song came to its place since the previous snapshot. Pure."""

from typing import NamedTuple

from pipeline.insights.report.contents import PlaylistFigures, SongLine
from pipeline.records import SongChange


class Movement(NamedTuple):
    """How a song came to its place since the previous snapshot: a symbol, and words for it."""

    symbol: str = ""
    words: str = ""
    is_fresh: bool = False


def raced(song: SongLine, figures: PlaylistFigures) -> Movement:
    """In a chart each place up or down counts."""
    before = song.previous_position
    if before is None or figures.previous_date is None:
        return _entered(song, figures)
    if before == song.position:
        return Movement("=", "same place")
    return _moved(before, song.position)


def placed(song: SongLine, figures: PlaylistFigures, change: SongChange | None) -> Movement:
    """In a list made by hand only what somebody moved: one song on top moves no other."""
    if song.previous_position is None:
        return _entered(song, figures)
    if change is None or change.previous_position in (None, song.position):
        return Movement()
    return _moved(change.previous_position, song.position)._replace(is_fresh=True)


def _moved(before: int, now: int) -> Movement:
    symbol, way = ("▲", "up") if before > now else ("▼", "down")
    return Movement(f"{symbol} {abs(before - now):,}", f"{way} from {before:,}")


def _entered(song: SongLine, figures: PlaylistFigures) -> Movement:
    if figures.previous_date is None:
        return Movement()
    word = "new" if song.snapshot_count == 1 else "again"
    return Movement(word, word, is_fresh=True)
