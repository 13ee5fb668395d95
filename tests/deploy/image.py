"""Builds what the Dockerfile describes without docker: files, packages and variables in a folder."""

import shlex
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from importlib.metadata import Distribution, EntryPoint, distribution, distributions
from pathlib import Path
from shutil import copytree, ignore_patterns

from dockerfile_parse import DockerfileParser
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Image:
    """A folder in place of the image: working directory, folder of commands, environment variables."""

    workdir: Path
    bin: Path
    environment: dict[str, str]

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a command as in the container, without the environment of this process."""
        return subprocess.run(
            command,
            cwd=self.workdir,
            env=self.variables(**variables),
            check=False,
            capture_output=True,
            text=True,
            timeout=120,
        )

    def variables(self, **others: str) -> dict[str, str]:
        """All variables of a container that is started with these."""
        home = {"HOME": str(self.workdir.parent), "PREFECT_HOME": str(self.workdir.parent / "prefect")}
        return {"PATH": f"{self.bin}:/usr/bin:/bin", "LANG": "C.UTF-8", **home, **self.environment, **others}


def build(folder: Path) -> Image:
    """Builds the image in an empty folder."""
    dockerfile = DockerfileParser(str(ROOT / "Dockerfile"))
    steps = [(step["instruction"], shlex.split(step["value"])) for step in dockerfile.structure]
    ((workdir,),) = [values for instruction, values in steps if instruction == "WORKDIR"]
    inside = folder / workdir.lstrip("/")
    for instruction, values in steps:
        if instruction == "COPY":
            _copy(folder, inside, *values)
    venv = folder / "usr" / "local"
    install(folder / "tmp" / "requirements.txt", venv)
    return Image(inside, venv / "bin", dict(dockerfile.envs))


def _copy(folder: Path, inside: Path, source: str, target: str) -> None:
    """COPY of one path, by the rules of .dockerignore."""
    assert source in kept_by_dockerignore(), f".dockerignore excludes {source} from the build"
    destination = folder / target.lstrip("/") if target.startswith("/") else inside / target
    destination.parent.mkdir(parents=True, exist_ok=True)
    if (ROOT / source).is_dir():
        copytree(ROOT / source, destination, ignore=ignore_patterns("__pycache__"))
    else:
        destination.write_bytes((ROOT / source).read_bytes())


def kept_by_dockerignore() -> list[str]:
    """Paths that .dockerignore does not exclude from the build."""
    rules = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert rules[0] == "*"
    return [rule.removeprefix("!") for rule in rules if rule.startswith("!")]


def install(requirements: Path, venv: Path) -> None:
    """A new virtual environment with exactly the distributions of a lock, linked from this process's.

    The same result as `pip install --no-deps -r`, without a package index.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (site,) = venv.glob("lib/python*/site-packages")
    shared = _shared_folders()
    lines = requirements.read_text(encoding="utf-8").splitlines()
    for line in lines:
        wanted = Requirement(line.rstrip(" \\")) if line[:1].isalnum() else None
        if wanted and (wanted.marker is None or wanted.marker.evaluate()):
            found = distribution(wanted.name)
            assert wanted.specifier.contains(found.version), f"{line}: {found.version} is installed"
            _link(found, shared, site, venv)


def _shared_folders() -> set[str]:
    """Folders of this process's environment, such as `snowflake`, that several distributions share."""
    names = [name for found in distributions() for name in {file.parts[0] for file in found.files or ()}]
    return {name for name, fillers in Counter(names).items() if fillers > 1}


def _link(found: Distribution, shared: set[str], site: Path, venv: Path) -> None:
    """Links a distribution: folders if they are not shared, because linking each file takes seconds."""
    files = [file for file in found.files or () if ".." not in file.parts]
    for name in {str(file) if file.parts[0] in shared else file.parts[0] for file in files}:
        source = Path(str(found.locate_file(name)))
        if source.exists():
            (site / name).parent.mkdir(parents=True, exist_ok=True)
            (site / name).symlink_to(source)
    for command in found.entry_points.select(group="console_scripts"):
        _script(venv, command)


def _script(venv: Path, command: EntryPoint) -> None:
    """A console script, as pip writes it."""
    target = venv / "bin" / command.name
    called = f"import sys\nfrom {command.module} import {command.attr}\nsys.exit({command.attr}())\n"
    target.write_text(f"#!{venv}/bin/python\n{called}", encoding="utf-8")
    target.chmod(0o755)
