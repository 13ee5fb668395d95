"""Isolates tests that share the stand-ins: each has its own folder of the bucket and its own database."""

import json
import secrets
from collections.abc import Iterable
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from threading import current_thread, main_thread
from typing import Any

from pipeline.columns import TABLES, pipe
from sandbox.account_objects import connect, create_database
from sandbox.services import BUCKET, Addresses, block_variables, s3_client

Rows = list[tuple[Any, ...]]
DATA_TABLE_SUFFIXES = ("_HISTORY", "_LANDING", "LOADS")
VERSION_TABLES = ("SCHEMA_VERSIONS", "SNOWPIPE_VERSIONS")


open_connections: list[Any] = []
"""Connections that must be closed before the stand-in stops."""


def _rows_of(connection: Any, sql: str, *values: object) -> Rows:
    cursor = connection.cursor()
    cursor.execute(sql, values or None)
    return list(cursor.fetchall())


@dataclass(frozen=True)
class Place:
    """A folder of the bucket and a database in the shared stand-ins."""

    addresses: Addresses
    name: str = field(default_factory=lambda: f"t{secrets.token_hex(6)}")

    @classmethod
    def create(cls, addresses: Addresses) -> "Place":
        """Creates the database and its schema; a folder in S3 exists with its first file."""
        place = cls(addresses)
        create_database(addresses.snowflake, place.database)
        return place

    @property
    def database(self) -> str:
        """Name of the database."""
        return self.name.upper()

    @cached_property
    def s3(self) -> Any:
        """An S3 client for the stand-in."""
        return s3_client(self.addresses.s3)

    def variables(self, **others: str) -> dict[str, str]:
        """Environment variables from which blocks for this place are created."""
        own = {"LAKE_FOLDER": self.name, "SNOWFLAKE_DATABASE": self.database}
        own["SPOTIFY_REQUESTS_PER_SECOND"] = "0"  # off; tests/flows/test_rate_limit.py tests the rate limit
        return block_variables(self.addresses) | own | others

    @cached_property
    def _owner(self) -> Any:
        """A connection for all queries of a test, because opening one takes as long as a query."""
        open_connections.append(self.connect())
        return open_connections[-1]

    def connect(self, role: str = "SPOTIFY_OWNER") -> Any:
        """Opens a connection with the given role."""
        where = {"database": self.database, "schema": "PLAYLISTS", "warehouse": "SPOTIFY_LOAD"}
        return connect(self.addresses.snowflake, role=role, **where)

    def connected(self, role: str = "SPOTIFY_READER") -> AbstractContextManager[Any]:
        """Context manager of a connection, by default with the reader role."""
        return closing(self.connect(role))

    def query(self, sql: str, *values: object) -> Rows:
        """Executes a statement with the owner role; returns its rows."""
        if current_thread() is main_thread():
            return _rows_of(self._owner, sql, *values)
        with self.connected("SPOTIFY_OWNER") as connection:
            return _rows_of(connection, sql, *values)

    def count(self, table: str) -> int:
        """Number of rows of a table or view."""
        return int(self.query(f"SELECT COUNT(*) FROM {table}")[0][0])

    def keys(self, prefix: str = "") -> list[str]:
        """Keys of the folder, relative to it."""
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{self.name}/{prefix}")
        return [item["Key"].removeprefix(f"{self.name}/") for item in listed.get("Contents", [])]

    def head(self, key: str) -> dict[str, Any]:
        """Metadata of an object: the response of HeadObject."""
        return dict(self.s3.head_object(Bucket=BUCKET, Key=f"{self.name}/{key}", ChecksumMode="ENABLED"))

    def read(self, key: str) -> bytes:
        """Content of an object."""
        return bytes(self.s3.get_object(Bucket=BUCKET, Key=f"{self.name}/{key}")["Body"].read())

    def write(self, key: str, body: bytes) -> None:
        """Writes an object, also over an existing one, which the pipeline never does."""
        self.s3.put_object(Bucket=BUCKET, Key=f"{self.name}/{key}", Body=body)

    def delete(self, key: str) -> None:
        """Deletes an object, which the pipeline never does."""
        self.s3.delete_object(Bucket=BUCKET, Key=f"{self.name}/{key}")

    def receipts(self) -> list[dict[str, Any]]:
        """The receipts, oldest run first."""
        found = [json.loads(self.read(key)) for key in self.keys("runs/")]
        return sorted(found, key=lambda receipt: datetime.fromisoformat(receipt["finished_at"]))

    def schema(self) -> list[object]:
        """State of the schema: tables, columns, versions, states of pipes, rows of the lock table."""
        ours = "WHERE table_schema = 'PLAYLISTS' ORDER BY 1, 2"
        columns = "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns"
        kinds = self.query(f"SELECT table_name, table_type FROM information_schema.tables {ours}")
        names = {name for name, _ in kinds}
        found: list[object] = [kinds, self.query(f"{columns} {ours}")]
        found += [
            self.query(f"SELECT version, lake_url FROM {table}") for table in VERSION_TABLES if table in names
        ]
        if names.issuperset(VERSION_TABLES):
            states = [self.query(f"SELECT SYSTEM$PIPE_STATUS('{pipe(table)}')") for table in TABLES]
            found += [json.loads(text)["executionState"] for ((text,),) in states]
        return [*found, "WRITER_LOCK" in names and self.query("SELECT id FROM writer_lock")]

    def empty(self) -> None:
        """Deletes all files and all loaded rows; keeps the schema."""
        while keys := self.keys():
            objects: Any = [{"Key": f"{self.name}/{key}"} for key in keys]
            self.s3.delete_objects(Bucket=BUCKET, Delete={"Objects": objects})
        tables = "SELECT table_name FROM information_schema.tables WHERE table_type = 'BASE TABLE'"
        for (table,) in self.query(tables):
            if table.endswith(DATA_TABLE_SUFFIXES):
                self.query(f"DELETE FROM {table}")

    def drop(self) -> None:
        """Drops the schema: the stand-in searches all tables of all databases at every statement."""
        with closing(connect(self.addresses.snowflake)) as connection:
            connection.cursor().execute(f"DROP SCHEMA IF EXISTS {self.database}.playlists")

    def contents(self, tables: Iterable[str], day: date | None = None) -> dict[str, Rows]:
        """All rows of history tables, without run_id and fetched_at, which differ from run to run."""
        return {table: self._rows(table, day) for table in tables}

    def _rows(self, table: str, day: date | None) -> Rows:
        where = " WHERE snapshot_date = ?" if day else ""
        excluded = "fetched_at, run_id" if table == "playlists" else "run_id"
        rows = self.query(
            f"SELECT * EXCLUDE ({excluded}) FROM {table}_history{where}", *([day] if day else [])
        )
        return sorted(rows, key=repr)
