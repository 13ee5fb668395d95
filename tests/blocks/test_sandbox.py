"""The sandbox's blocks: of nothing that belongs to a real account."""

import os
import subprocess
from typing import Any

import pytest

from blocks.environment import build, private_key, that_are_set
from sandbox.registration import register_blocks
from sandbox.services import Sandbox, block_variables, prefect_settings


def test_no_real_variable_reaches_the_sandbox(folder: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sandbox = Sandbox("http://127.0.0.1:1", "http://127.0.0.1:2", "http://127.0.0.1:3", {})
    environment = prefect_settings(folder) | block_variables(sandbox)
    for name in ("SNOWFLAKE_ADMIN_ROLE", "SNOWFLAKE_PRIVATE_KEY_PASSPHRASE", "AWS_PROFILE", "LAKE_FOLDER"):
        monkeypatch.setenv(name, "real")
    ran: dict[str, Any] = {}
    monkeypatch.setattr(subprocess, "run", lambda command, **options: ran.update(options, command=command))
    register_blocks(Sandbox(sandbox.spotify, sandbox.s3, sandbox.snowflake, environment))

    assert ran["command"][1:] == ["-m", "blocks.register", "--env-file", os.devnull]
    assert "real" not in ran["env"].values()
    assert ran["env"]["PATH"] == os.environ["PATH"]
    key = private_key(ran["env"])
    assert key
    found = build(that_are_set(ran["env"]), key)
    assert list(found) == ["spotify", "aws", "lake", "aws-ecs", "warehouse"]
    assert found["aws-ecs"].aws_client_parameters.endpoint_url == sandbox.s3
