"""Registering blocks: what is written, in which order, and what is kept of the stored ones."""

import sys
from typing import Any

from blocks.environment import build, private_key
from blocks.key_pair import KeyPair, PrivateKey, alter_user, key_problem
from blocks.sources import source_lines
from blocks.stored import (
    OK,
    keep_authorization,
    make_rate_limit,
    state,
    state_of_rate_limit,
    stored_private_key,
)
from blocks.validation import NotRegistered
from blocks.variables import NO_KEY, Environment, Variables, number, refuse_incomplete, that_are_set

Blocks = dict[str, Any]

KEYS = {"warehouse": "SNOWFLAKE_PRIVATE_KEY", "warehouse-admin": "SNOWFLAKE_ADMIN_PRIVATE_KEY"}
"""Variables that hold the private keys of blocks."""


def register(environment: Environment, suffix: str = "") -> list[str]:
    """Writes the blocks and the app's rate limit; returns the blocks' names, each with the suffix.

    Raises NotRegistered, or pydantic's ValidationError, before anything is written.
    """
    environment = that_are_set(environment)
    blocks = wanted_blocks(environment, suffix)
    _write(environment, blocks, suffix)
    return list(blocks)


def check_blocks(environment: Environment) -> int:
    """Prints of each block, and of the rate limit, whether it is as it should be; returns the exit status."""
    blocks = wanted_blocks(environment)
    _refuse_wrong_keys(environment, blocks)
    found = {name: state(block, name) for name, block in blocks.items()}
    if number(environment, "SPOTIFY_REQUESTS_PER_SECOND"):
        limit = blocks["spotify"].rate_limit
        found[limit] = state_of_rate_limit(limit)
    sys.stdout.writelines(f"{name}: {told}\n" for name, told in found.items())
    return 0 if set(found.values()) == {OK} else 1


def register_blocks(variables: Variables, *, new_key_pair: bool) -> int:
    """Writes the blocks, and prints which, and where each secret came from; returns the exit status."""
    environment = variables.values
    pair = KeyPair.new() if new_key_pair else None
    blocks = wanted_blocks(environment, key=pair.private if pair else None)
    _refuse_wrong_keys(environment, blocks)
    _write(environment, blocks)
    sys.stdout.write(f"registered: {', '.join(blocks)}\n")
    lines = source_lines(variables, blocks["spotify"], new_key_pair=new_key_pair)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    if pair:
        sys.stdout.write(_next_step(environment["SNOWFLAKE_USER"], pair.public))
    return 0


def wanted_blocks(environment: Environment, suffix: str = "", key: PrivateKey | None = None) -> Blocks:
    """The blocks by name as they should be stored; what Prefect alone knows of them is taken over."""
    key = key or private_key(environment) or stored_private_key(f"warehouse{suffix}")
    refuse_incomplete(environment, has_key=key is not None)
    if key is None:
        raise NotRegistered(NO_KEY)
    blocks = {f"{name}{suffix}": block for name, block in build(environment, key).items()}
    keep_authorization(blocks[f"spotify{suffix}"], f"spotify{suffix}")
    return blocks


def _refuse_wrong_keys(environment: Environment, blocks: Blocks) -> None:
    given = {name: variable for name, variable in KEYS.items() if name in blocks and variable in environment}
    problems = [key_problem(blocks[name].credentials, variable) for name, variable in given.items()]
    if any(problems):
        raise NotRegistered("; ".join(filter(None, problems)))


def _write(environment: Environment, blocks: Blocks, suffix: str = "") -> None:
    """Writes all of it, the loader's key pair last: until then its old one works."""
    spotify = blocks[f"spotify{suffix}"]
    given = environment.get("SPOTIFY_REFRESH_TOKEN")
    if given and given != spotify.refresh_token.get_secret_value():
        sys.stdout.write(
            f"block 'spotify{suffix}' has a refresh token already and keeps it, not SPOTIFY_REFRESH_TOKEN; "
            "python -m blocks authorize replaces it\n"
        )
    if per_second := number(environment, "SPOTIFY_REQUESTS_PER_SECOND"):
        make_rate_limit(spotify.rate_limit, per_second)
    for name, block in blocks.items():
        block.save(name, overwrite=True)


def _next_step(user: str, public_key: str) -> str:
    return (
        f"public key: {public_key}\n\n"
        "Run this in Snowflake now: until then runs cannot log in (this way there is no rotation without\n"
        "that pause). Where another key of the user is to go on working, SET RSA_PUBLIC_KEY_2 instead.\n\n"
        f"{alter_user(user, public_key)}\n"
    )
