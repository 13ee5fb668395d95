"""Checks of the automations against those that this release would write."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from prefect.automations import AutomationCore
from prefect.events.actions import SendNotification
from prefect.events.schemas.automations import Automation
from prefect.exceptions import ObjectNotFound

from deploy.automations import TAG, automations, playlist_changed
from deploy.preflight.prefect_api import api
from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import Checklist

WRITE = "python -m deploy automations --notify TYPE/NAME"
NOBODY = UUID(int=0)
FIND = "automations: list"


def check_automations(checks: Checklist) -> None:
    """Checks each automation; the one of `--changes` only if it is there."""
    stored: dict[str, Automation] = {}
    checks.check(FIND, partial(_find, stored))
    wanted = automations(NOBODY)
    wanted += [one for one in (playlist_changed(NOBODY),) if one.name in stored]
    for one in wanted:
        name = f"automation {one.name.removeprefix(f'{TAG}: ')}"
        checks.check(name, partial(_compare, one, stored), [FIND])


def _find(stored: dict[str, Automation]) -> str:
    with api() as client:
        stored |= {one.name: one for one in client.read_automations() if one.name.startswith(f"{TAG}: ")}
    return f"{len(stored)} of ours"


def _compare(expected: AutomationCore, stored: dict[str, Automation]) -> str:
    name = expected.name
    if (found := stored.get(name)) is None:
        message = f"automation {name!r}, which {expected.description}, does not exist. Run {WRITE}"
        raise ConfigurationError(message, Code.AUTOMATION_MISSING)
    if not found.enabled:
        message = f"automation {name!r} is disabled. prefect automation resume {name!r}"
        raise ConfigurationError(message, Code.AUTOMATION_DIFFERS)
    block = _block_of(found.actions)
    wanted = next(one for one in [*automations(block), playlist_changed(block)] if one.name == name)
    mine, own = _contents(found), _contents(wanted)
    if different := [part for part, value in own.items() if mine[part] != value]:
        message = f"automation {name!r} is not that of this release ({', '.join(different)} differ). {WRITE}"
        raise ConfigurationError(message, Code.AUTOMATION_DIFFERS)
    return _refuse_missing_block(name, block) if block != NOBODY else "ends runs"


def _contents(one: AutomationCore) -> dict[str, Any]:
    return {
        "trigger": one.trigger.model_dump(exclude={"id"}),
        "actions": [action.model_dump() for action in one.actions],
        "description": one.description,
    }


def _block_of(actions: Sequence[object]) -> UUID:
    return next((one.block_document_id for one in actions if isinstance(one, SendNotification)), NOBODY)


def _refuse_missing_block(name: str, block: UUID) -> str:
    with api() as client:
        try:
            found = client.read_block_document(block, include_secrets=False)
        except ObjectNotFound:
            message = f"the notification block of automation {name!r} was deleted. {WRITE}"
            raise ConfigurationError(message, Code.AUTOMATION_DIFFERS) from None
    return f"notifies {found.block_type_name}/{found.name}"
