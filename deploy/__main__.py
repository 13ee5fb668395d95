"""`python -m deploy` (`make deploy`): the guard, then `prefect deploy --all`; `--check`: the guard."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import yaml
from cyclopts import App, Parameter
from dotenv import load_dotenv
from prefect.variables import Variable

from blocks.prefect_api import PrefectFailed, connected
from deploy.guard import problems

PREFECT_YAML = Path(__file__).parents[1] / "prefect.yaml"

app = App(name="python -m deploy", version_flags=[])


@app.default
def deploy(*, check: Annotated[bool, Parameter(negative=())] = False) -> int:
    """Deploys all of prefect.yaml, unless something it needs is empty.

    Args:
        check: Only look whether all is there.
    """
    load_dotenv(".env")
    try:
        with connected(os.environ):
            found = problems(yaml.safe_load(PREFECT_YAML.read_text("utf-8")), os.environ, _variable)
    except PrefectFailed as error:
        sys.stderr.write(f"nothing is deployed: {error}\n")
        return 1
    if found:
        sys.stderr.write("\n- ".join(["nothing is deployed, see docs/operations.md:", *found]) + "\n")
        return 1
    if check:
        sys.stdout.write("all that prefect.yaml needs is there\n")
        return 0
    command = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    return subprocess.run(command, cwd=PREFECT_YAML.parent, check=False).returncode  # noqa: S603 - fixed


def _variable(name: str) -> Any:  # noqa: ANN401 - any JSON value
    return Variable.get(name)


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
