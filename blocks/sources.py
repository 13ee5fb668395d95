"""Sources of the stored secrets, as printed after registering; never their values."""

import os

from blocks.spotify import SpotifyCredentials
from blocks.variables import KEY_NAMES, Environment, Variables, aws_keys, non_empty

KEPT = "kept from the block"


def source_lines(variables: Variables, spotify: SpotifyCredentials, *, new_key_pair: bool) -> list[str]:
    """One line per secret in the blocks, and one per set of AWS keys that they do not contain."""
    found = {name: variables.sources[name] for name in _given(variables.values)}
    found |= _refresh_token(variables, spotify)
    if "SNOWFLAKE_PRIVATE_KEY" not in found:
        found["SNOWFLAKE_PRIVATE_KEY"] = "new, in the block only" if new_key_pair else KEPT
    return [f"{name}: {source}" for name, source in found.items()] + _without_keys(variables.values)


def _given(environment: Environment) -> list[str]:
    """Variables of the secrets that are stored."""
    names = ["SPOTIFY_CLIENT_SECRET", *aws_keys(environment, "LAKE_").values()]
    names += aws_keys(environment, "ECS_").values()
    keys = ["SNOWFLAKE_PRIVATE_KEY"]
    if "SNOWFLAKE_ADMIN_ROLE" in environment:
        keys.append("SNOWFLAKE_ADMIN_PRIVATE_KEY")
    for key in keys:
        if key in environment:
            names += [name for name in (key, f"{key}_PASSPHRASE") if name in environment]
    return names


def _refresh_token(variables: Variables, spotify: SpotifyCredentials) -> dict[str, str]:
    name = "SPOTIFY_REFRESH_TOKEN"
    if spotify.refresh_token is None:
        return {}
    is_given = spotify.refresh_token.get_secret_value() == variables.values.get(name)
    return {name: variables.sources[name] if is_given else KEPT}


def _without_keys(environment: Environment) -> list[str]:
    roles = {"LAKE_": "runs use their task role", "ECS_": "the work pool uses the worker's role"}
    lines = [
        f"{prefix}AWS_ACCESS_KEY_ID: none stored, {role}"
        for prefix, role in roles.items()
        if not aws_keys(environment, prefix)
    ]
    shell = [name for name in KEY_NAMES if name in non_empty(os.environ)]
    if shell:
        lines.append(
            f"{', '.join(shell)} from the environment: not stored. "
            "To store keys for runs, set LAKE_AWS_ACCESS_KEY_ID and LAKE_AWS_SECRET_ACCESS_KEY."
        )
    return lines
