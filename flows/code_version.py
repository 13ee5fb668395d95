"""Version of the running code, as recorded in the ledger, in receipts and in raw files."""

import os
import subprocess
from functools import cache
from pathlib import Path

from pipeline import VERSION

VARIABLE = "PIPELINE_VERSION"
"""Set when the image is built. Not needed in a git checkout."""
GIT_TIMEOUT_S = 5.0


@cache
def code_version() -> str:
    """PIPELINE_VERSION if it is set, else `git describe` of this checkout, else the release version."""
    return os.environ.get(VARIABLE, "").strip() or _described(Path(__file__).parents[1]) or VERSION


def _described(checkout: Path) -> str:
    """The nearest tag, or the commit, with `-dirty` if there are changes; empty outside a checkout."""
    if not (checkout / ".git").exists():
        return ""  # git would search the parent folders and describe a different repository
    command = ["git", "-C", str(checkout), "describe", "--tags", "--always", "--dirty"]
    try:
        done = subprocess.run(  # noqa: S603 - the command has no external input
            command, capture_output=True, text=True, timeout=GIT_TIMEOUT_S, check=False, env=_without_git()
        )
    except (OSError, subprocess.SubprocessError):
        return ""  # git is not installed, or timed out
    return done.stdout.strip() if done.returncode == 0 else ""


def _without_git() -> dict[str, str]:
    """The environment without git's variables: in a git hook, GIT_DIR points to the hook's repository."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
