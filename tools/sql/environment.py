"""Environment of the prompt: selects the Prefect API, and thereby the blocks and the warehouse."""

import shlex
from collections.abc import Mapping
from pathlib import Path

SANDBOX = Path(__file__).parents[2] / ".sandbox" / "env"
"""Written by `make sandbox` while it runs."""


def with_sandbox(
    environment: Mapping[str, str], profile_url: str | None, sandbox: Path = SANDBOX
) -> Mapping[str, str]:
    """The environment, plus the variables of a running sandbox if no Prefect API is configured.

    `profile_url`: PREFECT_API_URL of Prefect's profile or ./.env.
    """
    if environment.get("PREFECT_API_URL") or profile_url or not sandbox.exists():
        return environment
    return {**environment, **read_exports(sandbox.read_text(encoding="utf-8"))}


def read_exports(text: str) -> dict[str, str]:
    """The variables of a file of `export NAME='value'` lines."""
    words = [word for word in shlex.split(text) if word != "export"]
    return dict(word.split("=", 1) for word in words)
