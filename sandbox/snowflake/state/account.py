"""The account: what its sessions share."""

import threading
from typing import Any

import boto3
import duckdb
from botocore.config import Config
from fakesnow.expr import normalise_ident
from fakesnow.instance import FakeSnow
from sqlglot import exp

from sandbox.snowflake.state.grants import Grants
from sandbox.snowflake.state.notification_channel import Channel
from sandbox.snowflake.state.pipe import Pipe
from sandbox.snowflake.state.pipe_queues import Pipes, Settings
from sandbox.snowflake.state.schema_objects import Name, Options, Stage


class Account:
    """Databases, grants, integrations, stages, file formats and pipes; in memory, gone with the process."""

    def __init__(
        self,
        s3_endpoint: str,
        idle_abort: float,
        max_lock_wait: float,
        pipe_delay: float = 0.0,
    ) -> None:
        self.engine = FakeSnow(create_database_on_connect=False, create_schema_on_connect=False).duck_conn
        self.s3 = _client("s3", s3_endpoint, max_pool_connections=16, retries={"max_attempts": 2})
        self.idle_abort = idle_abort
        self.max_lock_wait = max_lock_wait
        self.grants = Grants()
        self.integrations: dict[str, Options] = {}
        self.stages: dict[Name, Stage] = {}
        self.formats: dict[Name, Options] = {}
        self.released = threading.Condition()
        self.definitions = threading.Lock()  # one DDL statement at a time
        self.pipes = Pipes(self.schemas, self.pipe_state, Settings(delay=pipe_delay))
        waits = {"connect_timeout": 5, "read_timeout": 5, "retries": {"max_attempts": 0}}
        self.channel = Channel(_client("sqs", s3_endpoint, **waits))

    def schema_exists(self, database: str, schema: str) -> bool:
        """Whether the schema is there, also just committed."""
        sql = "SELECT 1 FROM duckdb_schemas() WHERE upper(database_name) = ? AND upper(schema_name) = ?"
        with self.engine.cursor() as cursor:
            return cursor.execute(sql, [database, schema]).fetchone() is not None

    def schemas(self) -> set[tuple[str, str]]:
        """Returns database and schema of all that are there."""
        sql = "SELECT upper(database_name), upper(schema_name) FROM duckdb_schemas()"
        with self.engine.cursor() as cursor:
            return {(database, schema) for database, schema in cursor.execute(sql).fetchall()}

    def has_table(self, place: Name, table: exp.Table) -> bool:
        """Whether the table is there; `place` fills in the database and schema of its name."""
        name = [part.name if part.args.get("quoted") else part.name.upper() for part in table.parts]
        whole = ".".join(f'"{part}"' for part in [*place[: 3 - len(name)], *name])
        with self.engine.cursor() as cursor:
            try:
                cursor.execute(f"SELECT 1 FROM {whole} LIMIT 0")  # duckdb_tables() lists all databases
            except (duckdb.CatalogException, duckdb.BinderException):
                return False
            return True

    def namespace(self, database: str | None, schema: str | None) -> tuple[str | None, str | None]:
        """Returns what a login gets: unknown names are dropped without an error, as in Snowflake."""
        database = normalise_ident(database).upper() if database else None
        if database is None or not self.schema_exists(database, "MAIN"):
            return None, None
        schema = normalise_ident(schema).upper() if schema else "PUBLIC"
        return database, schema if self.schema_exists(database, schema) else None

    def pipe_state(self, pipe: Pipe) -> str:
        """Returns the pipe's execution state."""
        definition = pipe.definition
        if self.stages.get(definition.stage_name) is not definition.stage:
            return "STOPPED_STAGE_DROPPED"  # also when it was replaced
        if not self.has_table(pipe.name, definition.table):
            return "STOPPED_MISSING_TABLE"
        return "PAUSED" if pipe.paused else "RUNNING"

    def notify_waiting(self) -> None:
        """Wakes the statements that wait for a lock."""
        with self.released:
            self.released.notify_all()


def _client(service: str, endpoint: str, **config: Any) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
        config=Config(**config),
    )
