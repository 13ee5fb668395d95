"""Every row of every view, compared with the oracle: on random playlists and on recorded charts."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.view_columns import VIEW_COLUMNS
from tests.flows import oracle
from tests.flows.histories import History, load, random_history, recorded_charts
from tests.pools import Pool
from tests.warehouses import Warehouse

Loaded = tuple[Warehouse, History]
RowCounts = Counter[tuple[object, ...]]
EQUAL: tuple[RowCounts, RowCounts] = (Counter(), Counter())
BRAZIL, GLOBAL = "37i9dQZEVXbMXbN3EUUhlg", "37i9dQZEVXbMDoHDwVN2tF"
"""Ids of recorded charts. The global chart has over a million moves, which take long to compare."""


@pytest.fixture(scope="module")
def random_playlists(warehouses: Pool[Warehouse]) -> Iterator[Loaded]:
    """Forty small playlists."""
    history = random_history(playlists=40, days=8, seed=18)
    with warehouses.acquire() as warehouse:
        load(warehouse, history)
        yield warehouse, history


@pytest.fixture(scope="module")
def recorded(warehouses: Pool[Warehouse], recordings: Path) -> Iterator[Loaded]:
    """Two charts, 209 snapshots."""
    history = recorded_charts(recordings.with_name("chart-history.jsonl.gz"))
    with warehouses.acquire() as warehouse:
        load(warehouse, history)
        yield warehouse, history


def differences(loaded: Loaded, view: str) -> tuple[RowCounts, RowCounts]:
    """Rows that only the view has, and rows that only the oracle has, of the playlists in the history."""
    warehouse, history = loaded
    lists = ", ".join(f"'{playlist_id}'" for playlist_id in {key[0] for key in history})
    found = warehouse.place.query(f"SELECT * FROM {view} WHERE playlist_id IN ({lists})")
    expected = oracle.VIEWS[view](history)
    assert expected
    return Counter(found) - Counter(expected), Counter(expected) - Counter(found)


def test_the_oracle_has_every_view() -> None:
    """Except freshness, which depends on the current time."""
    assert {*oracle.VIEWS, "freshness"} == set(VIEW_COLUMNS), "add the view to VIEWS of tests/flows/oracle.py"


@pytest.mark.parametrize("view", oracle.VIEWS)
def test_views_of_random_playlists(random_playlists: Loaded, view: str) -> None:
    assert differences(random_playlists, view) == EQUAL


@pytest.mark.faults
@pytest.mark.parametrize("view", [view for view in oracle.VIEWS if view != "chart_movers"])
def test_views_of_recorded_charts(recorded: Loaded, view: str) -> None:
    assert differences(recorded, view) == EQUAL


@pytest.mark.faults
@pytest.mark.parametrize("chart", [BRAZIL, GLOBAL])
def test_movers_between_any_two_dates_of_a_recorded_chart(recorded: Loaded, chart: str) -> None:
    warehouse, history = recorded
    own = {key: listing for key, listing in history.items() if key[0] == chart}
    assert differences((warehouse, own), "chart_movers") == EQUAL


def test_random_playlists_contain_the_rare_cases(random_playlists: Loaded) -> None:
    _, history = random_playlists
    listings = [listing.entries for listing in history.values()]
    assert [] in [list(entries) for entries in listings]
    assert any(len({one.song_id for one in entries}) < len(entries) for entries in listings)
    journeys = oracle.song_journeys(history)
    assert any(row[15] > 1 for row in journeys)
    assert any(row[4] is None for row in journeys)
