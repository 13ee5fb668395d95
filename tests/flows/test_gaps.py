"""What a backfill finds nothing of: gaps by playlist, in time that grows with what is kept."""

from collections.abc import Iterator
from datetime import date, timedelta

from flows.backfill import _missing, _not_kept
from pipeline.records import Kept
from tests.builders import DAY, OTHER_PLAYLIST, PLAYLIST

ONE = timedelta(days=1)


class Counted(list[Kept]):
    """Kept snapshots that count how often they are gone through."""

    passes = 0

    def __iter__(self) -> Iterator[Kept]:
        self.passes += 1
        return super().__iter__()


def kept(*found: tuple[str, date]) -> Counted:
    return Counted(Kept("raw/key", playlist, day) for playlist, day in found)


def test_gaps_are_named_by_playlist_in_the_order_given() -> None:
    found = kept((PLAYLIST, DAY), (OTHER_PLAYLIST, DAY + ONE), (PLAYLIST, DAY + 2 * ONE))
    lines = _missing(found, [OTHER_PLAYLIST, "no file at all", PLAYLIST], DAY, DAY + 2 * ONE)
    assert [(line.playlist_id, line.snapshot_date, line.reason) for line in lines] == [
        (OTHER_PLAYLIST, DAY, f"nothing was kept on {DAY}"),
        (OTHER_PLAYLIST, DAY + 2 * ONE, f"nothing was kept on {DAY + 2 * ONE}"),
        ("no file at all", DAY, f"nothing was kept on {DAY}, {DAY + ONE}, {DAY + 2 * ONE}"),
        (PLAYLIST, DAY + ONE, f"nothing was kept on {DAY + ONE}"),
    ]


def test_without_playlists_those_that_were_kept_are_wanted() -> None:
    found = kept((PLAYLIST, DAY), (OTHER_PLAYLIST, DAY + ONE))
    lines = _not_kept(found, [], None, (None, None))
    assert sorted((line.playlist_id, line.snapshot_date) for line in lines) == sorted(
        [(PLAYLIST, DAY + ONE), (OTHER_PLAYLIST, DAY)]
    )


def test_all_playlists_take_one_pass_over_what_is_kept() -> None:
    playlists = [f"p{number:021d}" for number in range(100)]
    found = kept(*((playlist, DAY) for playlist in playlists))
    assert _missing(found, playlists, DAY, DAY) == []
    assert found.passes == 1
