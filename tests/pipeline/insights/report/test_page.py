"""The HTML page of the report: content, no requests, no scripts, and no title that becomes markup."""

import base64
import hashlib
import re
from datetime import date
from itertools import pairwise

import pytest

from pipeline.insights.report import page as page_module
from pipeline.insights.report.contents import Bar, PlaylistDetails
from pipeline.insights.report.owners import distinguishing_owners
from pipeline.insights.report.page import PAGE_BYTES, render_page
from pipeline.insights.report.words import NAME_CHARACTERS, NO_VALUE, shown_length
from tests.pipeline.insights.report.report_builders import (
    DAY,
    Page,
    change,
    changes,
    figures,
    line,
    page,
    places,
    report,
)

EDITED = PlaylistDetails(
    figures=figures(entered_count=2, left_count=1, moved_count=1, rejected_count=2, missing_day_count=1),
    changes=changes(
        [change("Ann's", 2, None, "ann"), change("Bob's", 3, None, "bob")],
        [change("Gone", None, 2)],
        [change("Dragged", 1, 61)],
    ),
    songs=[
        line(1, "Dragged", song_id="id of Dragged", previous_position=61),
        line(2, "Ann's", previous_position=None, snapshot_count=1, added_by="ann"),
        line(3, "Bob's", previous_position=None, snapshot_count=4, added_by="bob"),
    ],
    artists=[
        Bar("aPlaylist0000000000001", "Artist 1", 2, 66.7),
        Bar("aPlaylist0000000000001", "Artist 2", 1, 0.4),
    ],
    ages=[Bar("aPlaylist0000000000001", "under a year", 3, 99.6)],
    rejects=[Bar("aPlaylist0000000000001", "null_item", 1, 25)],
)
CHART = PlaylistDetails(
    figures=figures(playlist_id="bPlaylist0000000000002", playlist_name="Chart", moved_count=2),
    changes=changes(moved=[change("a", 1, 2), change("b", 2, 1)]),
    songs=[line(1, song_id="a", previous_position=2), line(2, song_id="b", previous_position=1), line(3)],
    places={"a": places("a", 3, 2, 1), "b": places("b", 1, 1, 2), "gone": places("gone", 2, 3, None)},
)

HOSTILE = {
    "script": "<script>alert(1)</script>",
    "end of the style": "</style><script>alert(1)</script>",
    "image": '<img src=x onerror="alert(1)">',
    "quote": '"><svg onload=alert(1)>',
    "apostrophe": "' onmouseover='alert(1)",
    "comment": "<!-- --> ]]> <![CDATA[",
    "entity": "&lt;b&gt; &amp;amp; &#0; &nbsp;",
    "ampersand": "Rock & Roll &copy",
    "Jinja": "{{ 7*7 }}{% raw %}",
    "right to left": "\u202eevil\u202c \u2067x\u2069",
    "Hebrew": "קפה (live)",
    "Arabic": "قطار الليل",
    "Japanese": "夜のやかん",
    "wide emoji": "🧑\u200d" * 30,
    "emoji": "🫖👩\u200d👩\u200d👧\u200d👦🇦🇶👍🏽",
    "line breaks": "a\nb\r\nc\u2028d",
    "control characters": "a\x00b\x07c\x1b[31md",
    "long": "x" * 10_000,
    "long emoji": "🫖" * 10_000,
    "combining": "Z\u0310\u0311\u0312" * 20,
    "formula": '=HYPERLINK("http://x","y")',
    "URL": "javascript:alert(1) https://example.com",
    "empty": "",
    "blank": " \t ",
    "invisible": "\u200b\ufeff\u3164\u00ad\u2060\u200f\u2800\u115f\ufe0f",
}


def test_the_page_starts_with_the_changes_and_who_added_the_songs() -> None:
    text = page(EDITED).words
    assert text.index("Party mix") < text.index("2 added, 1 removed, 1 moved, 2 more rejected since 27 Nov")
    assert "Ann's Artist · at 2 · added by ann" in text
    assert "Bob's Artist · at 3 · added by bob" in text
    assert "Gone Artist · was at 2" in text
    assert "Dragged Artist · from 61 to 1" in text
    assert text.index("was at 2") < text.index("The list")


