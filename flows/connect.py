"""Connections from blocks by name, made where they are used: no client or secret travels between tasks."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, cast

from prefect.blocks.core import Block
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import rate_limit

from blocks import SpotifyCredentials
from flows.errors import ConfigurationError
from flows.lake.store import Lake
from flows.spotify.client import SpotifyClient

if TYPE_CHECKING:
    from flows.warehouse.session import Session

B = TypeVar("B", bound=Block)

log = logging.getLogger(__name__)

WARNING_DAYS = 150
"""Days after the authorisation from which on a run reminds of it; the token lives six months."""


def find_spotify(name: str) -> SpotifyClient:
    """A client with the credentials of a SpotifyCredentials block, held to the app's rate limit."""
    credentials = _load(SpotifyCredentials, name)
    days = credentials.days_since_authorization(datetime.now(UTC))
    if days is not None and days >= WARNING_DAYS:
        log.warning(
            "block %r: the user authorised the app %s days ago; Spotify ends the refresh token after six "
            "months. Authorise again in time: python -m blocks.authorize_spotify --block %s",
            name,
            days,
            name,
        )
    return SpotifyClient(credentials, before_request=_rate_limit(credentials.rate_limit))


def _rate_limit(name: str) -> Callable[[], None]:
    """Waits for a slot of the app's rate limit, which all runs share; does nothing where there is none."""
    try:
        rate_limit(name, strict=True)
    except ConcurrencySlotAcquisitionError:
        log.warning(
            "there is no rate limit %r: runs side by side may exceed Spotify's. "
            "Create it: python -m blocks.register",
            name,
        )
        return lambda: None
    return partial(rate_limit, name, strict=True)


def find_lake(name: str) -> Lake:
    """The lake of an S3Bucket block."""
    from prefect_aws import S3Bucket  # noqa: PLC0415 - half a second, only where it is needed

    bucket: Any = _load(S3Bucket, name)
    return Lake(bucket.credentials.get_s3_client(), bucket.bucket_name, bucket.bucket_folder)


def open_session(name: str, run_id: str, *, otherwise: str | None = None) -> "Session":
    """A session of a SnowflakeConnector block, or of another one where the first does not exist."""
    from prefect_snowflake import SnowflakeConnector  # noqa: PLC0415 - five seconds, only before a load

    from flows.warehouse.session import Session  # noqa: PLC0415 - imports the connector

    try:
        connector = _load(SnowflakeConnector, name)
    except ConfigurationError:
        if otherwise is None:
            raise
        connector = _load(SnowflakeConnector, otherwise)
    return Session(connector, run_id)


def _load(kind: type[B], name: str) -> B:
    try:
        block: Any = kind.load(name)
    except ValueError as error:
        message = (
            f"there is no block {name!r} of type {kind.get_block_type_slug()} that can be read ({error}). "
            "Create it (`python -m blocks.register`), or name another one in the run's parameters"
        )
        raise ConfigurationError(message) from error
    return cast("B", block)
