"""Registers and checks the blocks. Keeps what only Prefect stores: rotated tokens and generated keys."""

import sys
from typing import Any

from blocks.environment import build, private_key
from blocks.key_pair import KeyPair, PrivateKey, alter_user, key_problem
from blocks.sources import source_lines
from blocks.stored import (
    OK,
    create_rate_limit,
    keep_authorization,
    state,
    state_of_rate_limit,
    stored_private_key,
)
from blocks.validation import NotRegistered
from blocks.variables import NO_KEY, Environment, Variables, non_empty, number, refuse_incomplete

Blocks = dict[str, Any]

KEYS = {"warehouse": "SNOWFLAKE_PRIVATE_KEY", "warehouse-admin": "SNOWFLAKE_ADMIN_PRIVATE_KEY"}
"""Variables of private keys, by block."""


def register(environment: Environment, suffix: str = "") -> list[str]:
    """Writes the blocks and the app's rate limit; returns the block names, each with the suffix.

    Raises NotRegistered, or pydantic's ValidationError, before anything is written.
    """
    environment = non_empty(environment)
    blocks = wanted_blocks(environment, suffix)
    _write(environment, blocks, suffix)
    return list(blocks)


def check_blocks(environment: Environment) -> int:
    """Prints the state of each block and of the rate limit; returns the exit status."""
    blocks = wanted_blocks(environment)
    _refuse_wrong_keys(environment, blocks)
    found = {name: state(block, name) for name, block in blocks.items()}
    if number(environment, "SPOTIFY_REQUESTS_PER_SECOND"):
        limit = blocks["spotify"].rate_limit
        found[limit] = state_of_rate_limit(limit)
    sys.stdout.writelines(f"{name}: {text}\n" for name, text in found.items())
    return 0 if set(found.values()) == {OK} else 1


def register_blocks(variables: Variables, *, new_key_pair: bool) -> int:
    """Writes the blocks; prints their names and the source of each secret; returns the exit status."""
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
    """The blocks to store, by name.

    The Spotify authorisation of the stored block is kept, and its private key unless one is given.
    """
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
    """Writes blocks and rate limit. The block `warehouse` is last: its old key works until then."""
    spotify = blocks[f"spotify{suffix}"]
    given = environment.get("SPOTIFY_REFRESH_TOKEN")
    if given and given != spotify.refresh_token.get_secret_value():
        sys.stdout.write(
            f"block 'spotify{suffix}' already has a refresh token, so SPOTIFY_REFRESH_TOKEN is ignored; "
            "python -m blocks authorize replaces the token\n"
        )
    if per_second := number(environment, "SPOTIFY_REQUESTS_PER_SECOND"):
        create_rate_limit(spotify.rate_limit, per_second)
    for name, block in blocks.items():
        block.save(name, overwrite=True)


def _next_step(user: str, public_key: str) -> str:
    return (
        f"public key: {public_key}\n\n"
        "Run this statement in Snowflake now: until then, runs cannot log in. To keep the user's current\n"
        "key valid, SET RSA_PUBLIC_KEY_2 instead.\n\n"
        f"{alter_user(user, public_key)}\n"
    )
