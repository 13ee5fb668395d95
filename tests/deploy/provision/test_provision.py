"""`plan`, `apply` and `destroy` on empty accounts."""

import re
from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.variables import Variable

from deploy.provision import command as commands
from deploy.provision.aws_login import ECS_ROLE
from tests.deploy.provision.conftest import ALL, LAKE, STACK, Clouds, Command
from tests.deploy.provision.interruptions import Interruption, Killed, interrupted

NOTHING = "nothing to change"


@pytest.mark.faults
def test_plan_apply_apply_again_destroy(
    command: Command, clouds: Clouds, project_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first apply is killed and continued by the second."""
    before = state(clouds)
    planned = command("plan")
    assert state(clouds) == before
    assert "+ create storage integration SPOTIFY_LAKE" in planned
    assert "+ create IAM Role SnowflakeRole" in planned
    assert f"+ create IAM Role {ECS_ROLE} (" in planned
    assert "+ create block warehouse" in planned
    assert "+ create rate limit spotify-app" in planned
    assert "+ create .env.deployed" in planned

    with interrupted(Interruption(at="ExecuteChangeSet")), pytest.raises(Killed):
        command("apply")
    applied = command("apply")
    check_preflight(applied)
    assert applied.index("preflight (") < applied.index("Left to do:\n  1. python -m blocks authorize")
    assert clouds.client("iam").get_role(RoleName=ECS_ROLE)
    monkeypatch.setattr(commands, "run_preflight", lambda **_: 0)
    assert NOTHING in command("plan")
    made = state(clouds)
    again = command("apply")
    assert state(clouds) == made
    assert [line for line in again.splitlines() if re.match(r"[+~-] ", line)] == []
    check_trust(clouds)
    check_key(clouds)
    check_pool(clouds)
    check_no_secret(project_folder, applied + again + planned)

    assert "the name of the lake is" in command("destroy", "--yes", "--lake", "another", status=1)
    kept = command("destroy", "--yes")
    assert f"keep bucket {LAKE}" in kept
    assert clouds.client("s3").list_buckets()["Buckets"][0]["Name"] == LAKE
    assert clouds.rows("SHOW DATABASES LIKE 'SPOTIFY'")
    assert clouds.rows("SHOW USERS LIKE 'SPOTIFY_PIPELINE'") == []
    command("destroy", *ALL)
    assert state(clouds) == before


def state(clouds: Clouds) -> dict[str, Any]:
    """Everything in the accounts that `apply` may create."""
    iam, cloudformation = clouds.client("iam"), clouds.client("cloudformation")
    kinds = ("DATABASES", "WAREHOUSES", "ROLES", "USERS", "INTEGRATIONS")
    with get_client(sync_client=True) as client:
        found: dict[str, Any] = {
            "blocks": [str(one.updated) for one in client.read_block_documents()],
            "pools": [str(one.updated) for one in client.read_work_pools() if one.name == "spotify"],
        }
    found |= {kind: clouds.rows(f"SHOW {kind} LIKE '%'") for kind in kinds}
    stacks = cloudformation.list_stacks(StackStatusFilter=["CREATE_COMPLETE", "REVIEW_IN_PROGRESS"])
    found["stacks"] = [one["StackName"] for one in stacks["StackSummaries"]]
    found["change sets"] = (
        cloudformation.list_change_sets(StackName=STACK)["Summaries"] if found["stacks"] else []
    )
    # The role of ECS is left: other clusters of the account may use it.
    found["roles"] = [one["RoleName"] for one in iam.list_roles()["Roles"] if one["RoleName"] != ECS_ROLE]
    found["buckets"] = [one["Name"] for one in clouds.client("s3").list_buckets()["Buckets"]]
    return found | {"variable": Variable.get("daily_playlists")}


def check_preflight(applied: str) -> None:
    """Only the remaining steps are red: image, worker, automations."""
    red = [line.split()[1] for line in applied.splitlines() if line.startswith(("missing ", "wrong "))]
    assert [what for what in red if what != "automation"] == ["value", "work"]


def check_trust(clouds: Clouds) -> None:
    """The integration uses the stack's role, and the role trusts Snowflake's user with the external id."""
    shown = {row[0]: row[2] for row in clouds.rows("DESC INTEGRATION spotify_lake")}
    role = clouds.client("iam").get_role(RoleName=f"{STACK}-snowflake")["Role"]
    (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert role["Arn"] == shown["STORAGE_AWS_ROLE_ARN"]
    assert statement["Principal"]["AWS"] == shown["STORAGE_AWS_IAM_USER_ARN"]
    assert statement["Condition"]["StringEquals"]["sts:ExternalId"] == shown["STORAGE_AWS_EXTERNAL_ID"]
    assert shown["STORAGE_ALLOWED_LOCATIONS"] == f"s3://{LAKE}/tables/"


def check_key(clouds: Clouds) -> None:
    """Both blocks can log in with their key."""
    from prefect_snowflake import SnowflakeConnector  # noqa: PLC0415 - takes seconds

    del clouds
    for name, role in (("warehouse", "SPOTIFY_LOADER"), ("warehouse-admin", "SPOTIFY_OWNER")):
        block: Any = SnowflakeConnector.load(name)
        with block.get_connection() as connection:
            assert connection.cursor().execute("SELECT CURRENT_ROLE()").fetchone() == (role,)


def check_pool(clouds: Clouds) -> None:
    """The pool starts tasks in the stack's cluster, with its roles."""
    with get_client(sync_client=True) as client:
        pool = client.read_work_pool("spotify")
    variables = pool.base_job_template["variables"]["properties"]
    (cluster,) = clouds.client("ecs").list_clusters()["clusterArns"]
    assert variables["cluster"]["default"] == cluster
    assert variables["log_group"]["default"] == f"/ecs/{STACK}"
    assert variables["execution_role_arn"]["default"].endswith(f":role/{STACK}-execution")
    assert variables["aws_credentials"]["default"]["$ref"]


def check_no_secret(project_folder: Path, printed: str) -> None:
    """No secret is printed or written to `.env.deployed`."""
    written = (project_folder / ".env.deployed").read_text(encoding="utf-8")
    for secret in ("canary-secret", "PRIVATE KEY", "BEGIN"):
        assert secret not in printed + written
    assert "IMAGE_REPOSITORY='123456789012.dkr.ecr.us-east-1.amazonaws.com/" in written


WRONG_NAMES = {
    "lake": (("--lake", "another"), f"--lake another: the name of the lake is {LAKE}. Nothing was deleted"),
    "database": (("--database", "spotify"), "the name of the database is SPOTIFY. Nothing was deleted"),
    "no such bucket": (("--bucket", "none"), "There is no bucket none"),
    "notification block": (("--notify", "slack-webhook/none"), "there is no block slack-webhook/none"),
    "pool of another type": (("--pool", "processes"), "Work pool processes has the type process, not ecs"),
    "parameter": (("--parameter", "Days=1"), "--parameter does not take Days. It takes EventsQueueName, "),
}


@pytest.mark.faults
@pytest.mark.parametrize(("options", "says"), WRONG_NAMES.values(), ids=WRONG_NAMES)
def test_wrong_names_are_refused_before_anything_is_written(
    command: Command, clouds: Clouds, options: tuple[str, ...], says: str
) -> None:
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="processes", type="process"), overwrite=True)
    before = state(clouds)
    name = "destroy" if options[0] in ("--lake", "--database") else "apply"
    assert says in command(name, *options, status=1)
    assert state(clouds) == before


@pytest.mark.faults
def test_an_existing_bucket_is_not_changed(command: Command, clouds: Clouds) -> None:
    clouds.client("s3").create_bucket(Bucket="of-somebody")
    planned = command("plan", "--bucket", "of-somebody")
    assert "keep bucket of-somebody (not configured, and not changed: " in planned
    command("apply", "--bucket", "of-somebody")
    made = clouds.client("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    assert "AWS::S3::Bucket" not in {one["ResourceType"] for one in made}
    assert [one["Name"] for one in clouds.client("s3").list_buckets()["Buckets"]] == ["of-somebody"]
    assert NOTHING in command("plan")
    command("destroy", "--yes", "--lake", "of-somebody", "--database", "SPOTIFY")
    assert [one["Name"] for one in clouds.client("s3").list_buckets()["Buckets"]] == ["of-somebody"]
