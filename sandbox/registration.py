"""The sandbox's blocks, written by the project's own registration."""

from collections.abc import Mapping

from blocks.prefect_api import connected
from blocks.registration import register


def register_blocks(environment: Mapping[str, str]) -> None:
    """Writes the blocks into the Prefect server that `environment` names; none of the shell's values."""
    with connected(environment):
        register(environment)
