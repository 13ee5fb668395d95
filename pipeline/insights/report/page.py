"""The report as one HTML file: no script, no request, the same bytes for the same contents."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.insights.report import drawings, words
from pipeline.insights.report.contents import PlaylistFigures, ReportContents
from pipeline.insights.report.sections import Section, moved_count, section
from pipeline.markdown import plural

HERE = Path(__file__).parent
PAGE_BYTES = 1_000_000
"""Mail and chat show an attachment of this size."""
ROWS = 1_000
"""Songs that all lists of the page show together, shared evenly; fewer if the page becomes too large."""


class OverviewLine(NamedTuple):
    """A playlist in the overview; `anchor` is where it is shown in full, if it is."""

    figures: PlaylistFigures
    anchor: str | None
    moved: str


def render_page(contents: ReportContents) -> bytes:
    """The page in UTF-8, below PAGE_BYTES; longer lists are cut, and the page says so."""
    rows = ROWS
    while len(page := _render(contents, rows)) > PAGE_BYTES and rows > 1:
        rows //= 2
    return page


def _render(contents: ReportContents, rows: int) -> bytes:
    each = max(rows // max(len(contents.details), 1), 1)
    sections = [section(f"p{number}", details, each) for number, details in enumerate(contents.details, 1)]
    overview = _overview(contents, sections) if len(contents.playlists) > 1 else []
    css = _css()
    page = (
        _environment()
        .get_template("page.html.jinja")
        .render(
            report=contents,
            sections=sections,
            overview=overview[:rows],
            more_playlists=len(overview) - len(overview[:rows]),
            css=Markup(css),  # noqa: S704 - our own file
            policy=_policy(css),
        )
    )
    return page.encode("utf-8", "replace")


def _overview(contents: ReportContents, sections: Sequence[Section]) -> list[OverviewLine]:
    shown = {one.details.figures.playlist_id: one for one in sections}
    return [
        OverviewLine(
            figures,
            shown[figures.playlist_id].anchor if figures.playlist_id in shown else None,
            moved_count(shown[figures.playlist_id].details.changes)
            if figures.playlist_id in shown
            else words.NOTHING,
        )
        for figures in contents.playlists
    ]


def _summary(playlists: Sequence[PlaylistFigures]) -> str:
    """`6 playlists; in 2 of them songs were added or removed`."""
    changed = playlists[0].changed_playlist_count if playlists else 0
    return f"{plural(len(playlists), 'playlist')}; in {changed:,} of them songs were added or removed"


def _policy(css: str) -> str:
    """Nothing may be loaded or run; the one style sheet is known by its hash."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    style = f"style-src 'sha256-{digest}'"
    return f"default-src 'none'; {style}; img-src 'none'; base-uri 'none'; form-action 'none'"


@cache
def _css() -> str:
    return (HERE / "page.css").read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.filters |= {
        "title": words.shown_title,
        "text": words.shown_text,
        "date": words.shown_date,
        "day": words.shown_day,
        "length_of_time": words.shown_length,
        "percent": words.percent,
        "plural": plural,
        "number": "{:,}".format,
        "bar": drawings.draw_bar,
        "summary": _summary,
    }
    return environment
