"""The documented policy of the task role: every grant is needed, and the message names a missing one.

moto assumes the role, checks signatures and evaluates the policy; the operations are those of runs. The docs
list what cannot be tested here: ECR, logs, Secrets Manager, PassRole, the roles of the worker and Snowflake.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from moto.core.authorization import enable_iam_authentication

from pipeline.errors import ConfigurationError
from pipeline.lake.kept_details import DetailsEnvelope, KeptDetails, write_details
from pipeline.lake.layout import raw_key, receipt_key, report_key, table_prefix
from pipeline.lake.raw_files import RawFile
from pipeline.lake.snapshot_files import keep_snapshot, read_snapshot
from pipeline.lake.snapshots import find_snapshots
from pipeline.lake.store import Lake
from pipeline.records import Envelope
from tests.builders import DAY, FETCHED_AT, PLAYLIST, RUN, artist, body, entry, song, tables_of, write_files
from tests.pipeline.lake.conftest import BUCKET, SESSION
from tests.policies import Grant, policy, task_role_grants
from tests.tiers import enumerated

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

FOLDER = "spotify/prod"
LATER_RUN = "20261121T070000Z-0123abcd"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole"}]})
GRANTS = {f"{one.action} {one.resource.rpartition(':')[2]}": one for one in task_role_grants()}
TABLES = tables_of(entry(song()))


def keep(lake: Lake, run: str) -> None:
    """Keeps a snapshot, as a run does."""
    envelope = Envelope(run, PLAYLIST, "snapshot", FETCHED_AT, "both", 0, "1.2.3")
    keep_snapshot(lake, RawFile.of(envelope, [b"{}"]), DAY)


def keep_details(lake: Lake, run: str) -> None:
    """Keeps details, as `enrich` does."""
    envelope = DetailsEnvelope(run, "artists", datetime.now(UTC), ["a"], "1.2.3")
    write_details(lake, envelope, [body({"artists": [artist("a")]})], DAY)


def write_receipt(lake: Lake, run: str) -> None:
    """Writes a receipt, as a run does at its end."""
    lake.write(receipt_key(DAY, run), b"{}", "application/json")


def write_report(lake: Lake, run: str) -> None:
    """Writes a report, as a run does after its receipt."""
    lake.write(report_key(DAY, run), b"<!doctype html>", "text/html")


OPERATIONS: dict[str, Callable[[Lake], object]] = {
    "keep a snapshot": lambda lake: keep(lake, LATER_RUN),
    "find kept snapshots": lambda lake: find_snapshots(lake, [PLAYLIST], DAY, DAY),
    "read a kept snapshot": lambda lake: list(read_snapshot(lake, raw_key(PLAYLIST, DAY, RUN)).bodies),
    "keep details": lambda lake: keep_details(lake, LATER_RUN),
    "find kept details": lambda lake: KeptDetails(lake).fresh_ids("artists", DAY),
    "upload tables": lambda lake: write_files(lake, TABLES, DAY, LATER_RUN),
    "compare tables after a lost response": lambda lake: write_files(lake, TABLES, DAY, RUN),
    "find published snapshots": lambda lake: list(lake.keys(table_prefix("playlists", DAY))),
    "write the receipt": lambda lake: write_receipt(lake, LATER_RUN),
    "check whether a receipt exists": lambda lake: lake.exists(receipt_key(DAY, RUN)),
    "write the report": lambda lake: write_report(lake, LATER_RUN),
    "compare the report after a lost response": lambda lake: write_report(lake, RUN),
}
"""Operations of runs on the lake, after RUN has written its files."""


def leave_files(lake: Lake) -> None:
    """Writes the files that a run leaves in the lake."""
    keep(lake, RUN)
    keep_details(lake, RUN)
    write_files(lake, TABLES, DAY, RUN)
    write_receipt(lake, RUN)
    write_report(lake, RUN)


@pytest.fixture
def with_files(s3: "S3Client") -> None:
    """A lake with the files of an earlier run."""
    leave_files(Lake(s3, BUCKET, FOLDER))


@contextmanager
def lake_with_grants(grants: list[Grant]) -> Iterator[Lake]:
    """The lake, accessed with a role that has exactly these grants."""
    iam, sts = SESSION.client("iam"), SESSION.client("sts")
    role = iam.create_role(RoleName="spotify-run", AssumeRolePolicyDocument=TRUST)["Role"]
    iam.put_role_policy(
        RoleName="spotify-run", PolicyName="lake", PolicyDocument=policy(grants, BUCKET, FOLDER)
    )
    keys: Any = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="run")["Credentials"]
    client = SESSION.client(
        "s3",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    with enable_iam_authentication():
        yield Lake(client, BUCKET, FOLDER)


def refused_under(grants: list[Grant], caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """Operations that fail with these grants, each with its error message or warning."""
    with lake_with_grants(grants) as lake:
        return refused(lake, caplog)


def refused(lake: Lake, caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """Operations that fail on this lake, each with its error message or warning."""
    found = {}
    for name, operation in OPERATIONS.items():
        caplog.clear()
        try:
            operation(lake)
        except ConfigurationError as error:
            found[name] = str(error)
        if "access is denied" in caplog.text:
            found[name] = caplog.text
    return found


@pytest.mark.usefixtures("with_files")
def test_the_policy_is_sufficient(caplog: pytest.LogCaptureFixture) -> None:
    assert refused_under([*GRANTS.values()], caplog) == {}


@pytest.mark.usefixtures("with_files")
@pytest.mark.parametrize("removed", enumerated(GRANTS, ["s3:PutObject YOUR-BUCKET/runs/*"]))
def test_each_grant_is_needed_and_named_if_it_is_missing(
    removed: str, caplog: pytest.LogCaptureFixture
) -> None:
    grant = GRANTS[removed]
    found = refused_under([one for one in GRANTS.values() if one != grant], caplog)
    assert found, f"nothing needs {removed}: take it out of the policy"
    prefix = grant.resource.partition("/")[2].removesuffix("*")
    for message in found.values():
        assert f"{grant.action} on" in message
        assert "[LAKE_DENIED]" in message
        assert f"s3://{BUCKET}/{FOLDER}/{prefix}" in message