def test_an_edited_list_shows_moved_songs_and_no_race_chart() -> None:
    shown = page(EDITED)
    rows = [row[:2] for row in shown.rows if row[0] in ("1", "2", "3")]
    assert rows == [["1", "▲ 60up from 61"], ["2", "newnew"], ["3", "againagain"]]
    assert "race" not in shown.words


def test_a_chart_shows_every_position_change_and_the_race_chart() -> None:
    shown = page(CHART)
    rows = [row[:2] for row in shown.rows if row[0] in ("1", "2", "3")]
    assert rows == [["1", "▲ 1up from 2"], ["2", "▼ 1down from 1"], ["3", "=same place"]]
    assert "The race of the top ten" in shown.words
    assert "3 snapshots. Dotted" in shown.words
    assert [one["class"] for one in shown.all("g")] == ["racer", "racer leader"]
    race = [one["d"] for one in shown.all("path")][:5]
    assert race[0] == "M0 15c5 0 5 10 10 10"
    assert race[1:3] == ["M0 5h10c5 0 5 10 10 10", "M20 15h0"]
    assert race[3:] == ["M0 25c5 0 5 -10 10 -10c5 0 5 -10 10 -10", "M20 5h0"]
    assert [one["class"] for one in shown.all("path") if one.get("class")][:3] == ["past", "now", "now"]


def test_bars_figures_and_rejects_are_shown_as_numbers() -> None:
    shown = page(EDITED)
    for row in (
        ["Artist 1", "", "2", "67 %"],
        ["Artist 2", "", "1", "< 1 %"],
        ["under a year", "3", "> 99 %"],
        ["no longer available", "1", "25 %"],
    ):
        assert row in shown.rows
    assert [one["width"] for one in shown.all("rect")] == ["100%", "67%", "100%", "1%"]
    for text in ("Songs 3", "Length 10 min", "Explicit 50 %", "Snapshots 2", "1 of 1 day"):
        assert text in shown.words
    assert "Read from Spotify 28 Nov 2026, 06:05 UTC" in shown.words


def test_a_first_snapshot_is_not_compared() -> None:
    first = PlaylistDetails(
        figures(previous_date=None), songs=[line(1, previous_position=None, snapshot_count=1)]
    )
    shown = page(first)
    assert "First snapshot: there is nothing to compare it with yet" in shown.words
    assert ["1", ""] in [row[:2] for row in shown.rows]
    assert "too long" not in shown.words


def test_an_empty_playlist_is_shown() -> None:
    shown = page(
        PlaylistDetails(
            figures(item_count=0, song_count=0, duration_ms=None, explicit_percent=None), changes()
        )
    )
    assert "Nothing changed since 27 Nov" in shown.words
    assert "The playlist is empty." in shown.words


def test_a_snapshot_older_than_the_report_is_named() -> None:
    older = PlaylistDetails(figures(report_date=DAY.replace(day=30)), changes())
    assert "No snapshot for 30 Nov 2026: this is the one of 28 Nov 2026." in page(older).words


def test_a_list_too_long_to_compare_is_named() -> None:
    text = page(PlaylistDetails(figures(entered_count=1, moved_count=None), None)).words
    assert "1 added since 27 Nov" in text
    assert "too long to compare song by song" in text


def test_a_report_of_several_playlists_begins_with_an_overview() -> None:
    shown = page(EDITED, CHART)
    assert "2 playlists; 2 of them changed" in shown.words
    assert ["Party mix", "3", "2", "1", "1", "2"] in shown.rows
    assert ["Chart", "3", "0", "0", "2", "0"] in shown.rows
    targets = {attributes["id"] for attributes in shown.all("section")}
    links = [attributes["href"] or "" for attributes in shown.all("a")]
    assert {link[1:] for link in links if link.startswith("#")} == targets


