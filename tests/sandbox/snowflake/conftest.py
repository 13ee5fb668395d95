"""Fixtures: a Snowflake stand-in and an S3 server per test module, each on its own port."""

import contextlib
import functools
import gzip
import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import boto3
import pytest
import requests
import snowflake.connector
from moto.server import ThreadedMotoServer

from sandbox.lake import notify_pipes
from sandbox.snowflake.server.app import create_app
from tests.serving import running

Connection = Any
Connect = Callable[..., Connection]
BUCKET = "lake-bucket"
SETUP = [
    "CREATE WAREHOUSE wh",
    "CREATE DATABASE music",
    "CREATE SCHEMA lists",
    "CREATE ROLE loader",
    f"""CREATE STORAGE INTEGRATION lake_reader TYPE = EXTERNAL_STAGE STORAGE_PROVIDER = 'S3' ENABLED = TRUE
        STORAGE_AWS_ROLE_ARN = 'arn:aws:iam::1:role/r' STORAGE_ALLOWED_LOCATIONS = ('s3://{BUCKET}/')""",
    f"CREATE STAGE lake URL = 's3://{BUCKET}/' STORAGE_INTEGRATION = lake_reader",
    """CREATE FILE FORMAT playlist_csv TYPE = CSV SKIP_HEADER = 1 FIELD_OPTIONALLY_ENCLOSED_BY = '"'
        NULL_IF = () EMPTY_FIELD_AS_NULL = TRUE ESCAPE_UNENCLOSED_FIELD = NONE COMPRESSION = GZIP
        ENCODING = 'UTF8'""",
]


def connector(url: str) -> Connect:
    """Returns `snowflake.connector.connect` for a stand-in; keyword arguments override the defaults."""

    def connect(**options: Any) -> Connection:
        defaults = {
            "user": "sandbox",
            "password": "any",
            "account": "sandbox",
            "host": "127.0.0.1",
            "port": urlsplit(url).port,
            "protocol": "http",
            "database": "MUSIC",
            "schema": "LISTS",
            "warehouse": "WH",
            "network_timeout": 10,
            "login_timeout": 10,
            "paramstyle": "qmark",
            "platform_detection_timeout_seconds": 0.0,  # otherwise it queries cloud metadata services
        }
        return snowflake.connector.connect(**(defaults | options))

    return connect


@pytest.fixture(scope="module")
def s3_endpoint() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def s3(s3_endpoint: str) -> Any:
    client = boto3.client(
        "s3",
        endpoint_url=s3_endpoint,
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
        region_name="us-east-1",
    )
    client.create_bucket(Bucket=BUCKET)
    return client


@pytest.fixture(scope="module")
def connect(s3_endpoint: str) -> Iterator[Connect]:
    """Connects to a stand-in with database MUSIC, schema LISTS and stage LAKE."""
    with standing_in(s3_endpoint) as result:
        yield result


@contextlib.contextmanager
def standing_in(s3_endpoint: str, **options: Any) -> Iterator[Connect]:
    """Serves a stand-in with the set-up above; yields its `connect`."""
    with running(create_app(s3_endpoint, **options), lifespan=True) as url:
        result = connector(url)
        with result(database=None, schema=None) as admin:
            for statement in SETUP:
                admin.cursor().execute(statement)
        yield result


@pytest.fixture(scope="module")
def stand_in(s3_endpoint: str) -> Callable[..., AbstractContextManager[Connect]]:
    """Serves another stand-in, with other options."""
    return functools.partial(standing_in, s3_endpoint)


@pytest.fixture
def connection(connect: Connect) -> Iterator[Connection]:
    with connect() as opened:
        yield opened


Run = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def run(connection: Connection) -> Run:
    """Runs a statement with bound values; returns the rows."""

    def run_one(sql: str, *binds: Any) -> list[tuple[Any, ...]]:
        return list(connection.cursor().execute(sql, binds or None).fetchall())

    return run_one


@pytest.fixture
def put(s3: Any) -> Callable[[str, str], None]:
    """Writes a text, compressed with gzip, to a key of the lake."""

    def put_text(key: str, text: str) -> None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(text.encode()))

    return put_text


@pytest.fixture(scope="module")
def notifications(connect: Connect, s3: Any) -> None:
    """Sends the bucket's events to the notification channel in SHOW PIPES, as the owner of a bucket does."""
    with connect() as admin:
        cursor = admin.cursor()
        cursor.execute("CREATE TABLE probe (a INT)")
        cursor.execute("CREATE PIPE probe AUTO_INGEST = TRUE AS COPY INTO probe FROM @lake/probe/")
        (shown,) = cursor.execute("SHOW PIPES").fetchall()
        names = [column.name for column in cursor.description]
        cursor.execute("DROP PIPE probe")
    notify_pipes(s3, BUCKET, dict(zip(names, shown, strict=True))["notification_channel"])


