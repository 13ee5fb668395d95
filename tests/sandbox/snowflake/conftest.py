"""A stand-in and an S3 server per test module, on loopback ports of their own."""

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
    """Return `snowflake.connector.connect` bound to a stand-in; keyword arguments override."""

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
            "platform_detection_timeout_seconds": 0.0,  # else it asks cloud metadata services
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
    """Connect to a stand-in where database MUSIC, schema LISTS and stage LAKE exist."""
    with standing_in(s3_endpoint) as result:
        yield result


@contextlib.contextmanager
def standing_in(s3_endpoint: str, **options: Any) -> Iterator[Connect]:
    """Serve a stand-in with the set-up above; yields its `connect`."""
    with running(create_app(s3_endpoint, **options), lifespan=True) as url:
        result = connector(url)
        with result(database=None, schema=None) as admin:
            for statement in SETUP:
                admin.cursor().execute(statement)
        yield result


@pytest.fixture(scope="module")
def stand_in(s3_endpoint: str) -> Callable[..., AbstractContextManager[Connect]]:
    """Serve another stand-in, with its own options."""
    return functools.partial(standing_in, s3_endpoint)


@pytest.fixture
def connection(connect: Connect) -> Iterator[Connection]:
    with connect() as opened:
        yield opened


Run = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def run(connection: Connection) -> Run:
    """Run one statement with its binds; returns the rows."""

    def run_one(sql: str, *binds: Any) -> list[tuple[Any, ...]]:
        return list(connection.cursor().execute(sql, binds or None).fetchall())

    return run_one


@pytest.fixture
def put(s3: Any) -> Callable[[str, str], None]:
    """Put a gzipped text under a key of the lake."""

    def put_text(key: str, text: str) -> None:
        s3.put_object(Bucket=BUCKET, Key=key, Body=gzip.compress(text.encode()))

    return put_text


@pytest.fixture(scope="module")
def wired(connect: Connect, s3: Any) -> None:
    """Wire the bucket to the pipes of the stand-in, as its owner does: SHOW PIPES tells where to."""
    with connect() as admin:
        cursor = admin.cursor()
        cursor.execute("CREATE TABLE wired (a INT)")
        cursor.execute("CREATE PIPE wired AUTO_INGEST = TRUE AS COPY INTO wired FROM @lake/wired/")
        (shown,) = cursor.execute("SHOW PIPES").fetchall()
        names = [column.name for column in cursor.description]
        cursor.execute("DROP PIPE wired")
    notify_pipes(s3, BUCKET, dict(zip(names, shown, strict=True))["notification_channel"])


class Control(NamedTuple):
    """How pipes misbehave: a call sets it, in place of what was set before."""

    url: str

    def __call__(self, **settings: Any) -> None:
        """Set all of them."""
        requests.put(self.url, json=settings, timeout=10).raise_for_status()

    def shown(self) -> dict[str, Any]:
        """What is set, and what it did."""
        return dict(requests.get(self.url, timeout=10).json())


@pytest.fixture
def control(connection: Connection) -> Iterator[Control]:
    """The pipes' controls, set back in the end."""
    made = Control(f"http://127.0.0.1:{connection.port}/sandbox/pipes")
    yield made
    made()


def eventually(ask: Callable[[], Any], wanted: Any) -> None:
    """Ask until the answer is the one wanted."""
    deadline = time.monotonic() + 15
    while (found := ask()) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.02)


class Songs(NamedTuple):
    """A landing table with a pipe, watching a folder of their own."""

    run: Run
    put: Callable[[str, str], None]
    name: str

    @property
    def folder(self) -> str:
        """What the pipe watches."""
        return f"tables/{self.name}/"

    def create(self, **parts: str) -> None:
        """Create table and pipe, or replace them."""
        self.run(LANDING.format(name=self.name))
        self.run(self.pipe(**parts))

    def pipe(self, name: str = "", location: str = "", options: str = "") -> str:
        """The statement that makes the pipe."""
        return PIPE.format(
            pipe=name or f"{self.name}_pipe",
            name=self.name,
            location=location or f"@lake/{self.folder}",
            options=options,
        )

    def send(self, name: str, text: str) -> str:
        """Put a file for the pipe; returns its key."""
        key = f"{self.folder}{name}.snowpipe.csv.gz"
        self.put(key, text)
        return key

    def settle(self) -> None:
        """Wait until every file put so far was taken in: one more comes out at the other end."""
        marker = self.send(f"settled-{secrets.token_hex(4)}", "n,note\n")
        eventually(lambda: [row for row in self.history() if row[0] == marker], [(marker, "Loaded", 0)])
        eventually(lambda: self.status()["pendingFileCount"], 0)

    def numbers(self) -> list[int]:
        """What has landed."""
        return [number for (number,) in self.run(f"SELECT n FROM {self.name} ORDER BY n")]

    def status(self) -> dict[str, Any]:
        """The pipe's status."""
        return dict(json.loads(self.run(f"SELECT SYSTEM$PIPE_STATUS('{self.name}_pipe')")[0][0]))

    def history(self, columns: str = "file_name, status, row_count", rest: str = "") -> list[Any]:
        """The table's history."""
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
def songs(run: Run, put: Callable[[str, str], None], wired: None) -> Songs:
    """A landing table and a pipe that no other test has."""
    del wired
    made = Songs(run, put, f"songs_{secrets.token_hex(4)}")
    made.create()
    return made


def pytest_configure(config: pytest.Config) -> None:
    # fakesnow's way of reading results, which the stand-in does not choose
    config.addinivalue_line("filterwarnings", "ignore:Arrow output on a DB-API result:UserWarning")
