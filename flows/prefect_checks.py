"""Preflight checks of Prefect: its API, the blocks, the rate limit, and the playlists of the daily run."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from prefect import __version__ as prefect_version
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect.settings import PREFECT_API_URL

from blocks import SpotifyCredentials
from blocks.prefect_api import address
from flows.code_version import code_version
from flows.connections import lake_of, load_block
from flows.daily_playlists import VARIABLE, read_daily_playlists
from flows.parameters import IngestBlockNames
from pipeline.errors import BlockMissing, Code, ConfigurationError
from pipeline.lake.store import Lake
from pipeline.preflight.checks import Checklist
from pipeline.spotify.links import wanted_playlists

if TYPE_CHECKING:
    from prefect_snowflake import SnowflakeConnector

API = "Prefect: API"
PLAYLISTS = "Prefect: playlists"


class FoundBlocks(NamedTuple):
    """Contents of the blocks. Each is a list of one, or empty if the check of the block failed."""

    spotify: list[SpotifyCredentials]
    lake: list[Lake]
    warehouse: list["SnowflakeConnector"]
    admin: list["SnowflakeConnector"]
    playlists: list[str]


def block_check(name: str) -> str:
    """Name of the check of a block."""
    return f"Prefect: block {name}"


def check_prefect(checks: Checklist, blocks: IngestBlockNames, playlists: Sequence[str]) -> FoundBlocks:
    """Checks the API, every block of a run, the rate limit, and the playlists that the run would read."""
    from prefect_aws import S3Bucket  # noqa: PLC0415 - half a second, only where it is needed
    from prefect_snowflake import SnowflakeConnector  # noqa: PLC0415 - five seconds

    found = FoundBlocks([], [], [], [], [])
    checks.check(API, _find_api)
    checks.check("versions", _find_versions)

    def check_block(name: str, load: Callable[[], str]) -> None:
        checks.check(block_check(name), load, [API])

    check_block(blocks.spotify, partial(_load, SpotifyCredentials, blocks.spotify, found.spotify.append))
    check_block(
        blocks.lake, partial(_load, S3Bucket, blocks.lake, lambda block: found.lake.append(lake_of(block)))
    )
    check_block(
        blocks.warehouse, partial(_load, SnowflakeConnector, blocks.warehouse, found.warehouse.append)
    )
    check_block(blocks.warehouse_admin, partial(_load_admin, blocks, found))
    checks.check("Prefect: rate limit", partial(_find_rate_limit, found), [API, block_check(blocks.spotify)])
    checks.check(PLAYLISTS, partial(_find_playlists, playlists, found), [API])
    return found


def _find_api() -> str:
    with get_client(sync_client=True) as client:
        if error := client.api_healthcheck():
            raise ConfigurationError(
                f"Prefect's API does not work ({type(error).__name__})", Code.PREFECT_UNAVAILABLE
            )
    return address(PREFECT_API_URL.value() or "")


def _find_versions() -> str:
    return f"this code {code_version()}, Prefect {prefect_version}"


def _load(kind: Any, name: str, keep: Callable[[Any], None]) -> str:  # noqa: ANN401 - any type of block
    keep(load_block(kind, name))
    return str(kind.get_block_type_slug())


def _load_admin(blocks: IngestBlockNames, found: FoundBlocks) -> str:
    from prefect_snowflake import SnowflakeConnector  # noqa: PLC0415 - five seconds

    try:
        return _load(SnowflakeConnector, blocks.warehouse_admin, found.admin.append)
    except BlockMissing:
        return f"does not exist: {blocks.warehouse} changes the schema"


def _find_rate_limit(found: FoundBlocks) -> str:
    name = found.spotify[0].rate_limit
    with get_client(sync_client=True) as client:
        try:
            limit = client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            message = f"there is no rate limit {name!r}, so runs may exceed Spotify's rate. Create it: "
            raise ConfigurationError(f"{message}python -m blocks register", Code.RATE_LIMIT_MISSING) from None
    if limit.active and not (limit.limit and limit.slot_decay_per_second):
        message = (
            f"the rate limit {name!r} never frees a slot, so runs send one request per second. "
            f"prefect gcl update {name} --limit 10 --slot-decay-per-second 5"
        )
        raise ConfigurationError(message, Code.RATE_LIMIT_INVALID)
    return f"{limit.slot_decay_per_second:g} requests per second" if limit.active else "switched off"


def _find_playlists(playlists: Sequence[str], found: FoundBlocks) -> str:
    names = wanted_playlists(list(playlists)) if playlists else read_daily_playlists()
    found.playlists.extend(names)
    return f"{len(names)} {'given' if playlists else f'in the variable {VARIABLE}'}"
