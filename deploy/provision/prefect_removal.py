"""Prefect side of `destroy`: finds the objects of the project and deletes them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.exceptions import ObjectNotFound

from blocks.spotify import SpotifyCredentials
from blocks.stored import Unreadable, find
from blocks.variables import Environment
from deploy.automations import TAG
from deploy.changes import Change
from deploy.provision.prefect_objects import SIDE, TYPES
from flows.daily_playlists import VARIABLE

Removal = tuple[Change, Callable[[], Any]]


def removals(pool: str, environment: Environment) -> list[Change]:
    """The objects that `remove` would delete."""
    with get_client(sync_client=True) as client:
        return [change for change, _ in _found(client, pool, environment)]


def remove(pool: str, environment: Environment) -> list[Change]:
    """Deletes all objects of the project; deployments first, so that no run starts any more."""
    with get_client(sync_client=True) as client:
        found = _found(client, pool, environment)
        for _, delete in found:
            delete()
    return [change for change, _ in found]


def _found(client: SyncPrefectClient, pool: str, environment: Environment) -> list[Removal]:
    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    found = [
        _removal(f"deployment {one.name}", client.delete_deployment, one.id)
        for one in client.read_deployments(deployment_filter=ours)
    ]
    found += [
        _removal(f"automation {one.name}", client.delete_automation, one.id)
        for one in client.read_automations()
        if one.name.startswith(f"{TAG}: ")
    ]
    if _read_or_none(client.read_work_pool, pool):
        found.append(_removal(f"work pool {pool}", client.delete_work_pool, pool))
    if client.read_variable_by_name(VARIABLE):
        found.append(_removal(f"variable {VARIABLE}", client.delete_variable_by_name, VARIABLE))
    limit = _rate_limit(environment)
    if _read_or_none(client.read_global_concurrency_limit_by_name, limit):
        found.append(_removal(f"rate limit {limit}", client.delete_global_concurrency_limit_by_name, limit))
    return [*found, *_blocks(client)]


def _blocks(client: SyncPrefectClient) -> list[Removal]:
    """Blocks with our names; the lake before the credentials that it references."""
    documents = {
        name: _read_or_none(client.read_block_document_by_name, name, kind.get_block_type_slug())
        for name, kind in TYPES.items()
    }
    return [
        _removal(f"block {name}", client.delete_block_document, document.id)
        for name, document in documents.items()
        if document
    ]


def _removal(what: str, delete: Callable[[Any], Any], which: object) -> Removal:
    return Change(SIDE, "delete", what), partial(delete, which)


def _rate_limit(environment: Environment) -> str:
    """Name of the rate limit; it contains the client id, of the stored block or else of the variables."""
    try:
        stored = find(SpotifyCredentials, "spotify")
    except Unreadable:
        stored = None
    client_id = stored.client_id if stored else environment.get("SPOTIFY_CLIENT_ID")
    return f"spotify-{client_id}"


def _read_or_none(read: Callable[..., Any], *names: str) -> Any:  # noqa: ANN401 - any object of Prefect
    try:
        return read(*names)
    except ObjectNotFound:
        return None