class Control(NamedTuple):
    """The simulated faults of pipes; a call replaces all settings."""

    url: str

    def __call__(self, **settings: Any) -> None:
        """Sets these, and resets all other settings."""
        requests.put(self.url, json=settings, timeout=10).raise_for_status()

    def shown(self) -> dict[str, Any]:
        """Returns the settings and their effects."""
        return dict(requests.get(self.url, timeout=10).json())


@pytest.fixture
def control(connection: Connection) -> Iterator[Control]:
    """The controls of pipes, reset after the test."""
    control = Control(f"http://127.0.0.1:{connection.port}/sandbox/pipes")
    yield control
    control()


def eventually(read: Callable[[], Any], expected: Any) -> None:
    """Calls `read` until it returns the expected value; fails after 15 seconds."""
    deadline = time.monotonic() + 15
    while (found := read()) != expected:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


class Songs(NamedTuple):
    """A landing table with a pipe on a separate folder."""

    run: Run
    put: Callable[[str, str], None]
    name: str

    @property
    def folder(self) -> str:
        """The folder that the pipe loads."""
        return f"tables/{self.name}/"

    def create(self, **parts: str) -> None:
        """Creates or replaces table and pipe."""
        self.run(LANDING.format(name=self.name))
        self.run(self.pipe(**parts))

    def pipe(self, name: str = "", location: str = "", options: str = "") -> str:
        """The CREATE PIPE statement."""
        return PIPE.format(
            pipe=name or f"{self.name}_pipe",
            name=self.name,
            location=location or f"@lake/{self.folder}",
            options=options,
        )

    def send(self, name: str, text: str) -> str:
        """Writes a file for the pipe; returns its key."""
        key = f"{self.folder}{name}.snowpipe.csv.gz"
        self.put(key, text)
        return key

    def settle(self) -> None:
        """Waits until all files written so far are processed, by sending another file."""
        marker = self.send(f"settled-{secrets.token_hex(4)}", "n,note\n")
        eventually(lambda: [row for row in self.history() if row[0] == marker], [(marker, "Loaded", 0)])
        eventually(lambda: self.status()["pendingFileCount"], 0)

    def numbers(self) -> list[int]:
        """The numbers in the landing table."""
        return [number for (number,) in self.run(f"SELECT n FROM {self.name} ORDER BY n")]

    def status(self) -> dict[str, Any]:
        """The decoded result of SYSTEM$PIPE_STATUS."""
        return dict(json.loads(self.run(f"SELECT SYSTEM$PIPE_STATUS('{self.name}_pipe')")[0][0]))

    def history(self, columns: str = "file_name, status, row_count", rest: str = "") -> list[Any]:
        """Rows of COPY_HISTORY for the table."""
        call = f"TABLE_NAME => '{self.name}', START_TIME => DATEADD(HOUR, -24, CURRENT_TIMESTAMP())"
        return self.run(f"SELECT {columns} FROM TABLE(INFORMATION_SCHEMA.COPY_HISTORY({call})) {rest}")


LANDING = """CREATE OR REPLACE TRANSIENT TABLE {name} (
    n NUMBER(38, 0) NOT NULL, note VARCHAR, file_name VARCHAR NOT NULL, file_row NUMBER(38, 0) NOT NULL
)"""
PIPE = """CREATE OR REPLACE PIPE {pipe} AUTO_INGEST = TRUE AS
COPY INTO {name} (n, note, file_name, file_row)
FROM (SELECT $1, $2, METADATA$FILENAME, METADATA$FILE_ROW_NUMBER FROM {location})
FILE_FORMAT = (FORMAT_NAME = 'playlist_csv') PATTERN = '.*[.]snowpipe[.]csv[.]gz' {options}"""


@pytest.fixture
def songs(run: Run, put: Callable[[str, str], None], notifications: None) -> Songs:
    """A landing table and a pipe, exclusive to the test."""
    del notifications
    songs = Songs(run, put, f"songs_{secrets.token_hex(4)}")
    songs.create()
    return songs


def pytest_configure(config: pytest.Config) -> None:
    # A warning about fakesnow's way of reading results, which the stand-in cannot change.
    config.addinivalue_line("filterwarnings", "ignore:Arrow output on a DB-API result:UserWarning")
