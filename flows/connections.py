"""Clients and sessions from blocks, by block name.

Each task creates its own: clients and secrets are never passed between tasks.
"""

import logging
from datetime import UTC, datetime
from json import JSONDecodeError
from typing import TYPE_CHECKING, Any, TypeVar, cast

from prefect.blocks.core import Block
from pydantic import ValidationError

from blocks import SpotifyCredentials
from blocks.validation import wrong_fields
from flows.prefect_errors import prefect_errors, unavailable
from flows.rate_limit import RateLimit
from pipeline.errors import BlockMissing, Code, ConfigurationError
from pipeline.lake.store import CLIENT_CONFIG, Lake
from pipeline.spotify.client import SpotifyClient

if TYPE_CHECKING:
    from prefect_snowflake import SnowflakeConnector

    from pipeline.warehouse.session import Login, Session

B = TypeVar("B", bound=Block)

log = logging.getLogger(__name__)

AUTHORIZATION_WARNING_DAYS = 150
"""Age of the user's authorisation from which every run warns. Refresh tokens expire after six months."""


def find_spotify(name: str) -> SpotifyClient:
    """A client with the credentials of a SpotifyCredentials block, which respects the app's rate limit."""
    credentials = load_block(SpotifyCredentials, name)
    _warn_of_age(credentials, name)
    return SpotifyClient(credentials, before_request=RateLimit(credentials.rate_limit).take)


def _warn_of_age(credentials: SpotifyCredentials, name: str) -> None:
    days = credentials.days_since_authorization(datetime.now(UTC))
    if days is not None and days >= AUTHORIZATION_WARNING_DAYS:
        log.warning(
            "block %r: the user authorised the app %s days ago, and the refresh token expires after six "
            "months. Authorise the app again before then: python -m blocks authorize --block %s",
            name,
            days,
            name,
        )


def find_lake(name: str) -> Lake:
    """The lake of an S3Bucket block."""
    from prefect_aws import S3Bucket  # noqa: PLC0415 - half a second, only where it is needed

    return lake_of(load_block(S3Bucket, name))


def lake_of(bucket: Any) -> Lake:  # noqa: ANN401 - its credentials may be of any kind to the type checker
    """The lake of a loaded S3Bucket block."""
    given = bucket.credentials.aws_client_parameters
    parameters = given.model_copy(update={"config": {**CLIENT_CONFIG, **(given.config or {})}})
    credentials = bucket.credentials.model_copy(update={"aws_client_parameters": parameters})
    return Lake(credentials.get_s3_client(), bucket.bucket_name, bucket.bucket_folder)


def warehouse_name(name: str) -> str:
    """Database and schema as a SnowflakeConnector block spells them, `SPOTIFY.PLAYLISTS`."""
    from prefect_snowflake import SnowflakeConnector  # noqa: PLC0415 - five seconds, only where it is needed

    connector = load_block(SnowflakeConnector, name)
    return f"{connector.database}.{connector.schema_}"


def open_session(
    name: str, run_id: str, *, otherwise: str | None = None, autocommit: bool = True
) -> "Session":
    """A session with a SnowflakeConnector block; with the block `otherwise` if the first does not exist."""
    from prefect_snowflake import SnowflakeConnector  # noqa: PLC0415 - five seconds, only before a load

    from pipeline.warehouse.session import Session  # noqa: PLC0415 - imports the connector

    try:
        connector = load_block(SnowflakeConnector, name)
    except BlockMissing:
        if otherwise is None:
            raise
        connector = load_block(SnowflakeConnector, otherwise)
    return Session(login_of(connector), run_id, autocommit=autocommit)


def login_of(connector: "SnowflakeConnector") -> "Login":
    """Login parameters of a session, from a SnowflakeConnector block."""
    from pipeline.warehouse.session import Login  # noqa: PLC0415 - imports the connector
    from pipeline.warehouse.snowflake_errors import Place  # noqa: PLC0415

    credentials = connector.credentials
    return Login(
        connect=connector.get_connection,
        place=Place(credentials.account, credentials.role, connector.database, connector.schema_),
        options=credentials.model_extra or {},
    )


def load_block(kind: type[B], name: str) -> B:
    """A block by name; raises ConfigurationError if it is missing or cannot be used."""
    slug = kind.get_block_type_slug()
    try:
        with prefect_errors():
            block: Any = kind.load(name)
    except (JSONDecodeError, ValidationError) as error:  # an unreadable response of Prefect's API
        raise unavailable(error) from None
    except ValueError as error:
        message = (
            f"there is no block {name!r} of type {slug} that can be read ({error}). "
            "Create it (`python -m blocks register`), or set another block name in the run's parameters"
        )
        raise BlockMissing(message, Code.BLOCK_MISSING) from error
    except RuntimeError as error:
        if not isinstance(error.__cause__, ValidationError):
            raise
        message = (
            f"the block {name!r} of type {slug} cannot be used ({wrong_fields(error.__cause__)}). "
            "Correct it (`python -m blocks register`)"
        )
        raise ConfigurationError(message, Code.BLOCK_INVALID) from None  # `error` contains the block's values
    return cast("B", block)
