"""Prefect Cloud: login with an API key, a work pool of type `ecs:push`, tasks started with an access key."""

import pytest
from prefect.settings import PREFECT_API_URL, PREFECT_CLOUD_API_URL, temporary_settings

from deploy.provision import command as commands
from tests.deploy.provision.conftest import STACK, Clouds, Command
from tests.deploy.provision.test_provision import NOTHING

KEY = "pnu_of_a_person"

pytestmark = pytest.mark.faults


def test_the_containers_get_the_api_key_and_prefect_an_access_key(
    command: Command, clouds: Clouds, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "run_preflight", lambda **_: 0)
    monkeypatch.setenv("PREFECT_API_KEY", KEY)
    with temporary_settings({PREFECT_CLOUD_API_URL: str(PREFECT_API_URL.value())}):
        planned = command("plan")
        assert f"access key of {STACK}-starter" in planned
        applied = command("apply")
        assert NOTHING in command("plan")
        secrets = clouds.client("secretsmanager")
        (secret,) = secrets.list_secrets()["SecretList"]
        assert secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"] == KEY
        assert KEY not in planned + applied
        command("destroy", "--yes")
    assert clouds.client("iam").list_users()["Users"] == []
