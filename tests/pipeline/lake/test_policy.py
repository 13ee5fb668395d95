"""The task role's policy in the docs: each action on each prefix is needed, and what is denied is named.

moto assumes the role, checks signatures and evaluates the policy; the operations are the lake's own. The docs
list what nothing here can exercise: ECR, logs, Secrets Manager, PassRole, the worker's and Snowflake's roles.
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
    """A snapshot, as a run keeps it."""
    envelope = Envelope(run, PLAYLIST, "snapshot", FETCHED_AT, "both", 0, "1.2.3")
    keep_snapshot(lake, RawFile.of(envelope, [b"{}"]), DAY)


def keep_details(lake: Lake, run: str) -> None:
    """Details, as `enrich` keeps them."""
    envelope = DetailsEnvelope(run, "artists", datetime.now(UTC), ["a"], "1.2.3")
    write_details(lake, envelope, [body({"artists": [artist("a")]})], DAY)


def write_receipt(lake: Lake, run: str) -> None:
    """A receipt, as the end of a run writes it."""
    lake.write(receipt_key(DAY, run), b"{}", "application/json")


def write_report(lake: Lake, run: str) -> None:
    """A report, as the very end of a run writes it."""
    lake.write(report_key(DAY, run), b"<!doctype html>", "text/html")


OPERATIONS: dict[str, Callable[[Lake], object]] = {
    "keep a snapshot": lambda lake: keep(lake, LATER_RUN),
    "find kept snapshots": lambda lake: find_snapshots(lake, [PLAYLIST], DAY, DAY),
    "read a kept snapshot": lambda lake: list(read_snapshot(lake, raw_key(PLAYLIST, DAY, RUN)).bodies),
    "keep details": lambda lake: keep_details(lake, LATER_RUN),
    "look for kept details": lambda lake: KeptDetails(lake).fresh_ids("artists", DAY),
    "upload tables": lambda lake: write_files(lake, TABLES, DAY, LATER_RUN),
    "compare tables after a lost response": lambda lake: write_files(lake, TABLES, DAY, RUN),
    "look for what is published": lambda lake: list(lake.keys(table_prefix("playlists", DAY))),
    "write the receipt": lambda lake: write_receipt(lake, LATER_RUN),
    "look for a receipt": lambda lake: lake.exists(receipt_key(DAY, RUN)),
    "write the report": lambda lake: write_report(lake, LATER_RUN),
    "compare the report after a lost response": lambda lake: write_report(lake, RUN),
}
"""What runs do with the lake; RUN has been there before."""


def leave_files(lake: Lake) -> None:
    """Writes what a run leaves in the lake."""
    keep(lake, RUN)
    keep_details(lake, RUN)
    write_files(lake, TABLES, DAY, RUN)
    write_receipt(lake, RUN)
    write_report(lake, RUN)


@pytest.fixture
def used(s3: "S3Client") -> None:
    """A lake that a run has left files in."""
    leave_files(Lake(s3, BUCKET, FOLDER))


@contextmanager
def under(grants: list[Grant]) -> Iterator[Lake]:
    """The lake as a role sees it that may do these."""
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


def denied(grants: list[Grant], caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """Operations that fail under a policy, with what they say, be it only a warning."""
    with under(grants) as lake:
        return refused(lake, caplog)


def refused(lake: Lake, caplog: pytest.LogCaptureFixture) -> dict[str, str]:
    """Operations that the lake refuses to a client, with what they say."""
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


@pytest.mark.usefixtures("used")
def test_the_policy_is_enough(caplog: pytest.LogCaptureFixture) -> None:
    assert denied([*GRANTS.values()], caplog) == {}


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize("taken", enumerated(GRANTS, ["s3:PutObject YOUR-BUCKET/runs/*"]))
def test_each_action_on_each_prefix_is_needed_and_named_where_it_is_missing(
    taken: str, caplog: pytest.LogCaptureFixture
) -> None:
    gone = GRANTS[taken]
    found = denied([one for one in GRANTS.values() if one != gone], caplog)
    assert found, f"nothing needs {taken}: take it out of the policy"
    prefix = gone.resource.partition("/")[2].removesuffix("*")
    for said in found.values():
        assert f"{gone.action} on" in said
        assert "[LAKE_DENIED]" in said
        assert f"s3://{BUCKET}/{FOLDER}/{prefix}" in said
