"""Writing the table files of kept snapshots: batches, concurrent uploads, and cleanup after failures."""

import csv
import errno
import gzip
import io
import threading
from collections.abc import Iterator
from datetime import date, timedelta
from tempfile import TemporaryFile
from typing import IO, Any

import pytest

import pipeline.write
from pipeline.errors import AccountingError, Code, ConfigurationError, LakeKeyMissing
from pipeline.lake import csv_files
from pipeline.lake.kept_details import KeptDetails
from pipeline.lake.layout import raw_key
from pipeline.lake.raw_files import encode_raw_file
from pipeline.lake.retry_budget import RetryBudget
from pipeline.lake.store import Lake, Written
from pipeline.records import Kept, Manifest, PlaylistLine
from pipeline.transform.tables import build_tables
from pipeline.write import MAX_DATES_UPLOADING, Writer
from tests.builders import DAY, RUN, THE_RUN, Json, album, artist, entry, fetched, head, page, song
from tests.builders import body as encoded

WAIT_S = 20
PLAYLISTS = [f"write{number:017d}" for number in range(5)]


class MemoryLake(Lake):
    """In-memory lake."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.bucket, self.folder = "the-lake", ""
        self.files = files

    def read(self, key: str) -> bytes:
        """Returns the bytes of a key."""
        if key not in self.files:
            raise LakeKeyMissing(f"{key} does not exist", Code.LAKE_KEY_MISSING)
        return self.files[key]

    def keys(self, prefix: str) -> Iterator[str]:
        """Returns the keys that start with a prefix."""
        return (key for key in self.files if key.startswith(prefix))

    def write_file(self, key: str, file: IO[bytes], digest: bytes, content_type: str) -> Written:
        """Stores the bytes."""
        assert content_type == "application/gzip"
        file.seek(0)
        self.files[key] = file.read()
        return Written(key, len(self.files[key]), digest.hex())


def entries(playlist: str, count: int) -> list[Json]:
    """Songs of a playlist, some of them on the same album, and a reject."""
    songs = [
        song(f"{playlist}-{number}", [artist(f"artist-{number % 3}")], album(f"album-{number % 2}"))
        for number in range(count - 1)
    ]
    return [*(entry(one) for one in songs), entry(None)]


def raw_file(playlist: str, count: int, total: int | None = None) -> bytes:
    """A kept snapshot of two responses."""
    every, counted = entries(playlist, count), total or count
    bodies = [encoded(head(every[:2], id_=playlist, total=counted)), encoded(page(every[2:], counted, 2))]
    return encode_raw_file(fetched(playlist, bodies, counted).envelope, bodies)


def kept(days: int = 1) -> tuple[MemoryLake, list[Kept]]:
    """A lake with a snapshot of each playlist (3 to 7 entries) for each of the last `days` dates."""
    dates = [DAY - timedelta(days=age) for age in range(days)]
    snapshots = [Kept(raw_key(one, day, RUN), one, day) for day in dates for one in PLAYLISTS]
    return MemoryLake(
        {one.key: raw_file(one.playlist_id, 3 + PLAYLISTS.index(one.playlist_id)) for one in snapshots}
    ), snapshots


def publish(lake: Lake, snapshots: list[Kept]) -> tuple[Manifest, list[PlaylistLine]]:
    """Writes the table files of the snapshots, as a run does."""
    return Writer(lake, KeptDetails(lake), THE_RUN, "copy", RetryBudget(len(snapshots))).write(snapshots)


def rows(content: bytes) -> list[list[str]]:
    """Header of a CSV file, then its rows, sorted."""
    header, *found = csv.reader(io.StringIO(gzip.decompress(content).decode(), newline=""))
    return [header, *sorted(found)]


@pytest.mark.parametrize(("most_entries", "most_playlists"), [(1, 200), (10, 200), (10_000, 2)])
def test_files_do_not_depend_on_the_batch_size(
    monkeypatch: pytest.MonkeyPatch, most_entries: int, most_playlists: int
) -> None:
    lake, snapshots = kept(days=3)
    expected, failed = publish(lake, snapshots)
    calls = []

    def build(decoded: Any, *others: Any) -> Any:
        calls.append(len(decoded))
        return build_tables(decoded, *others)

    monkeypatch.setattr(pipeline.write, "MAX_BATCH_ENTRIES", most_entries)
    monkeypatch.setattr(pipeline.write, "MAX_BATCH_PLAYLISTS", most_playlists)
    monkeypatch.setattr(pipeline.write, "build_tables", build)
    again, _ = kept(days=3)
    batched, _ = publish(again, snapshots)

    assert failed == []
    assert sum(calls) == 15
    assert len(calls) >= 9
    assert batched.partitions == expected.partitions
    assert [(file.key, file.rows) for file in batched.files] == [
        (file.key, file.rows) for file in expected.files
    ]
    assert len(expected.files) == 3 * 8
    for file in expected.files:
        assert rows(again.files[file.key]) == rows(lake.files[file.key])
        assert len(rows(lake.files[file.key])) == file.rows + 1


def test_a_limited_number_of_dates_is_decoded_while_files_are_uploaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lake, snapshots = kept(days=9)
    built: list[date] = []
    ahead, uploaded = threading.Event(), threading.Event()

    def build(decoded: Any, day: date, *others: Any) -> Any:
        assert len(built) <= MAX_DATES_UPLOADING or uploaded.is_set()
        built.append(day)
        if len(built) > MAX_DATES_UPLOADING:
            ahead.set()
        return build_tables(decoded, day, *others)

    write_file = lake.write_file

    def slowly(*arguments: Any) -> Written:
        assert ahead.wait(WAIT_S)
        uploaded.set()
        return write_file(*arguments)

    monkeypatch.setattr(pipeline.write, "build_tables", build)
    monkeypatch.setattr(lake, "write_file", slowly)
    manifest, _ = publish(lake, snapshots)
    assert len(manifest.files) == 9 * 8
    assert sorted(built) == built


def test_a_damaged_or_missing_raw_file_fails_only_its_playlist() -> None:
    lake, snapshots = kept()
    wrong_count = raw_file(PLAYLISTS[1], 4, total=9)
    lake.files[snapshots[1].key] = wrong_count[:-8] + b"\0\0\0\0" + wrong_count[-4:]
    lake.files[snapshots[2].key] = lake.files[snapshots[2].key][:-12]
    del lake.files[snapshots[3].key]
    manifest, failed = publish(lake, snapshots)

    assert [line.playlist_id for line in failed] == PLAYLISTS[1:4]
    assert [(line.reason or "")[-40:].split("[")[1] for line in failed] == [
        "LAKE_SNAPSHOT_INVALID]",
        "LAKE_SNAPSHOT_INVALID]",
        "LAKE_KEY_MISSING]",
    ]
    assert [line.playlist_id for line in manifest.partitions] == [PLAYLISTS[0], PLAYLISTS[4]]
    assert manifest.rows("playlist_songs") + manifest.rows("rejects") == 3 + 7


def test_missing_entries_stop_the_run_before_any_upload_and_close_all_temporary_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pipeline.write, "MAX_BATCH_PLAYLISTS", 1)
    opened: list[IO[bytes]] = []

    def noted() -> Any:
        opened.append(TemporaryFile())  # noqa: SIM115 - the caller closes it
        return opened[-1]

    monkeypatch.setattr(csv_files, "TemporaryFile", noted)
    lake, snapshots = kept()
    lake.files[snapshots[3].key] = raw_file(PLAYLISTS[3], 4, total=9)
    with pytest.raises(AccountingError, match=rf"s3://the-lake/{snapshots[3].key}: .*9 entries"):
        publish(lake, snapshots)
    assert [key for key in lake.files if key.startswith("tables/")] == []
    assert len(opened) == 8
    assert all(file.closed for file in opened)


def test_a_full_disk_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def full() -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(csv_files, "TemporaryFile", full)
    with pytest.raises(ConfigurationError, match="No space left on device") as error:
        publish(*kept())
    assert error.value.code == Code.DISK_UNWRITABLE
