"""Writes tables as CSV files: one gzipped file per table, date and run."""

from collections.abc import Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from datetime import date
from hashlib import sha256
from io import BytesIO
from tempfile import TemporaryFile
from typing import IO

import polars as pl

from pipeline.columns import TABLES
from pipeline.errors import Code, ConfigurationError
from pipeline.lake.gzip_streams import compressing
from pipeline.lake.layout import LoadMode, table_key
from pipeline.lake.raw_files import CONTENT_TYPE
from pipeline.lake.store import Lake
from pipeline.records import File
from pipeline.transform.tables import Tables


class _Hashed:
    """A temporary file that computes the SHA-256 of what is written to it.

    It has no name in the file system, so its space is freed when it is closed or when the process ends.
    """

    def __init__(self) -> None:
        with _disk_errors():
            self.file = TemporaryFile()  # noqa: SIM115 - closed by its owner, in another thread
        self.digest = sha256()

    def write(self, data: bytes) -> int:
        self.digest.update(data)
        with _disk_errors():
            return self.file.write(data)

    def flush(self) -> None:
        with _disk_errors():
            self.file.flush()


@contextmanager
def _disk_errors() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        message = (
            f"a temporary file cannot be written ({error.strerror}). Tables are written to disk before "
            "they are uploaded. Give the container more ephemeral storage or a writable TMPDIR, and run again"
        )
        raise ConfigurationError(message, Code.DISK_UNWRITABLE) from error


class CsvFile:
    """Gzipped CSV file on disk, with a header, to which rows of one table are appended batch by batch.

    Null is an empty field, the empty string is `""`, times are UTC. Raises ConfigurationError if the disk
    is full or not writable.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._compressed = _Hashed()
        self._stream = compressing(self._compressed)

    def append(self, frame: pl.DataFrame) -> None:
        """Appends the rows of a frame; all frames have the same columns."""
        text = BytesIO()
        frame.write_csv(
            text,
            include_header=not self.rows,
            quote_style="necessary",
            datetime_format="%Y-%m-%dT%H:%M:%S%.3fZ",
        )
        self._stream.write(text.getbuffer())
        self.rows += frame.height

    def finish(self) -> tuple[IO[bytes], bytes]:
        """Finishes the file; returns it and its SHA-256. Nothing can be appended afterwards."""
        self._stream.close()
        self._compressed.flush()
        return self._compressed.file, self._compressed.digest.digest()

    def close(self) -> None:
        """Frees the space on disk."""
        self._compressed.file.close()


class TableFiles:
    """The CSV files of one date. A table without rows has no file."""

    def __init__(self, snapshot_date: date, run_id: str, load: LoadMode = "copy") -> None:
        self._date = snapshot_date
        self._run_id = run_id
        self._load = load
        self._files: dict[str, CsvFile] = {}

    def append(self, tables: Tables) -> None:
        """Appends the rows of a batch of playlists."""
        for table, frame in tables.items():
            if frame.is_empty():
                continue
            if table not in self._files:
                self._files[table] = CsvFile()
            self._files[table].append(frame)

    def upload(self, lake: Lake, pool: Executor) -> list[Future[File]]:
        """Uploads the files in parallel; each is closed when its upload ends or is cancelled."""
        return [self._submit(lake, pool, table) for table in TABLES if table in self._files]

    def close(self) -> None:
        """Closes the files that were not passed to `upload`."""
        while self._files:
            self._files.popitem()[1].close()

    def _submit(self, lake: Lake, pool: Executor, table: str) -> Future[File]:
        file, key = self._files.pop(table), table_key(table, self._date, self._run_id, self._load)
        upload = pool.submit(self._upload, lake, table, key, file)
        upload.add_done_callback(lambda _: file.close())
        return upload

    def _upload(self, lake: Lake, table: str, key: str, file: CsvFile) -> File:
        written = lake.write_file(key, *file.finish(), CONTENT_TYPE)
        return File(table, self._date, written.key, file.rows, written.bytes, written.sha256)
