"""Prefect side of `apply`: blocks, rate limit, list of daily playlists, work pool, automations."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from prefect.automations import AutomationCore
from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_KEY, PREFECT_API_URL, PREFECT_CLOUD_API_URL
from prefect.variables import Variable
from prefect_aws import AwsCredentials, S3Bucket
from prefect_snowflake import SnowflakeConnector

from blocks.registration import wanted_blocks
from blocks.spotify import SpotifyCredentials
from blocks.stored import MISSING, OK, Unreadable, create_rate_limit, find, state, state_of_rate_limit
from blocks.variables import Environment, number
from deploy.automations import automations, notification_block, write_automations
from deploy.changes import Action, Change, Side
from deploy.template import PoolType
from flows.daily_playlists import VARIABLE

SIDE: Side = "Prefect"
TYPES: dict[str, type[Block]] = {
    "spotify": SpotifyCredentials,
    "lake": S3Bucket,
    "aws": AwsCredentials,
    "aws-ecs": AwsCredentials,
    "warehouse-admin": SnowflakeConnector,
    "warehouse": SnowflakeConnector,
}
"""Types of the blocks by name; the lake before the credentials that it references, for deletion."""
MINE = ["mine"]
"""Default of the list of daily playlists: all playlists of the user who gives consent."""
UNTIL_KNOWN = "needs values of the other sides"


def pool_type() -> PoolType:
    """`ecs:push` on Prefect Cloud, which starts containers itself; `ecs` with a worker elsewhere."""
    return "ecs:push" if str(PREFECT_API_URL.value()).startswith(PREFECT_CLOUD_API_URL.value()) else "ecs"


def api_secret() -> tuple[str, str] | None:
    """Secret with which containers log in to Prefect: the template's variable for its ARN, and its value."""
    for name, setting in (
        ("prefect_api_key_secret_arn", PREFECT_API_KEY),
        ("prefect_api_auth_string_secret_arn", PREFECT_API_AUTH_STRING),
    ):
        if value := setting.value():
            return name, str(value)
    return None


# --- blocks and rate limit ---


def block_changes(environment: Environment, *, has_key: bool) -> list[Change]:
    """The changes that `write_blocks` would make; without a key yet, every block is written."""
    if not has_key:
        return [*(_first_change(name) for name in TYPES), *_first_rate_limit(environment)]
    blocks = wanted_blocks(environment)
    found = {f"block {name}": state(block, name) for name, block in blocks.items()}
    if number(environment, "SPOTIFY_REQUESTS_PER_SECOND"):
        limit = blocks["spotify"].rate_limit
        found[f"rate limit {limit}"] = state_of_rate_limit(limit)
    return [
        Change(SIDE, "create" if status == MISSING else "change", what, "" if status == MISSING else status)
        for what, status in found.items()
        if status != OK
    ]


def _first_change(name: str) -> Change:
    """The change of a block before its values are known."""
    try:
        exists = find(TYPES[name], name) is not None
    except Unreadable:
        exists = True
    if exists:
        return Change(SIDE, "change", f"block {name}", f"there is one of this name; {UNTIL_KNOWN}")
    return Change(SIDE, "create", f"block {name}", UNTIL_KNOWN)


def _first_rate_limit(environment: Environment) -> list[Change]:
    limit = f"spotify-{environment['SPOTIFY_CLIENT_ID']}"
    if number(environment, "SPOTIFY_REQUESTS_PER_SECOND") and state_of_rate_limit(limit) == MISSING:
        return [Change(SIDE, "create", f"rate limit {limit}")]
    return []


def write_blocks(environment: Environment, blocks: Mapping[str, Any]) -> list[Change]:
    """Writes missing and differing blocks, and the rate limit; returns what was written."""
    written = []
    for name, block in blocks.items():
        status = state(block, name)
        if status != OK:
            block.save(name, overwrite=True)
            action: Action = "create" if status == MISSING else "change"
            written.append(Change(SIDE, action, f"block {name}"))
    limit, per_second = blocks["spotify"].rate_limit, number(environment, "SPOTIFY_REQUESTS_PER_SECOND")
    if per_second and state_of_rate_limit(limit) == MISSING:
        create_rate_limit(limit, per_second)
        written.append(Change(SIDE, "create", f"rate limit {limit}"))
    return written


# --- the list of playlists ---


def playlist_changes(given: Sequence[str]) -> list[Change]:
    """The changes that `write_playlists` would make; an existing list is kept unless playlists are given."""
    there: Any = Variable.get(VARIABLE)
    wanted = list(given) or there or MINE
    if there == wanted:
        return []
    return [Change(SIDE, "change" if there else "create", f"variable {VARIABLE}", ", ".join(wanted))]


def write_playlists(given: Sequence[str]) -> list[Change]:
    """Sets the list that daily runs read."""
    changes = playlist_changes(given)
    if changes:
        Variable.set(VARIABLE, list(given) or MINE, overwrite=True)
    return changes


# --- automations ---


def automation_changes(notify: str | None) -> list[Change]:
    """The changes that `write_changed_automations` would make with this notification block."""
    found = []
    for wanted in _wanted_automations(notify):
        stored = _stored_automation(wanted.name)
        if stored is None:
            found.append(Change(SIDE, "create", f"automation {wanted.name}"))
        elif _compared(stored) != _compared(wanted):
            found.append(Change(SIDE, "change", f"automation {wanted.name}"))
    return found


def write_changed_automations(notify: str | None) -> list[Change]:
    """Creates missing automations and updates differing ones."""
    changes = automation_changes(notify)
    changed = {change.what.removeprefix("automation ") for change in changes}
    write_automations(one for one in _wanted_automations(notify) if one.name in changed)
    return changes


def _wanted_automations(notify: str | None) -> list[AutomationCore]:
    return automations(notification_block(notify)) if notify else []


def _stored_automation(name: str) -> AutomationCore | None:
    with get_client(sync_client=True) as client:
        return next(iter(client.read_automations_by_name(name)), None)


def _compared(automation: AutomationCore) -> str:
    """The fields of an automation that we write, without the ids that the server adds to its triggers."""
    fields = {"name", "description", "trigger", "actions", "enabled"}
    written = automation.model_dump(mode="json", include=fields)
    return json.dumps(_without_ids(written), sort_keys=True)


def _without_ids(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, dict):
        return {name: _without_ids(one) for name, one in value.items() if name != "id"}
    if isinstance(value, list):
        plain = [_without_ids(one) for one in value]
        return sorted(plain, key=json.dumps) if all(isinstance(one, str) for one in plain) else plain
    return value
