"""The sandbox's blocks contain nothing of a real account."""

import pytest
from prefect.client.orchestration import get_client

from flows.daily_playlists import VARIABLE
from sandbox.registration import MAX_PLAYLISTS, register_blocks
from sandbox.services import Sandbox, block_variables
from sandbox.spotify.catalogue import EMPTY
from tests.blocks.conftest import Command, stored

REAL = (
    "SNOWFLAKE_ADMIN_ROLE",
    "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE",
    "SPOTIFY_CLIENT_SECRET",
    "AWS_PROFILE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAKE_AWS_SESSION_TOKEN",
    "LAKE_FOLDER",
)


def test_no_real_variable_reaches_the_sandbox(
    command: Command, prefect_api: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    del command  # only for its cleanup
    sandbox = Sandbox("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3", {})
    for name in REAL:
        monkeypatch.setenv(name, "canary-real")
    variables = block_variables(sandbox)
    register_blocks(variables | {"PREFECT_API_URL": prefect_api["PREFECT_API_URL"]}, [EMPTY] * 300)

    blocks = stored()
    with get_client(sync_client=True) as api:
        variable = api.read_variable_by_name(VARIABLE)
        api.delete_variable_by_name(VARIABLE)
    assert variable
    assert variable.value == [EMPTY] * MAX_PLAYLISTS
    assert sorted(blocks) == ["aws", "aws-ecs", "lake", "spotify", "warehouse", "warehouse-admin"]
    assert "canary-real" not in repr(blocks)
    assert blocks["spotify"]["data"]["client_secret"] == variables["SPOTIFY_CLIENT_SECRET"]
    assert blocks["aws-ecs"]["data"]["aws_client_parameters"]["endpoint_url"] == sandbox.s3