def test_a_stale_playlist_is_marked_and_has_no_change_counts() -> None:
    old = figures(snapshot_date=date(2026, 2, 2), previous_date=None, is_stale=True, moved_count=None)
    other = figures(playlist_id="other")
    shown = page(
        PlaylistDetails(old, songs=[line(1, previous_position=None)]), PlaylistDetails(other, changes())
    )
    assert "2 playlists; none of them changed" in shown.words
    (row,) = [row for row in shown.rows if "last read" in row[0]]
    assert row[0].endswith("last read 2 Feb 2026")
    assert "by Owner (aPlaylist0000000000001)" in row[0]
    assert row[1:] == ["3", *[NO_VALUE] * 3]
    assert "Last read 2 Feb 2026" in shown.words
    assert ["1", ""] in [row[:2] for row in shown.rows]


def test_playlists_with_the_same_name_are_distinguished() -> None:
    others = [("b", "Owner"), ("c", "Ann"), ("d", None)]
    same = [figures(playlist_id=id_, owner_name=owner) for id_, owner in others]
    assert distinguishing_owners([figures(playlist_id="a", playlist_name="Chart"), *same]) == {
        "b": "by Owner", "c": "by Ann", "d": "",
    }  # fmt: skip
    assert distinguishing_owners([figures(playlist_id="a"), *same])["b"] == "by Owner (b)"
    assert distinguishing_owners([same[2], same[2]._replace(playlist_id="e")]) == {"d": "(d)", "e": "(e)"}


def test_the_user_who_added_most_songs_is_named_once() -> None:
    by_ann = EDITED._replace(
        changes=changes([change("x", 1, None, "ann"), change("y", 2, None, "ann")]),
        songs=[line(1, added_by="ann"), line(2, added_by="ann")],
    )
    text = page(by_ann).words
    assert "Added by ann" in text
    assert "The list added by ann Place" in text
    assert text.count("added by ann") == 1
    text = page(by_ann._replace(songs=[*by_ann.songs, line(3, added_by="bob")])).words
    assert "The list added by ann unless noted" in text
    assert (text.count("added by ann"), text.count("added by bob")) == (1, 1)
    text = page(by_ann._replace(songs=[*by_ann.songs, line(3)])).words
    assert text.count("added by ann") == 2


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (None, NO_VALUE),
        (29_000, "29 s"),
        (59_700, "1 min"),
        (3_570_000, "1 h 0 min"),
        (9 * 3_600_000, "9 h 0 min"),
    ],
)
def test_durations_are_shown_in_suitable_units(milliseconds: int | None, text: str) -> None:
    assert shown_length(milliseconds) == text


