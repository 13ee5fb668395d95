"""Fixtures: empty AWS and Snowflake accounts, a Prefect server, and logins to all of them."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import requests

from deploy.deployed_file import FILE
from deploy.provision.command import app
from sandbox.account_objects import connect
from sandbox.processes import Server

LOGINS = ("SPOTIFY_", "LAKE_", "AWS_", "ECS_AWS_", "SNOWFLAKE_")
THREE_LINES = "SPOTIFY_CLIENT_ID=app\nSPOTIFY_CLIENT_SECRET=canary-secret\nAWS_DEFAULT_REGION=us-east-1\n"
STACK = "spotify-playlist-pipeline"
LAKE = f"{STACK}-123456789012"
ALL = ("--yes", "--lake", LAKE, "--database", "SPOTIFY")


@dataclass(frozen=True)
class Clouds:
    """Addresses of the stand-ins for AWS and Snowflake."""

    aws: str
    snowflake: str

    def client(self, service: str) -> Any:
        """A client of an AWS service, to inspect the account."""
        options = {"aws_access_key_id": "o", "aws_secret_access_key": "o", "region_name": "us-east-1"}
        return boto3.client(service, endpoint_url=self.aws, **options)  # type: ignore[call-overload]

    def rows(self, sql: str) -> list[Any]:
        """Rows of a statement, executed as ACCOUNTADMIN."""
        with closing(connect(self.snowflake, role="ACCOUNTADMIN", warehouse="SPOTIFY_LOAD")) as connection:
            cursor: Any = connection.cursor()
            return list(cursor.execute(sql).fetchall())

    def logins(self) -> dict[str, str]:
        """Environment variables that log in to both accounts."""
        parts = urlsplit(self.snowflake)
        return {
            "AWS_ENDPOINT_URL": self.aws,
            "AWS_ACCESS_KEY_ID": "person",
            "AWS_SECRET_ACCESS_KEY": "person",
            "SNOWFLAKE_CONNECTIONS": (
                '[me]\naccount="sandbox"\nuser="sandbox"\npassword="sandbox"\n'
                f'host="{parts.hostname}"\nport={parts.port}\nprotocol="http"\n'
            ),
            "SNOWFLAKE_DEFAULT_CONNECTION_NAME": "me",
            "SNOWFLAKE_HOST": str(parts.hostname),
            "SNOWFLAKE_PORT": str(parts.port),
            "SNOWFLAKE_PROTOCOL": "http",
        }


@pytest.fixture(scope="session")
def aws() -> Iterator[str]:
    """Address of an AWS account, shared by all tests of this pytest worker."""
    from tests.deploy.provision.moto_stacks import serving  # noqa: PLC0415 - moto's CloudFormation takes 1.6 s

    with serving() as address:
        yield address


@pytest.fixture(scope="session")
def clouds(aws: str) -> Iterator[Clouds]:
    """The accounts, shared by all tests of this pytest worker; each test starts with empty accounts."""
    with ExitStack() as stack:
        options = ("--s3-endpoint", aws, "--idle-abort", "1.0")
        server = Server.start(stack, "the stand-in for Snowflake", "sandbox.snowflake", *options)
        yield Clouds(aws, server.wait_for_address())


Command = Callable[..., str]


@pytest.fixture
def project_folder(
    clouds: Clouds, prefect_api: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Working directory with the three lines of `.env`, logged in; empties the accounts afterwards."""
    del prefect_api
    for name in [name for name in os.environ if name.startswith(LOGINS)]:
        monkeypatch.delenv(name)
    for name, value in clouds.logins().items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text(THREE_LINES, encoding="utf-8")
    yield tmp_path
    empty(clouds)


@pytest.fixture
def command(project_folder: Path, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command of `python -m deploy`, checks its exit status and returns its output."""
    del project_folder

    def run(*options: str, status: int = 0) -> str:
        capsys.readouterr()
        ended = app(options, result_action="return_value")
        printed = capsys.readouterr()
        assert ended == status, printed.out + printed.err
        return printed.out if status == 0 else printed.err

    return run


def empty(clouds: Clouds) -> None:
    """Deletes everything in all accounts."""
    FILE.unlink(missing_ok=True)
    app(["destroy", *ALL, "--bucket", LAKE], result_action="return_value")
    requests.post(f"{clouds.aws}/moto-api/reset", timeout=30).raise_for_status()
