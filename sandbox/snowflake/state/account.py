"""The account: state that all sessions share."""

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
    """Databases, grants, integrations, stages, file formats and pipes, in memory."""

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
        self.lock_released = threading.Condition()
        self.ddl_lock = threading.Lock()  # one DDL statement at a time
        self.pipes = Pipes(self.schemas, self.pipe_state, Settings(delay=pipe_delay))
        waits = {"connect_timeout": 5, "read_timeout": 5, "retries": {"max_attempts": 0}}
        self.channel = Channel(_client("sqs", s3_endpoint, **waits))

    def schema_exists(self, database: str, schema: str) -> bool:
        """Returns True if the schema exists; also sees schemas committed during the caller's transaction."""
        sql = "SELECT 1 FROM duckdb_schemas() WHERE upper(database_name) = ? AND upper(schema_name) = ?"
        with self.engine.cursor() as cursor:
            return cursor.execute(sql, [database, schema]).fetchone() is not None

    def schemas(self) -> set[tuple[str, str]]:
        """Returns database and name of all schemas."""
        sql = "SELECT upper(database_name), upper(schema_name) FROM duckdb_schemas()"
        with self.engine.cursor() as cursor:
            return {(database, schema) for database, schema in cursor.execute(sql).fetchall()}

    def has_table(self, place: Name, table: exp.Table) -> bool:
        """Returns True if the table exists; `place`: default database and schema of its name."""
        name = [part.name if part.args.get("quoted") else part.name.upper() for part in table.parts]
        qualified = ".".join(f'"{part}"' for part in [*place[: 3 - len(name)], *name])
        with self.engine.cursor() as cursor:
            try:
                cursor.execute(
                    f"SELECT 1 FROM {qualified} LIMIT 0"
                )  # faster than duckdb_tables(), which lists all databases
            except (duckdb.CatalogException, duckdb.BinderException):
                return False
            return True

    def namespace(self, database: str | None, schema: str | None) -> tuple[str | None, str | None]:
        """Returns the current database and schema of a login; like Snowflake, it ignores unknown names."""
        database = normalise_ident(database).upper() if database else None
        if database is None or not self.schema_exists(database, "MAIN"):
            return None, None
        schema = normalise_ident(schema).upper() if schema else "PUBLIC"
        return database, schema if self.schema_exists(database, schema) else None

    def pipe_state(self, pipe: Pipe) -> str:
        """Returns the pipe's execution state."""
        definition = pipe.definition
        if self.stages.get(definition.stage_name) is not definition.stage:
            return "STOPPED_STAGE_DROPPED"  # also if it was replaced
        if not self.has_table(pipe.name, definition.table):
            return "STOPPED_MISSING_TABLE"
        return "PAUSED" if pipe.paused else "RUNNING"

    def notify_waiting(self) -> None:
        """Wakes the statements that wait for a lock."""
        with self.lock_released:
            self.lock_released.notify_all()


def _client(service: str, endpoint: str, **config: Any) -> Any:
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
        config=Config(**config),
    )
