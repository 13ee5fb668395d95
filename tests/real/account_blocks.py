"""Blocks of the contract tests, built as `python -m blocks register` would write them."""

from typing import Any

from prefect.settings import PREFECT_API_URL

from blocks import SpotifyCredentials
from blocks.environment import build, private_key
from blocks.prefect_api import connected
from blocks.registration import wanted_blocks
from blocks.stored import Unreadable, find
from blocks.variables import Environment, read_variables, refuse_incomplete


def blocks_of(environment: Environment) -> dict[str, Any]:
    """Builds the blocks from variables that include all secrets; raises NotRegistered."""
    key = private_key(environment)
    refuse_incomplete(environment, has_key=key is not None)
    assert key is not None
    return build(environment, key)


def blocks_of_environment() -> dict[str, Any]:
    """Builds the blocks from the environment; raises NotRegistered, PrefectFailed.

    A generated private key and Spotify's newest refresh token are stored only in Prefect and are read there.
    """
    environment = read_variables().values
    if not PREFECT_API_URL.value():
        return blocks_of(environment)
    with connected({}):
        blocks = wanted_blocks(environment)
        write_back(blocks["spotify"])
        return blocks


def write_back(spotify: SpotifyCredentials, name: str = "spotify") -> None:
    """Stores a rotated refresh token immediately, if the block uses the stored token.

    Otherwise the token of the runs could be invalid after these tests.
    """
    try:
        stored = find(SpotifyCredentials, name)
    except Unreadable:  # its token is not in use
        return
    if stored and stored.refresh_token and stored.refresh_token == spotify.refresh_token:
        spotify._block_document_name = name  # noqa: SLF001 - as `load` does; other fields stay as they are
