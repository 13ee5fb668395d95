"""Connections from blocks by name, made where they are used: no client or secret travels between tasks."""

import logging
from datetime import UTC, datetime
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar, cast

import httpx
from prefect.blocks.core import Block
from prefect.concurrency.asyncio import ConcurrencySlotAcquisitionError
from prefect.concurrency.sync import rate_limit
from pydantic import ValidationError

from blocks import SpotifyCredentials
from blocks.validation import wrong_fields
from flows.errors import Code, ConfigurationError
from flows.lake.store import CLIENT_CONFIG, Lake
from flows.spotify.client import SpotifyClient

if TYPE_CHECKING:
    from flows.warehouse.session import Session

B = TypeVar("B", bound=Block)

log = logging.getLogger(__name__)

WARNING_DAYS = 150
"""Days after the authorisation from which on a run reminds of it; the token lives six months."""


class NoBlock(ConfigurationError):
    """There is no block of the name."""


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
    slots = _Slots(credentials.rate_limit)
    slots.take()
    return SpotifyClient(credentials, before_request=slots.take)


class _Slots:
    """Slots of the app's rate limit, which all runs share; without them a run warns once and goes on."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._asks = True
        self._not_warned = Lock()

    def take(self) -> None:
        """Waits for a slot."""
        if not self._asks:
            return
        try:
            rate_limit(self._name, strict=True)
        except ConcurrencySlotAcquisitionError as error:
            # Only a request that failed is worth another one: the limit itself does not come back by asking.
            self._asks = isinstance(error.__cause__, httpx.HTTPError) and not _is_refusal(error.__cause__)
            if self._not_warned.acquire(blocking=False):  # of several threads, one
                log.warning("%s; runs side by side may exceed Spotify's rate", self._problem(error))

    def _problem(self, error: Exception) -> str:
        if error.__cause__ is None:
            return f"there is no rate limit {self._name!r}: create it, python -m blocks.register"
        if _is_refusal(error.__cause__):
            mended = f"prefect gcl update {self._name} --slot-decay-per-second 5"
            return f"the rate limit {self._name!r} cannot be used, it may lack slot decay: {mended}"
        return f"no slot of the rate limit {self._name!r} for a request ({type(error.__cause__).__name__})"


def _is_refusal(cause: BaseException | None) -> bool:
    return isinstance(cause, httpx.HTTPStatusError) and cause.response.is_client_error


def find_lake(name: str) -> Lake:
    """The lake of an S3Bucket block."""
    from prefect_aws import S3Bucket  # noqa: PLC0415 - half a second, only where it is needed

    bucket: Any = _load(S3Bucket, name)
    own = bucket.credentials.aws_client_parameters
    parameters = own.model_copy(update={"config": {**CLIENT_CONFIG, **(own.config or {})}})
    credentials = bucket.credentials.model_copy(update={"aws_client_parameters": parameters})
    return Lake(credentials.get_s3_client(), bucket.bucket_name, bucket.bucket_folder)


def warehouse_name(name: str) -> str:
    """Database and schema as a SnowflakeConnector block spells them, `SPOTIFY.PLAYLISTS`."""
    from prefect_snowflake import SnowflakeConnector  # noqa: PLC0415 - five seconds, only where it is needed

    connector = _load(SnowflakeConnector, name)
    return f"{connector.database}.{connector.schema_}"


def open_session(
    name: str, run_id: str, *, otherwise: str | None = None, autocommit: bool = True
) -> "Session":
    """A session of a SnowflakeConnector block, or of another one where the first does not exist."""
    from prefect_snowflake import SnowflakeConnector  # noqa: PLC0415 - five seconds, only before a load

    from flows.warehouse.session import Session  # noqa: PLC0415 - imports the connector

    try:
        connector = _load(SnowflakeConnector, name)
    except NoBlock:
        if otherwise is None:
            raise
        connector = _load(SnowflakeConnector, otherwise)
    return Session(connector, run_id, autocommit=autocommit)


def _load(kind: type[B], name: str) -> B:
    slug = kind.get_block_type_slug()
    try:
        block: Any = kind.load(name)
    except ValueError as error:
        message = (
            f"there is no block {name!r} of type {slug} that can be read ({error}). "
            "Create it (`python -m blocks.register`), or name another one in the run's parameters"
        )
        raise NoBlock(message, Code.BLOCK_MISSING) from error
    except RuntimeError as error:
        if not isinstance(error.__cause__, ValidationError):
            raise
        message = (
            f"the block {name!r} of type {slug} cannot be used ({wrong_fields(error.__cause__)}). "
            "Correct it (`python -m blocks.register`)"
        )
        raise ConfigurationError(
            message, Code.BLOCK_INVALID
        ) from None  # the error shows the values of the block
    return cast("B", block)
