"""The blocks of the contract tests, as `python -m blocks register` would write them now."""

from typing import Any

from prefect.settings import PREFECT_API_URL

from blocks import SpotifyCredentials
from blocks.environment import build, private_key
from blocks.prefect_api import connected
from blocks.registration import wanted_blocks
from blocks.stored import Unreadable, find
from blocks.variables import Environment, read_variables, refuse_incomplete


def blocks_of(environment: Environment) -> dict[str, Any]:
    """The blocks of complete variables, which hold all secrets; raises NotRegistered."""
    key = private_key(environment)
    refuse_incomplete(environment, has_key=key is not None)
    assert key is not None
    return build(environment, key)


def blocks_at_hand() -> dict[str, Any]:
    """The blocks of the environment; raises NotRegistered, PrefectFailed.

    What only Prefect holds, a generated private key and Spotify's newest refresh token, comes from there.
    """
    environment = read_variables().values
    if not PREFECT_API_URL.value():
        return blocks_of(environment)
    with connected({}):
        blocks = wanted_blocks(environment)
        write_back(blocks["spotify"])
        return blocks


def write_back(spotify: SpotifyCredentials, name: str = "spotify") -> None:
    """If the block has the stored refresh token, whatever else differs: stores a rotated one at once.

    Otherwise the runs' token could be dead after these tests.
    """
    try:
        stored = find(SpotifyCredentials, name)
    except Unreadable:  # its token was not taken over
        return
    if stored and stored.refresh_token and stored.refresh_token == spotify.refresh_token:
        spotify._block_document_name = name  # noqa: SLF001 - what `load` does; the other fields are not loaded
