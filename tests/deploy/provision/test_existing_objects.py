"""An account in use: what people have set is kept; what cannot be kept is refused before any write."""

from pathlib import Path
from typing import Any

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolUpdate
from prefect_aws import AwsCredentials

from blocks.key_pair import KeyPair
from deploy.provision import command as commands
from deploy.provision.prefect_objects import TYPES
from tests.deploy.provision.conftest import THREE_LINES, Clouds, Command
from tests.deploy.provision.test_provision import NOTHING, check_key

pytestmark = pytest.mark.faults

ADMIN = KeyPair.new()
TOGETHER = "SNOWFLAKE_ACCOUNT is other, but the login is to account sandbox. Remove the variable"


@pytest.fixture(autouse=True)
def _without_preflight(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commands, "run_preflight", lambda **_: 0)


def test_a_separate_user_changes_the_schema(
    command: Command, clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNOWFLAKE_ADMIN_USER", "SPOTIFY_ADMIN")
    monkeypatch.setenv("SNOWFLAKE_ADMIN_PRIVATE_KEY", ADMIN.private.pem.get_secret_value().decode())
    assert "create user SPOTIFY_ADMIN" in command("plan")
    command("apply")
    assert NOTHING in command("plan")
    check_key(clouds)
    assert "SPOTIFY_OWNER" not in str(clouds.rows("SHOW GRANTS TO USER SPOTIFY_PIPELINE"))
    command("destroy", "--yes")
    assert clouds.rows("SHOW USERS LIKE 'SPOTIFY_ADMIN'") == []


def test_an_apply_with_other_options_does_not_replace_what_is_there(
    command: Command, clouds: Clouds, project_folder: Path
) -> None:
    command("apply", "--pool", "pool-2")
    assert NOTHING in command("plan")  # remembers the pool
    assert "belongs to stack spotify-playlist-pipeline" in command("plan", "--stack", "other", status=1)
    assert "belongs to stack" in command("destroy", "--yes", "--stack", "other", status=1)

    change_pool("pool-2")
    assert "change work pool pool-2" in command("plan")
    command("apply")
    template = pool("pool-2")
    variables = template["variables"]["properties"]
    assert variables["env"]["default"] == {"A": "1"}
    assert variables["mine"] == {"type": "string", "default": "x"}
    assert template["job_configuration"]["mine"] == "{{ mine }}"
    assert "arn:aws:ecs:" in variables["cluster"]["default"]

    delete_blocks()
    AwsCredentials(aws_access_key_id="of a colleague").save("aws")
    planned = command("plan")
    assert "~ change block aws (there is one of this name" in planned
    assert "change work pool pool-2" in planned
    assert "create block aws-ecs" in planned
    for slot in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2"):
        clouds.rows(f"ALTER USER SPOTIFY_PIPELINE SET {slot} = '{KeyPair.new().public}'")
    assert "already has two public keys" in command("apply", status=1)
    with get_client(sync_client=True) as client:
        assert {one.name for one in client.read_block_documents()} & TYPES.keys() == {"aws"}

    (project_folder / ".env").write_text(f"{THREE_LINES}SNOWFLAKE_ACCOUNT=other\n", encoding="utf-8")
    assert TOGETHER in command("apply", status=1)


def change_pool(name: str) -> None:
    """Changes the pool as people do in its form, and a default that `apply` sets."""
    template = pool(name)
    properties = template["variables"]["properties"]
    properties["env"]["default"] = {"A": "1"}
    properties["mine"] = {"type": "string", "default": "x"}
    properties["cluster"]["default"] = "another"
    template["job_configuration"]["mine"] = "{{ mine }}"
    with get_client(sync_client=True) as client:
        client.update_work_pool(name, WorkPoolUpdate(base_job_template=template))


def pool(name: str) -> dict[str, Any]:
    with get_client(sync_client=True) as client:
        return client.read_work_pool(name).base_job_template


def delete_blocks() -> None:
    with get_client(sync_client=True) as client:
        for one in client.read_block_documents():
            if one.name in TYPES:
                client.delete_block_document(one.id)
