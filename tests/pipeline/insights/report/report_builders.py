"""Helpers for tests of the report: short constructors, and a parser of the HTML page."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from typing import Any

from pipeline.insights.report.contents import (
    PlaylistDetails,
    PlaylistFigures,
    ReportContents,
    SongLine,
    SongPlace,
)
from pipeline.insights.report.page import render_page
from pipeline.records import PlaylistChanges, SongChange

DAY = date(2026, 11, 28)
YESTERDAY = DAY - timedelta(days=1)
VOID = {"meta", "link", "br", "path", "rect"}


def figures(**changes: Any) -> PlaylistFigures:
    known = PlaylistFigures(
        playlist_id="aPlaylist0000000000001",
        playlist_name="Party mix",
        owner_name="Owner",
        report_date=DAY,
        snapshot_date=DAY,
        previous_date=YESTERDAY,
        is_stale=False,
        fetched_at=datetime(2026, 11, 28, 6, 5, tzinfo=UTC),
        item_count=3,
        song_count=3,
        entered_count=0,
        left_count=0,
        rejected_count=0,
        snapshot_count=2,
        day_count=1,
        missing_day_count=0,
        duration_ms=600_000,
        explicit_percent=50.0,
        moved_count=0,
    )
    return known._replace(**changes)


def line(position: int, name: str = "", **changes: Any) -> SongLine:
    own = SongLine(
        playlist_id="aPlaylist0000000000001",
        position=position,
        song_id=f"song-{position}",
        song_name=name or f"Song {position}",
        artist_names=f"Artist {position}",
        added_by=None,
        previous_position=position,
        peak_position=position,
        snapshot_count=2,
    )
    return own._replace(**changes)


def places(song_id: str, *positions: int | None) -> list[SongPlace]:
    """Positions of a song in the snapshots of consecutive days; None: not listed."""
    first = DAY - timedelta(days=len(positions) - 1)
    return [
        SongPlace(
            playlist_id="aPlaylist0000000000001",
            song_id=song_id,
            snapshot_number=number,
            snapshot_date=first + timedelta(days=number - 1),
            position=position,
            snapshot_count=len(positions),
            first_date=first,
        )
        for number, position in enumerate(positions, 1)
        if position is not None
    ]


def change(name: str, position: int | None, previous: int | None, by: str | None = None) -> SongChange:
    return SongChange(f"id of {name}", name, "Artist", position, previous, by)


def changes(
    entered: Sequence[SongChange] = (), left: Sequence[SongChange] = (), moved: Sequence[SongChange] = ()
) -> PlaylistChanges:
    return PlaylistChanges("aPlaylist0000000000001", "Party mix", DAY, YESTERDAY, entered, left, moved)


def report(*details: PlaylistDetails) -> ReportContents:
    return ReportContents(DAY, [one.figures for one in details], details)


class Page(HTMLParser):
    """A parsed page. `text`: visible text, element by element; `tags`: (name, attributes) of each element."""

    def __init__(self, page: bytes) -> None:
        super().__init__(convert_charrefs=True)
        self.text: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.headings: list[str] = []
        self._open: list[str] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Records the start of an element."""
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag in ("h1", "h2", "h3"):
            self.headings.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Checks that the element that ends is the one opened last."""
        if tag not in VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Records visible text."""
        if not data.strip() or "style" in self._open:
            return
        self.text.append(data)
        if "td" in self._open or ("tr" in self._open and "th" in self._open):
            self.rows[-1][-1] += data

    @property
    def words(self) -> str:
        """All visible text on one line."""
        return " ".join(" ".join(self.text).split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """Attributes of every element with this tag."""
        return [attributes for name, attributes in self.tags if name == tag]


def page(*details: PlaylistDetails) -> Page:
    return Page(render_page(report(*details)))
