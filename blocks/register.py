"""`python -m blocks.register`: writes every block from environment variables; may be repeated."""

import sys
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, Parameter
from pydantic import ValidationError

from blocks.environment import build, private_key
from blocks.key_pair import KeyPair, PrivateKey, alter_user, key_problem
from blocks.prefect_api import PrefectFailed, connected
from blocks.sources import source_lines
from blocks.stored import (
    OK,
    keep_authorization,
    make_rate_limit,
    state,
    state_of_rate_limit,
    stored_private_key,
)
from blocks.validation import NotRegistered, wrong_fields
from blocks.variables import (
    NO_KEY,
    Environment,
    Variables,
    number,
    read_variables,
    refuse_incomplete,
    that_are_set,
)

Blocks = dict[str, Any]

KEYS = {"warehouse": "SNOWFLAKE_PRIVATE_KEY", "warehouse-admin": "SNOWFLAKE_ADMIN_PRIVATE_KEY"}
"""Variables that hold the private keys of blocks."""

app = App(name="python -m blocks.register", version_flags=[], default_parameter=Parameter(negative=()))


@app.default
def main(
    *,
    check: Annotated[bool, Parameter(help="Only look: say what is missing or differs.")] = False,
    new_key_pair: Annotated[
        bool, Parameter(help="Make a key pair for Snowflake; the private key is kept in the block only.")
    ] = False,
    env_file: Annotated[
        Path | None,
        Parameter(
            help="Read this file, not ./.env. Of Prefect's settings it may hold PREFECT_API_URL, "
            "PREFECT_API_KEY and PREFECT_API_AUTH_STRING; no other one counts."
        ),
    ] = None,
) -> int:
    """Writes every block from environment variables, or from ./.env; may be repeated.

    Real environment variables win over the file, except AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
    AWS_SESSION_TOKEN: these are read from the file only. docs/operations.md lists all.
    """
    try:
        variables = read_variables(env_file)
        _refuse_contradictions(variables.values, check=check, new_key_pair=new_key_pair)
        with connected(variables.values if env_file else {}):
            return _check(variables.values) if check else _register(variables, new_key_pair=new_key_pair)
    except ValidationError as error:
        reason = f"correct {error.title}, {wrong_fields(error)}"
    except NotRegistered as error:
        reason = str(error)
    except PrefectFailed as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"nothing is {'checked' if check else 'registered'}: {reason}\n")
    return 1


def register(environment: Environment, suffix: str = "") -> list[str]:
    """Writes the blocks and the app's rate limit; returns the blocks' names, each with the suffix.

    Raises NotRegistered, or pydantic's ValidationError, before anything is written.
    """
    environment = that_are_set(environment)
    blocks = _wanted(environment, suffix)
    _write(environment, blocks, suffix)
    return list(blocks)


def _refuse_contradictions(environment: Environment, *, check: bool, new_key_pair: bool) -> None:
    if check and new_key_pair:
        raise NotRegistered("--check writes nothing, --new-key-pair does: choose one")
    if new_key_pair and "SNOWFLAKE_PRIVATE_KEY" in environment:
        raise NotRegistered("SNOWFLAKE_PRIVATE_KEY is set: unset it, or leave --new-key-pair out")


def _check(environment: Environment) -> int:
    """Says of each block, and of the rate limit, whether it is as it should be."""
    blocks = _wanted(environment)
    _refuse_wrong_keys(environment, blocks)
    found = {name: state(block, name) for name, block in blocks.items()}
    if number(environment, "SPOTIFY_REQUESTS_PER_SECOND"):
        limit = blocks["spotify"].rate_limit
        found[limit] = state_of_rate_limit(limit)
    sys.stdout.writelines(f"{name}: {told}\n" for name, told in found.items())
    return 0 if set(found.values()) == {OK} else 1


def _register(variables: Variables, *, new_key_pair: bool) -> int:
    environment = variables.values
    pair = KeyPair.new() if new_key_pair else None
    blocks = _wanted(environment, key=pair.private if pair else None)
    _refuse_wrong_keys(environment, blocks)
    _write(environment, blocks)
    sys.stdout.write(f"registered: {', '.join(blocks)}\n")
    lines = source_lines(variables, blocks["spotify"], new_key_pair=new_key_pair)
    sys.stdout.writelines(f"{line}\n" for line in lines)
    if pair:
        sys.stdout.write(_next_step(environment["SNOWFLAKE_USER"], pair.public))
    return 0


def _wanted(environment: Environment, suffix: str = "", key: PrivateKey | None = None) -> Blocks:
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
            "python -m blocks.authorize_spotify replaces it\n"
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


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
