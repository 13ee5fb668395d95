"""Blocks and rate limits stored in Prefect: read without emitting events, compared field by field."""

from collections.abc import Mapping
from typing import Any, TypeVar

from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.exceptions import ObjectNotFound
from prefect_snowflake import SnowflakeConnector
from pydantic import ValidationError

from blocks.key_pair import PrivateKey
from blocks.spotify import SpotifyCredentials
from blocks.validation import NotRegistered, wrong_fields

B = TypeVar("B", bound=Block)

OK = "ok"
MISSING = "missing"
BURST_S = 6
"""Size of a burst, in seconds of requests. Spotify counts requests over 30 s."""


class Unreadable(Exception):
    """The stored block cannot be used. The message lists the wrong fields."""


def find(kind: type[B], name: str) -> B | None:
    """The stored block, or None if it does not exist; raises Unreadable.

    Not `Block.load`, which emits an event: checks must not change anything.
    """
    with get_client(sync_client=True) as client:
        try:
            document = client.read_block_document_by_name(name, kind.get_block_type_slug())
        except ObjectNotFound:
            return None
    try:
        return kind.model_validate(document.data)
    except ValidationError as error:
        raise Unreadable(wrong_fields(error)) from None
    except (AttributeError, TypeError):  # validators of the libraries fail on values of the wrong type
        raise Unreadable("a field has the wrong type") from None


def state(block: Block, name: str) -> str:
    """`ok`, `missing`, `differs: <fields>` or `cannot be read: <reason>`; never a value."""
    try:
        stored = find(type(block), name)
    except Unreadable as error:
        return f"cannot be read: {error}"
    if stored is None:
        return MISSING
    wanted, found = _values(block), _values(stored)
    fields = sorted(field for field in wanted | found if wanted.get(field) != found.get(field))
    return f"differs: {', '.join(fields)}" if fields else OK


def _values(block: Block) -> dict[str, Any]:
    """All values by path, secrets in plain text."""
    return dict(_flat(block.model_dump(by_alias=True, context={"include_secrets": True})))


def _flat(values: Mapping[str, Any], path: str = "") -> list[tuple[str, Any]]:
    found = []
    for name, value in values.items():
        inner = _flat(value, f"{path}{name}.") if isinstance(value, Mapping) else [(f"{path}{name}", value)]
        found += inner
    return found


def keep_authorization(block: SpotifyCredentials, name: str) -> None:
    """Copies the stored refresh token of the same app: Spotify may have rotated the environment's token."""
    try:
        stored = find(SpotifyCredentials, name)
    except Unreadable:  # registering overwrites it
        return
    if stored and stored.refresh_token and stored.client_id == block.client_id:
        block.refresh_token, block.authorized_at = stored.refresh_token, stored.authorized_at


def stored_private_key(name: str) -> PrivateKey | None:
    """The private key of a stored block, or None. A generated key is stored nowhere else."""
    try:
        stored: Any = find(SnowflakeConnector, name)
    except Unreadable as error:
        raise NotRegistered(
            f"the private key of block {name!r} cannot be kept, because the block cannot be read ({error}): "
            "correct it in Prefect, set SNOWFLAKE_PRIVATE_KEY, or use --new-key-pair"
        ) from None
    if stored is None or stored.credentials.private_key is None:
        return None
    return PrivateKey(stored.credentials.private_key, stored.credentials.private_key_passphrase)


def state_of_rate_limit(name: str) -> str:
    """`ok` or `missing`. The values are not compared: users may tune them."""
    with get_client(sync_client=True) as client:
        try:
            client.read_global_concurrency_limit_by_name(name)
        except ObjectNotFound:
            return MISSING
    return OK


def create_rate_limit(name: str, per_second: int) -> None:
    """Creates the rate limit that all runs with the app share, unless it exists."""
    if state_of_rate_limit(name) == MISSING:
        with get_client(sync_client=True) as client:
            client.upsert_global_concurrency_limit_by_name(name, BURST_S * per_second, float(per_second))
