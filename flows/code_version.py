"""Which version of the code runs: what was deployed, for the ledger, the receipt and every kept file."""

import os
import subprocess
from functools import cache
from pathlib import Path

from pipeline import VERSION

VARIABLE = "PIPELINE_VERSION"
"""Set when the image is built; a checkout does not need it."""
GIT_S = 5.0


@cache
def code_version() -> str:
    """What the image was built as, else what `git describe` says of this checkout, else the release."""
    return os.environ.get(VARIABLE, "").strip() or _described(Path(__file__).parents[1]) or VERSION


def _described(checkout: Path) -> str:
    """The nearest tag, or the commit, with `-dirty` if there are changes; empty outside of a checkout."""
    if not (checkout / ".git").exists():
        return ""  # git would look in the folders above, and describe somebody else's repository
    command = ["git", "-C", str(checkout), "describe", "--tags", "--always", "--dirty"]
    try:
        done = subprocess.run(  # noqa: S603 - nothing in it comes from outside
            command, capture_output=True, text=True, timeout=GIT_S, check=False, env=_without_git()
        )
    except (OSError, subprocess.SubprocessError):
        return ""  # git is not installed, or hangs
    return done.stdout.strip() if done.returncode == 0 else ""


def _without_git() -> dict[str, str]:
    """The environment without what a git hook sets: GIT_DIR names the repository of whoever commits."""
    return {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
