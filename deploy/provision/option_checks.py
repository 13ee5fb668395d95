"""Checks of options and variables before the logins, so that a typing error cannot stop `apply` half-way."""

import re

from blocks.variables import Environment
from deploy.changes import ProvisionFailed
from deploy.provision.parameters import given_parameters
from flows.daily_playlists import daily_playlists

STACK = r"[a-z][a-z0-9-]{0,49}"
PLACEHOLDER = "…"
"""Value of the lines in docs/operations.md."""
NEEDED = ("SPOTIFY_CLIENT_ID", "SPOTIFY_CLIENT_SECRET", "AWS_DEFAULT_REGION")
"""Lines of `.env` that no login replaces, except for the region if the AWS profile has one."""


def refuse_wrong_options(stack: str, parameters: tuple[str, ...], playlists: tuple[str, ...]) -> None:
    """Raises ProvisionFailed or ConfigurationError for an option that no account could accept."""
    if not re.fullmatch(STACK, stack):
        raise ProvisionFailed(
            f"--stack {stack}: a name has lower-case letters, digits and hyphens, starts with a letter "
            "and has at most 50 characters, because the image repository and the bucket have the same name"
        )
    given_parameters(parameters)
    if playlists:
        daily_playlists(list(playlists))


def refuse_incomplete_file(variables: Environment) -> None:
    """Raises ProvisionFailed that names all missing lines, and lines with the placeholder of the docs."""
    missing = [name for name in NEEDED if PLACEHOLDER in variables.get(name, PLACEHOLDER)]
    if missing:
        raise ProvisionFailed(
            f"Missing in .env, or still the placeholder: {', '.join(missing)}. The three lines are explained "
            "in docs/operations.md#operations"
        )
