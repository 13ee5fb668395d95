"""`python -m tools.lock [--check]`: compiles the hashed requirements files from pyproject.toml.

Uses the newest versions that pyproject.toml allows. Each file includes the previous one and adds further
packages: installing requirements-dev.txt installs all three. Every file starts with the digest of the
dependency lists it was compiled from, so `--check` needs no package index.
"""

import hashlib
import json
import subprocess
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[1]
FILES = {
    "requirements.txt": (),
    "requirements-sandbox.txt": ("--extra", "sandbox"),
    "requirements-dev.txt": ("--all-extras",),
}
"""Files and their options of `uv pip compile`, smallest file first."""
COMPILE = ("uv", "pip", "compile", "--quiet", "--generate-hashes", "--universal", "--python-version", "3.11")
BARE = ("--no-header", "--no-annotate", "--no-strip-extras")


def main(arguments: list[str]) -> int:
    """Writes the files; with `--check`, prints those that are outdated and returns 1."""
    if arguments == ["--check"]:
        stale = [name for name in FILES if not (ROOT / name).read_text("utf-8").startswith(_header())]
        for name in stale:
            sys.stderr.write(
                f"{name} is outdated: the dependencies in pyproject.toml have changed. Run `make lock`.\n"
            )
        return 1 if stale else 0
    largest = _compiled("requirements-dev.txt", "")
    compiled = {name: _compiled(name, largest) for name in FILES}
    (ROOT / "requirements.txt").write_text(_header() + compiled["requirements.txt"], "utf-8")
    for smaller, name in pairwise(FILES):
        rest = "".join(_without(compiled[name], compiled[smaller]))
        (ROOT / name).write_text(f"{_header()}-r {smaller}\n{rest}", "utf-8")
    return 0


def _compiled(name: str, constraints: str) -> str:
    """Compiled requirements of a file, with the versions of the constraints."""
    command = [sys.executable, "-m", *COMPILE, *BARE, *FILES[name], "--constraints", "-", "pyproject.toml"]
    done = subprocess.run(command, cwd=ROOT, input=constraints, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stderr)
    return done.stdout


def _without(requirements: str, smaller: str) -> list[str]:
    """Requirements that are not in `smaller`. Each is a line `name==version` with its hashes."""
    known = set(_split(smaller))
    return [one for one in _split(requirements) if one not in known]


def _split(requirements: str) -> list[str]:
    blocks: list[str] = []
    for line in requirements.splitlines(keepends=True):
        if line.startswith(" "):
            blocks[-1] += line
        else:
            blocks.append(line)
    return blocks


def _header() -> str:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    lists = [project["dependencies"], project["optional-dependencies"]]
    digest = hashlib.sha256(json.dumps(lists).encode()).hexdigest()
    return f"# Compiled by `make lock` from the dependencies of pyproject.toml, SHA-256 {digest}\n"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
