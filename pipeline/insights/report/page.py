"""Renders the report as one HTML file: no script, no request, the same bytes for the same contents."""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from pipeline.insights.report import drawings, words
from pipeline.insights.report.contents import PlaylistFigures, ReportContents
from pipeline.insights.report.owners import distinguishing_owners, owned_by
from pipeline.insights.report.sections import Section, section
from pipeline.markdown import plural

HERE = Path(__file__).parent
PAGE_BYTES = 1_000_000
"""Limit of the report: mail programs and chats show attachments of this size."""
OVERVIEW_ROWS = 1_000
"""Maximum number of playlists in the overview; fewer if the report becomes too large."""
TARGET_SHARE = 0.95
"""Share of PAGE_BYTES that a cut report aims at: rows differ in length, so the estimate is not exact."""


class OverviewLine(NamedTuple):
    """A playlist in the overview.

    `anchor`: id of its section, if it is shown in full. `owner`: empty if the name is unique.
    """

    figures: PlaylistFigures
    anchor: str | None
    owner: str


def render_page(contents: ReportContents) -> bytes:
    """The report in UTF-8, below PAGE_BYTES. Longer lists are cut, which the report states."""
    longest, share = max((len(one.songs) for one in contents.details), default=0), 1.0
    while True:
        rows, lines = max(int(longest * share), 1), max(int(OVERVIEW_ROWS * share), 1)
        page = _render(contents, rows, lines)
        if len(page) <= PAGE_BYTES or rows == lines == 1:
            return page
        share *= TARGET_SHARE * PAGE_BYTES / len(page)


def _render(contents: ReportContents, rows: int, lines: int) -> bytes:
    """The report with at most `rows` rows of each list, and `lines` lines of the overview."""
    sections = [section(f"p{number}", details, rows) for number, details in enumerate(contents.details, 1)]
    owners = distinguishing_owners(contents.playlists)
    overview = _overview(contents, sections, owners) if len(contents.playlists) > 1 else []
    css = _css()
    page = (
        _environment()
        .get_template("page.html.jinja")
        .render(
            report=contents,
            sections=sections,
            overview=overview[:lines],
            more_playlists=len(overview) - len(overview[:lines]),
            summary=_summary(contents.playlists),
            notes=[*_notes(contents)],
            has_rejected=any(one.rejected_count for one in contents.playlists),
            owners=owners,
            css=Markup(css),  # noqa: S704 - our own file
            policy=_policy(css),
        )
    )
    return page.encode("utf-8", "replace")


def _overview(
    contents: ReportContents, sections: Sequence[Section], owners: Mapping[str, str]
) -> list[OverviewLine]:
    anchors = {one.details.figures.playlist_id: one.anchor for one in sections}
    return [
        OverviewLine(one, anchors.get(one.playlist_id), owners.get(one.playlist_id, ""))
        for one in contents.playlists
    ]


def _summary(playlists: Sequence[PlaylistFigures]) -> str:
    """`6 playlists; 2 of them changed`."""
    changed = sum(one.change_count > 0 for one in playlists)
    return f"{plural(len(playlists), 'playlist')}; {f'{changed:,}' if changed else 'none'} of them changed"


def _notes(contents: ReportContents) -> Iterator[str]:
    """Notes below the overview."""
    if any(one.moved_count is None and one.previous_date for one in contents.playlists):
        yield f"{words.NO_VALUE}: these lists are too long to compare song by song."
    shown = len(contents.details)
    if 0 < shown < len(contents.playlists):
        changed = sum(one.change_count > 0 for one in contents.playlists)
        which = "with most changes" if changed > shown else "that changed or are new"
        yield f"Below: the {plural(shown, 'playlist')} {which}."


def _policy(css: str) -> str:
    """Content security policy: nothing may be loaded or run, except for the style sheet, by its hash."""
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
        "owner": owned_by,
    }
    return environment
