"""Base job template of the work pool: both types of pool from one source, with the block that starts tasks.

A pool of type `ecs:push` requires values where a worker accepts null, because Prefect Cloud validates
strictly. It passes no settings of a worker on to the container.
"""

import json
import sys
from pathlib import Path
from typing import Any, Literal

from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import BlockDocument
from prefect.exceptions import ObjectNotFound

from blocks.prefect_api import PrefectFailed, connected
from blocks.validation import NotRegistered
from blocks.variables import read_environment

PoolType = Literal["ecs", "ecs:push"]

SOURCE = Path(__file__).with_name("base_job_template.json")
BLOCK = "aws-ecs"
REGISTER = "run `python -m blocks register`, then this command again"


def print_template(pool_type: PoolType) -> int:
    """Prints the template as JSON, or the reason why it cannot be made; returns the exit status."""
    try:
        with connected(read_environment()):
            block = usable_block(pool_type)
    except (NotRegistered, PrefectFailed) as error:
        sys.stderr.write(f"no template is printed: {error}\n")
        return 1
    sys.stdout.write(json.dumps(template(pool_type, str(block.id)), indent=2) + "\n")
    return 0


def template(pool_type: PoolType, block_document_id: str) -> dict[str, Any]:
    """The template for a pool. It references the block in the way Prefect's own provisioner does."""
    found: dict[str, Any] = json.loads(SOURCE.read_text("utf-8"))
    variables = found["variables"]["properties"]
    variables["aws_credentials"]["default"] = {"$ref": {"block_document_id": block_document_id}}
    if pool_type == "ecs:push":
        variables["env"] |= {
            "default": {},
            "additionalProperties": {"type": "string"},
            "description": "More environment variables of the container, in plain text: no secrets.",
        }
        # Only self-hosted servers have basic authentication.
        name = "prefect_api_auth_string_secret_arn"
        del variables[name], found["job_configuration"][name]
    return found


def push_problem(credentials: dict[str, Any]) -> str | None:
    """The reason why Prefect Cloud cannot start tasks with the block's values, or None."""
    wanted = {"aws_access_key_id": "ECS_AWS_ACCESS_KEY_ID", "region_name": "AWS_DEFAULT_REGION"}
    if missing := [variable for field, variable in wanted.items() if not credentials.get(field)]:
        return (
            f"block {BLOCK!r} lacks an access key or a region, and Prefect Cloud cannot start tasks without: "
            f"set {', '.join(missing)}, {REGISTER}"
        )
    parameters = credentials.get("aws_client_parameters") or {}
    if not isinstance(parameters.get("verify", True), bool):
        return f"block {BLOCK!r}: Prefect Cloud requires true or false for `verify`: {REGISTER}"
    return None


def usable_block(pool_type: PoolType) -> BlockDocument:
    """The block that starts tasks; raises NotRegistered if missing or unusable for this type of pool."""
    with get_client(sync_client=True) as client:
        try:
            block = client.read_block_document_by_name(BLOCK, "aws-credentials")
        except ObjectNotFound:
            message = f"there is no block {BLOCK!r}: run `python -m blocks register` first"
            raise NotRegistered(message) from None
    if pool_type == "ecs:push" and (problem := push_problem(block.data)):
        raise NotRegistered(problem)
    return block
