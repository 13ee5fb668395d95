"""Connections from blocks by name, made where they are used: no client or secret travels between tasks."""

from typing import TYPE_CHECKING, Any, TypeVar, cast

from prefect.blocks.core import Block

from blocks import SpotifyCredentials
from flows.errors import ConfigurationError
from flows.lake.store import Lake
from flows.spotify.client import SpotifyClient

if TYPE_CHECKING:
    from flows.warehouse.session import Session

B = TypeVar("B", bound=Block)


def find_spotify(name: str) -> SpotifyClient:
    """A client with the credentials of a SpotifyCredentials block."""
    return SpotifyClient(_load(SpotifyCredentials, name))


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
