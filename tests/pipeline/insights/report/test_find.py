"""Numbers of the report: equal to those of the views, for any date, and shown on the page."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from pipeline.insights import changes
from pipeline.insights.report import find
from pipeline.insights.report.contents import PlaylistDetails, PlaylistFigures, ReportContents
from pipeline.insights.report.find import MIN_ROWS_PER_LIST, find_report
from pipeline.insights.report.page import render_page
from sandbox.spotify.catalogue import CHARTS, EMPTIED, EMPTY, MIXTAPE, NAMES, SHARED
from tests.builders import OTHER_PLAYLIST, PLAYLIST, entry, head, snapshot, song
from tests.pipeline.insights.report.report_builders import Page
from tests.warehouses import DAY, Warehouse

CHART, _ = CHARTS
ALL = [SHARED, CHART, MIXTAPE, EMPTY, EMPTIED]
DAYS = tuple(DAY - timedelta(days=age) for age in (8, 7, 6, 5, 4, 2, 1, 0))
"""Snapshot dates; the day three days ago is missing."""
YESTERDAY = DAY - timedelta(days=1)


def report(warehouse: Warehouse, playlists: Sequence[str] = (), on: date | None = None) -> ReportContents:
    """Finds the report with the loader role, as a run does."""
    with warehouse.session() as session:
        found = find_report(session, playlists, on)
    assert found
    return found


def load(warehouse: Warehouse, day: date, **playlists: Sequence[Any]) -> None:
    """Publishes snapshots of playlists with these entries."""
    run_id = warehouse.new_run_id()
    kept = [
        snapshot([head([*entries], id_=id_, name=f"List {id_[0]}")], len(entries), id_)
        for id_, entries in playlists.items()
    ]
    warehouse.load(run_id, warehouse.write_snapshots(run_id, {day: kept}))


def songs(names: str) -> list[Any]:
    return [entry(song(name)) for name in names]


def by_id(contents: ReportContents) -> dict[str, PlaylistDetails]:
    return {one.figures.playlist_id: one for one in contents.details}


def as_numbers(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in rows]


def test_every_number_of_the_report_equals_that_of_the_views(warehouse: Warehouse) -> None:
    """One test for all numbers, because loading the history takes longest."""
    warehouse.publish(*ALL, days=DAYS)
    contents = report(warehouse, ALL)
    assert [one.playlist_id for one in contents.playlists] == ALL
    query = warehouse.place.query
    shown = Page(render_page(contents))
    for playlist_id, own in by_id(contents).items():
        check_figures(query, own.figures)
        check_list(query, own)
        check_bars(query, own)
        check_page(shown, own)
        assert own.figures.playlist_name == NAMES[playlist_id]
    assert {id_ for id_, own in by_id(contents).items() if own.places} == {CHART}
    check_race(query, by_id(contents)[CHART])


def check_figures(query: Any, figures: PlaylistFigures) -> None:
    own = figures.playlist_id
    assert (figures.snapshot_date, figures.previous_date, figures.report_date) == (DAY, YESTERDAY, DAY)
    found = query(
        "SELECT change, COUNT(*) FROM playlist_changes WHERE playlist_id = ? AND snapshot_date = ?"
        " GROUP BY change",
        own,
        DAY,
    )
    counted = {"entered": figures.entered_count, "left": figures.left_count}
    assert dict(found) == {change: count for change, count in counted.items() if count}
    ((count, length, explicit),) = query(
        "SELECT COUNT(*), SUM(duration_ms), 100 * AVG(IFF(is_explicit, 1, 0)) FROM tracklist"
        " WHERE playlist_id = ?",
        own,
    )
    assert (figures.song_count, figures.duration_ms) == (count, length)
    assert figures.explicit_percent == (None if explicit is None else pytest.approx(explicit))
    ((snapshots,),) = query("SELECT COUNT(*) FROM playlists_history WHERE playlist_id = ?", own)
    ((fetched_at,),) = query("SELECT fetched_at FROM freshness WHERE playlist_id = ?", own)
    assert (figures.snapshot_count, figures.fetched_at) == (snapshots, fetched_at)
    assert (figures.missing_day_count, figures.day_count) == (1, 8)
    ((rejected,),) = query(
        """
        SELECT COALESCE(SUM(GREATEST(now - before, 0)), 0)
        FROM (
            SELECT COUNT_IF(snapshot_date = ?) AS now, COUNT_IF(snapshot_date = ?) AS before
            FROM rejects_history WHERE playlist_id = ? GROUP BY reason
        )
        """,
        DAY,
        YESTERDAY,
        own,
    )
    assert figures.rejected_count == rejected


def check_list(query: Any, own: PlaylistDetails) -> None:
    listed = query(
        """
        SELECT t.position, t.song_id, t.song_name, t.artist_names, t.added_by, j.peak_position,
            j.snapshot_count
        FROM tracklist AS t
        INNER JOIN song_journeys AS j ON t.playlist_id = j.playlist_id AND t.song_id = j.song_id
        WHERE t.playlist_id = ? ORDER BY t.position
        """,
        own.figures.playlist_id,
    )
    found = [
        (s.position, s.song_id, s.song_name, s.artist_names, s.added_by, s.peak_position, s.snapshot_count)
        for s in own.songs
    ]
    assert found == listed[: len(found)]
    assert len(found) == min(len(listed), MIN_ROWS_PER_LIST)
    before = query(
        "SELECT song_id, previous_position FROM song_journeys WHERE playlist_id = ? AND is_listed",
        own.figures.playlist_id,
    )
    ids = [s.song_id for s in own.songs]
    once = {s.song_id: s.previous_position for s in own.songs if ids.count(s.song_id) == 1}
    assert once == {song_id: position for song_id, position in before if song_id in once}


def check_bars(query: Any, own: PlaylistDetails) -> None:
    id_ = own.figures.playlist_id
    artists = query(
        "SELECT artist_name, song_count FROM top_artists WHERE playlist_id = ? AND snapshot_date = ?"
        " ORDER BY artist_rank, artist_id LIMIT 10",
        id_,
        DAY,
    )
    assert [(bar.label, bar.entry_count) for bar in own.artists] == artists
    rejects = query("SELECT reason, COUNT(*) FROM rejects WHERE playlist_id = ? GROUP BY 1", id_)
    assert {bar.label: bar.entry_count for bar in own.rejects}.items() <= dict(rejects).items()
    assert len(own.rejects) == min(10, len(rejects))
    assert sum(bar.entry_count for bar in own.ages) == own.figures.song_count
    if own.ages:
        assert sum(float(bar.percent) for bar in own.ages) == pytest.approx(100)


def check_page(shown: Page, own: PlaylistDetails) -> None:
    """Checks that the track list on the page has the numbers of the query."""
    rows = [(row[0], row[3], row[4]) for row in shown.rows if len(row) in (5, 6)]
    wanted = [(str(s.position), str(s.peak_position), f"{s.snapshot_count:,}") for s in own.songs]
    starts = [at for at, row in enumerate(rows) if row == wanted[0]] if wanted else [0]
    assert any(rows[at : at + len(wanted)] == wanted for at in starts)


def check_race(query: Any, own: PlaylistDetails) -> None:
    """Checks that each mark of the race chart is a row of the history."""
    listed = query(
        "SELECT song_id, snapshot_date, MIN(position) FROM tracklist_history WHERE playlist_id = ?"
        " GROUP BY song_id, snapshot_date",
        own.figures.playlist_id,
    )
    drawn = {s.song_id for s in own.songs} | {song_id for song_id, _, position in listed if position <= 10}
    found = [(p.song_id, p.snapshot_date, p.position) for of in own.places.values() for p in of]
    assert sorted(found) == sorted(row for row in listed if row[0] in drawn)
    numbers = {p.snapshot_date: p.snapshot_number for of in own.places.values() for p in of}
    assert numbers == {day: number for number, day in enumerate(DAYS, 1)}


@pytest.mark.faults
def test_a_report_for_a_date_shows_the_newest_snapshot_up_to_that_date(warehouse: Warehouse) -> None:
    load(warehouse, DAY - timedelta(days=5), **{PLAYLIST: songs("ab"), OTHER_PLAYLIST: songs("z")})
    load(warehouse, DAY - timedelta(days=4), **{PLAYLIST: songs("bac")})
    load(warehouse, DAY, **{PLAYLIST: songs("x")})
    contents = report(warehouse, on=YESTERDAY)
    assert contents.report_date == YESTERDAY
    own, other = (by_id(contents)[id_] for id_ in (PLAYLIST, OTHER_PLAYLIST))
    assert (own.figures.snapshot_date, own.figures.previous_date) == (
        DAY - timedelta(days=4),
        DAY - timedelta(days=5),
    )
    assert [
        (s.song_id, s.position, s.previous_position, s.peak_position, s.snapshot_count) for s in own.songs
    ] == [
        ("b", 1, 2, 1, 2),
        ("a", 2, 1, 1, 2),
        ("c", 3, None, 3, 1),
    ]
    assert (own.figures.missing_day_count, own.figures.day_count) == (2, 4)
    assert own.changes
    assert [(one.name, one.position) for one in own.changes.entered] == [("Song c", 3)]
    assert len(own.changes.moved) == 1
    assert (other.figures.previous_date, other.changes) == (None, None)
    assert (own.figures.is_stale, other.figures.is_stale) == (False, False)
    now = by_id(report(warehouse))
    assert {id_: one.figures.is_stale for id_, one in now.items()} == {PLAYLIST: False, OTHER_PLAYLIST: True}


def test_missing_days_are_counted_as_in_the_view_freshness(warehouse: Warehouse) -> None:
    ((today,),) = warehouse.place.query("SELECT SYSDATE()::DATE")
    for age in (40, 6, 4, 0):
        load(warehouse, today - timedelta(days=age), **{PLAYLIST: songs("a")})
    load(warehouse, today - timedelta(days=3), **{OTHER_PLAYLIST: songs("a")})
    found = warehouse.place.query("SELECT playlist_id, missing_day_count FROM freshness")
    shown = by_id(report(warehouse, on=today))
    assert {id_: own.figures.missing_day_count for id_, own in shown.items()} == dict(found)
    assert {id_: own.figures.day_count for id_, own in shown.items()} == {PLAYLIST: 30, OTHER_PLAYLIST: 3}


def test_a_song_listed_twice_has_two_positions(warehouse: Warehouse) -> None:
    load(warehouse, YESTERDAY, **{PLAYLIST: songs("aba")})
    load(warehouse, DAY, **{PLAYLIST: songs("abca")})
    (own,) = report(warehouse).details
    found = [(s.song_id, s.position, s.previous_position, s.peak_position) for s in own.songs]
    assert found == [("a", 1, 1, 1), ("b", 2, 2, 2), ("c", 3, None, 3), ("a", 4, 3, 1)]
    assert (own.figures.entered_count, own.figures.left_count) == (1, 0)


@pytest.mark.faults
def test_of_many_playlists_those_with_the_most_changes_are_shown_in_detail(warehouse: Warehouse) -> None:
    """A move counts as a change; a change in an older snapshot than that of the report does not."""
    ids = [f"{number:022}" for number in range(find.MAX_DETAILED + 2)]
    moved, same, old, *others = ids
    load(warehouse, YESTERDAY - timedelta(days=9), **{old: songs("abc")})
    load(warehouse, YESTERDAY - timedelta(days=8), **{old: songs("xyz")})
    load(
        warehouse,
        YESTERDAY,
        **{moved: songs("abcde"), same: songs("a"), **{id_: songs("a") for id_ in others}},
    )
    load(warehouse, DAY, **{moved: songs("deabc"), same: songs("a"), **{id_: songs("ab") for id_ in others}})
    contents = report(warehouse)
    assert [one.playlist_id for one in contents.playlists] == [moved, *others, same, old]
    assert [one.figures.playlist_id for one in contents.details] == [moved, *others]
    shown = Page(render_page(contents))
    assert "22 playlists; 20 of them changed" in shown.words
    assert "Below: the 20 playlists that changed or are new." in shown.words


@pytest.mark.faults
def test_changes_of_a_playlist_too_large_to_compare_are_still_counted(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MAX_ENTRIES", 4)
    load(warehouse, YESTERDAY, **{PLAYLIST: songs("abc"), OTHER_PLAYLIST: songs("a")})
    load(warehouse, DAY, **{PLAYLIST: songs("abd"), OTHER_PLAYLIST: songs("ab")})
    own, other = (by_id(report(warehouse))[id_] for id_ in (PLAYLIST, OTHER_PLAYLIST))
    assert (own.changes, own.figures.entered_count, own.figures.left_count) == (None, 1, 1)
    assert other.changes
    assert len(other.changes.entered) == 1


@pytest.mark.faults
def test_the_age_of_a_release_is_computed_at_the_snapshot_date(warehouse: Warehouse) -> None:
    dates = {"a": "2026-11-10", "b": "2026-01-01", "c": "2024", "d": "1980-06", "e": "0000"}
    listed = [
        entry(song(name, on={**song()["album"], "id": name, "release_date": day,
                             "release_date_precision": ("year", "month", "day")[day.count("-")]}))
        for name, day in dates.items()
    ]  # fmt: skip
    load(warehouse, DAY, **{PLAYLIST: listed})
    (own,) = report(warehouse).details
    ages = {bar.label: (bar.entry_count, float(bar.percent)) for bar in own.ages}
    labels = ("under a month", "under a year", "1 to 5 years", "over 20 years", "unknown")
    assert ages == dict.fromkeys(labels, (1, 20.0))


def test_without_a_snapshot_there_is_no_report(warehouse: Warehouse) -> None:
    with warehouse.session() as session:
        assert find_report(session, []) is None
        warehouse.publish(EMPTY)
        assert find_report(session, [CHART]) is None
        assert find_report(session, [], YESTERDAY) is None
        assert find_report(session, [EMPTY], DAY)


@pytest.mark.faults
def test_the_same_data_give_the_same_page_with_a_fixed_number_of_statements(warehouse: Warehouse) -> None:
    warehouse.publish(CHART, SHARED, days=DAYS[-2:])
    with warehouse.session() as session:
        pages = []
        for _ in range(2):
            found = find_report(session, [])
            assert found
            pages.append(render_page(found))
        assert pages[0] == pages[1]
        assert len(session.statements) == 14