@pytest.mark.parametrize("title", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_title_is_shown_as_text(title: str) -> None:
    own = PlaylistDetails(
        figures(playlist_name=title, owner_name=title),
        changes([change(title, 1, None, title)], [change(title, None, 1)], [change(title, 2, 9)]),
        [line(1, title, song_id="a", artist_names=title, added_by=title), line(2, title, added_by="ann")],
        {"a": places("a", 1, 2, 1)},
        [Bar("", title, 1, 100)],
        rejects=[Bar("", title, 1, 100)],
    )
    shown, plain = page(own, EDITED), page(own._replace(figures=figures(owner_name=title)), EDITED)
    assert [tag for tag, _ in shown.tags] == [tag for tag, _ in plain.tags]
    kept = "".join(
        one for one in " ".join(title.split()) if one not in "\x00\x07\x1b\u202e\u202c\u2067\u2069"
    )
    kept = "" if title == HOSTILE["invisible"] else kept
    expected = kept.strip() if len(kept) <= NAME_CHARACTERS else kept[: NAME_CHARACTERS - 1] + "…"
    assert shown.text.count(expected or "(no name)") >= 7
    assert "\u202e" not in shown.words


def test_the_page_requests_nothing_and_runs_no_script() -> None:
    raw = render_page(report(EDITED, CHART)).decode()
    shown = Page(raw.encode())
    assert not {tag for tag, _ in shown.tags} & {
        "script",
        "link",
        "img",
        "iframe",
        "object",
        "form",
        "image",
        "use",
    }
    names = {name for _, attributes in shown.tags for name in attributes}
    assert not names & {"style", "src", "srcset", "action", "background"}
    assert [name for name in names if name.startswith("on")] == []
    assert "url(" not in raw
    assert "@import" not in raw
    css = raw.partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    (policy,) = [one["content"] or "" for one in shown.all("meta") if one.get("http-equiv")]
    assert policy.startswith("default-src 'none'; ")
    assert f"style-src 'sha256-{digest}'; img-src 'none'" in policy


def test_the_page_is_accessible_to_screen_readers() -> None:
    shown = page(EDITED, CHART)
    assert shown.all("html") == [{"lang": "en"}]
    assert shown.headings[:3] == ["h1", "h2", "h3"]
    levels = [int(heading[1]) for heading in shown.headings]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    pictures = shown.all("svg")
    assert pictures
    for picture in pictures:
        assert picture.get("aria-hidden") == "true" or (picture["role"] == "img" and picture["aria-label"])
    labels = [picture["aria-label"] for picture in pictures if picture.get("class") == "sparkline"]
    assert "From 3 on 26 Nov 2026 to 1, best 1" in labels


def test_equal_contents_are_rendered_to_equal_bytes() -> None:
    assert render_page(report(EDITED, CHART)) == render_page(report(EDITED, CHART))


@pytest.mark.parametrize("scheme", [0, 1, 2], ids=["light", "dark", "print"])
def test_colours_have_the_contrast_that_wcag_requires(scheme: int) -> None:
    css = (page_module.HERE / "page.css").read_text(encoding="utf-8")
    colours = dict(re.findall(r"--(\w+): (#\w{6})", css.split(":root {")[scheme + 1].partition("}")[0]))
    for name, least in {"text": 7, "quiet": 4.5, "accent": 4.5, "line": 3, "past": 3}.items():
        assert contrast(colours[name], colours["page"]) >= least, name


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours as defined by WCAG 2."""
    dark, light = sorted(luminance(colour) for colour in (one, other))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def long_list(length: int, name: str, snapshots: int = 30) -> PlaylistDetails:
    """A chart of `length` songs with this name; every song moves every day."""
    songs = [line(number, name, song_id=str(number), artist_names=name) for number in range(1, length + 1)]
    return PlaylistDetails(
        figures(playlist_name=name, song_count=length, item_count=length),
        changes([change(name, 1, None, name)] * 50, [change(name, None, 1)] * 50, [change(name, 2, 9)] * 50),
        songs,
        {
            song.song_id: places(song.song_id, *[song.position, song.position + 1] * (snapshots // 2 + 1))[
                :snapshots
            ]
            for song in songs
        },
        [Bar("", name, 1, 10)] * 10,
    )


@pytest.mark.parametrize(
    "name",
    ["Song", pytest.param('"' * 10_000, marks=pytest.mark.faults)],
    ids=["short names", "long names"],
)
@pytest.mark.parametrize(("playlists", "length"), [(20, 50), (1, 10_000)], ids=["20 charts", "10,000 songs"])
def test_the_page_stays_below_its_size_limit_and_states_what_it_leaves_out(
    playlists: int, length: int, name: str
) -> None:
    own = long_list(min(length, 1_000), name)
    own = own._replace(figures=own.figures._replace(song_count=length))
    contents = report(*[own] * playlists)
    others = [figures(playlist_name=name)] * 5_000
    rendered = render_page(contents._replace(playlists=[*contents.playlists, *others]))
    assert 100_000 < len(rendered) < PAGE_BYTES
    shown = Page(rendered)
    rows = len(re.findall(r'class="sparkline"', rendered.decode()))
    if rows < playlists * length:
        assert f"of {length:,} songs." in shown.words
    assert re.search(r"\d more playlists, with fewer changes", shown.words)
    assert f"Below: the {playlists} playlist" in shown.words
