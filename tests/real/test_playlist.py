"""Contract tests with one playlist, from Spotify to the views."""

import os

import pytest

from pipeline.columns import TABLES
from pipeline.keep import Keeper, keep_playlists
from pipeline.lake.kept_details import KeptDetails
from pipeline.lake.retry_budget import RetryBudget
from pipeline.lake.snapshot_files import read_snapshot
from pipeline.records import Kept, Manifest, Run
from pipeline.spotify.links import playlist_id
from pipeline.transform.responses import snapshot_rows
from pipeline.warehouse.views import view_files
from pipeline.write import Writer
from sandbox.spotify.catalogue import MIXTAPE
from tests.real.accounts import Accounts


@pytest.fixture(scope="module")
def kept(accounts: Accounts) -> Kept:
    """The kept snapshot of the playlist in the variable PLAYLIST; on the stand-in, one of several pages."""
    name = os.environ.get("PLAYLIST") if accounts.are_real else MIXTAPE
    if not name:
        pytest.skip("PLAYLIST is not set: the link to a playlist that the app may read")
    run, retries = accounts.new_run(), RetryBudget(1)
    keeper = Keeper(accounts.spotify, accounts.lake, run, lambda *_: False, retries)
    work = keep_playlists(keeper, [playlist_id(name)])

    assert [line.reason for line in work.failed] == []
    return work.kept[0]


def write(accounts: Accounts, run: Run, kept: Kept) -> Manifest:
    """Writes the table files of the playlist."""
    lake = accounts.lake
    manifest, failed = Writer(lake, KeptDetails(lake), run, "copy", RetryBudget(1)).write([kept])
    assert [line.reason for line in failed] == []
    return manifest


def test_all_entries_of_a_playlist_are_read(accounts: Accounts, kept: Kept) -> None:
    snapshot = read_snapshot(accounts.lake, kept.key)
    assert snapshot_rows(snapshot).entries == snapshot.envelope.total > 0


def test_a_second_load_replaces_the_first(accounts: Accounts, kept: Kept) -> None:
    first, second = accounts.new_run(), accounts.new_run()
    manifest = write(accounts, first, kept)
    loaded = accounts.load(first, manifest)
    assert loaded.rows_by_table == {table: manifest.rows(table) for table in TABLES}
    again = accounts.load(second, write(accounts, second, kept))

    assert again.rows_by_table == loaded.rows_by_table
    assert again.partitions_replaced == 1
    count = "SELECT run_id, COUNT(*) FROM playlist_songs_history WHERE playlist_id = ? GROUP BY run_id"
    with accounts.session() as session:
        assert session.query(count, kept.playlist_id) == [(second.run_id, manifest.rows("playlist_songs"))]
        for view in view_files():
            session.query(f"SELECT COUNT(*) FROM {view}")
