"""Dates without a kept snapshot in a backfill: gaps by playlist, found in one pass over the snapshots."""

from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from pipeline.lake.gaps import MAX_GAPS_SHOWN, find_gaps, gaps_text
from pipeline.records import Kept
from tests.builders import DAY, OTHER_PLAYLIST, PLAYLIST

ONE = timedelta(days=1)


class CountedPasses(list[Kept]):
    """Kept snapshots that count how often they are iterated over."""

    passes = 0

    def __iter__(self) -> Iterator[Kept]:
        self.passes += 1
        return super().__iter__()


def kept(*found: tuple[str, date]) -> CountedPasses:
    return CountedPasses(Kept("raw/key", playlist, day) for playlist, day in found)


def test_gaps_are_found_by_playlist_in_the_order_given() -> None:
    found = kept((PLAYLIST, DAY), (OTHER_PLAYLIST, DAY + ONE), (PLAYLIST, DAY + 2 * ONE))
    wanted = [OTHER_PLAYLIST, "never kept", PLAYLIST]
    gaps = find_gaps(found, [], wanted, (DAY, DAY + 2 * ONE))
    assert list(gaps.items()) == [
        (OTHER_PLAYLIST, [(DAY, DAY), (DAY + 2 * ONE, DAY + 2 * ONE)]),
        ("never kept", [(DAY, DAY + 2 * ONE)]),
        (PLAYLIST, [(DAY + ONE, DAY + ONE)]),
    ]


def test_playlists_and_dates_default_to_those_that_were_kept() -> None:
    found = kept((PLAYLIST, DAY), (OTHER_PLAYLIST, DAY + ONE))
    gaps = find_gaps(found, [], None, (None, None))
    assert gaps == {PLAYLIST: [(DAY + ONE, DAY + ONE)], OTHER_PLAYLIST: [(DAY, DAY)]}


def test_a_snapshot_excluded_by_fetched_before_is_a_gap() -> None:
    assert find_gaps([], kept((PLAYLIST, DAY)), None, (None, None)) == {PLAYLIST: [(DAY, DAY)]}


@pytest.mark.parametrize(
    ("gaps", "text"),
    [
        ([(DAY, DAY)], "1 day: 2026-11-21"),
        ([(DAY, DAY + ONE)], "2 days: 2026-11-21 to 2026-11-22"),
        ([(DAY, DAY), (DAY + 2 * ONE, DAY + 9 * ONE)], "9 days: 2026-11-21, 2026-11-23 to 2026-11-30"),
        ([(date.min, date.max)], "3,652,059 days: 0001-01-01 to 9999-12-31"),
    ],
)
def test_gaps_are_listed_as_ranges(gaps: list[tuple[date, date]], text: str) -> None:
    assert gaps_text(gaps) == text


def test_the_first_gaps_are_listed_and_the_rest_are_counted() -> None:
    gaps = [(DAY + 2 * number * ONE, DAY + 2 * number * ONE) for number in range(MAX_GAPS_SHOWN + 2_000)]
    text = gaps_text(gaps)
    assert text.startswith("2,031 days: 2026-11-21, 2026-11-23, ")
    assert text.endswith(", and 2,000 more gaps")


def test_gaps_of_all_playlists_take_one_pass_over_the_snapshots() -> None:
    playlists = [f"p{number:021d}" for number in range(100)]
    found = kept(*((playlist, DAY) for playlist in playlists))
    found.passes = 0
    few = kept((PLAYLIST, DAY))
    assert find_gaps(found, [], playlists, (DAY, DAY)) == {}
    assert find_gaps(few, [], [PLAYLIST], (DAY, DAY)) == {}
    assert found.passes == few.passes < 5
