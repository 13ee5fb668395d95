"""Prefect side of `destroy`: deployments, automations, the pool, the list of playlists, blocks, rate limit."""

from collections.abc import Callable
from typing import Any

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.filters import DeploymentFilter, DeploymentFilterTags
from prefect.exceptions import ObjectNotFound

from blocks.spotify import SpotifyCredentials
from blocks.stored import Unreadable, find
from blocks.variables import Environment
from deploy.automations import TAG
from deploy.provision.changes import Change
from deploy.provision.prefect_objects import BLOCKS, SIDE
from flows.daily_playlists import VARIABLE

Removal = tuple[Change, Callable[[], Any]]


def removals(pool: str, environment: Environment) -> list[Change]:
    """What `remove` would delete."""
    with get_client(sync_client=True) as client:
        return [change for change, _ in _found(client, pool, environment)]


def remove(pool: str, environment: Environment) -> list[Change]:
    """Deletes what is there of the project; the deployments first, so that no run starts any more."""
    with get_client(sync_client=True) as client:
        found = _found(client, pool, environment)
        for _, delete in found:
            delete()
    return [change for change, _ in found]


def _found(client: SyncPrefectClient, pool: str, environment: Environment) -> list[Removal]:
    def gone(what: str, delete: Callable[[], Any]) -> Removal:
        return Change(SIDE, "delete", what), delete

    ours = DeploymentFilter(tags=DeploymentFilterTags(all_=[TAG]))
    found = [
        gone(f"deployment {one.name}", lambda one=one: client.delete_deployment(one.id))  # type: ignore[misc]
        for one in client.read_deployments(deployment_filter=ours)
    ]
    found += [
        gone(f"automation {one.name}", lambda one=one: client.delete_automation(one.id))  # type: ignore[misc]
        for one in client.read_automations()
        if one.name.startswith(f"{TAG}: ")
    ]
    if _there(lambda: client.read_work_pool(pool)):
        found.append(gone(f"work pool {pool}", lambda: client.delete_work_pool(pool)))
    if client.read_variable_by_name(VARIABLE):
        found.append(gone(f"variable {VARIABLE}", lambda: client.delete_variable_by_name(VARIABLE)))
    limit = _rate_limit(environment)
    if limit and _there(lambda: client.read_global_concurrency_limit_by_name(limit)):
        found.append(
            gone(f"rate limit {limit}", lambda: client.delete_global_concurrency_limit_by_name(limit))
        )
    return [*found, *_blocks(client)]


def _blocks(client: SyncPrefectClient) -> list[Removal]:
    """Those of our names; the lake before the credentials that it refers to."""
    types = {
        "spotify": "spotifycredentials",
        "aws": "aws-credentials",
        "lake": "s3-bucket",
        "aws-ecs": "aws-credentials",
        "warehouse-admin": "snowflake-connector",
        "warehouse": "snowflake-connector",
    }
    found = []
    for name in sorted(BLOCKS, key=lambda name: name == "aws"):
        document = _there(lambda name=name: client.read_block_document_by_name(name, types[name]))  # type: ignore[misc]
        if document:
            found.append(
                (
                    Change(SIDE, "delete", f"block {name}"),
                    lambda document=document: client.delete_block_document(document.id),
                )
            )
    return found


def _rate_limit(environment: Environment) -> str | None:
    """Its name has the client id, of the stored block if the variables do not say it."""
    try:
        stored = find(SpotifyCredentials, "spotify")
    except Unreadable:
        stored = None
    client_id = stored.client_id if stored else environment.get("SPOTIFY_CLIENT_ID")
    return f"spotify-{client_id}" if client_id else None


def _there(read: Callable[[], Any]) -> Any:  # noqa: ANN401 - whatever Prefect has
    try:
        return read()
    except ObjectNotFound:
        return None
