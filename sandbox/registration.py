"""The sandbox's blocks, written by the project's own command."""

import os
import subprocess
import sys

from sandbox.services import ROOT, Sandbox

SETTINGS = ("SPOTIFY_", "LAKE_", "AWS_", "ECS_AWS_", "SNOWFLAKE_")
"""How the variables begin that blocks are made from."""


def register_blocks(sandbox: Sandbox) -> None:
    """Writes the blocks into the sandbox's Prefect server, of nothing that belongs to a real account."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(SETTINGS)}
    subprocess.run(
        [sys.executable, "-m", "blocks.register", "--env-file", os.devnull],
        cwd=ROOT,
        env=others | sandbox.environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
