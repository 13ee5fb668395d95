"""Checks that the automations equal those of this release."""

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

FIX = "Run python -m deploy automations --notify TYPE/NAME"
NO_BLOCK = UUID(int=0)
FIND = "automations: list"


def check_automations(checks: Checklist) -> None:
    """Checks each automation. The one that `--changes` adds is optional, and checked only if it exists."""
    stored: dict[str, Automation] = {}
    checks.check(FIND, partial(_find, stored))
    wanted = automations(NO_BLOCK)
    wanted += [one for one in (playlist_changed(NO_BLOCK),) if one.name in stored]
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
        message = f"automation {name!r}, which {expected.description}, does not exist. {FIX}"
        raise ConfigurationError(message, Code.AUTOMATION_MISSING)
    if not found.enabled:
        message = f"automation {name!r} is disabled. Run prefect automation resume {name!r}"
        raise ConfigurationError(message, Code.AUTOMATION_DIFFERS)
    block = _block_of(found.actions)
    wanted = next(one for one in [*automations(block), playlist_changed(block)] if one.name == name)
    stored_parts, wanted_parts = _contents(found), _contents(wanted)
    if different := [part for part, value in wanted_parts.items() if stored_parts[part] != value]:
        message = f"automation {name!r} differs from this release ({', '.join(different)}). {FIX}"
        raise ConfigurationError(message, Code.AUTOMATION_DIFFERS)
    return _refuse_missing_block(name, block) if block != NO_BLOCK else "ends runs"


def _contents(one: AutomationCore) -> dict[str, Any]:
    return {
        "trigger": one.trigger.model_dump(exclude={"id"}),
        "actions": [action.model_dump() for action in one.actions],
        "description": one.description,
    }


def _block_of(actions: Sequence[object]) -> UUID:
    return next((one.block_document_id for one in actions if isinstance(one, SendNotification)), NO_BLOCK)


def _refuse_missing_block(name: str, block: UUID) -> str:
    with api() as client:
        try:
            found = client.read_block_document(block, include_secrets=False)
        except ObjectNotFound:
            message = f"the notification block of automation {name!r} was deleted. {FIX}"
            raise ConfigurationError(message, Code.AUTOMATION_DIFFERS) from None
    return f"notifies {found.block_type_name}/{found.name}"
