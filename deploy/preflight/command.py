"""`python -m deploy preflight`: checks everything outside the flows, and changes nothing."""

import sys

import yaml

from blocks.prefect_api import PrefectFailed, connected
from blocks.validation import NotRegistered
from deploy.deployed_file import deploy_environment, deploy_profile
from deploy.deployments import PREFECT_YAML
from deploy.preflight.surroundings import Scope, find_surrounding_lines
from flows.prefect_checks import API
from pipeline.lake.layout import LoadMode
from pipeline.preflight.checks import Line
from pipeline.preflight.listing import counted, lines_as_json, lines_as_text


def run_preflight(*, load: LoadMode, json: bool, profile: str | None) -> int:
    """Prints a line for each check. Returns 1 if a check is red, else 0."""
    try:
        environment = deploy_environment()
        with connected(environment):
            settings = yaml.safe_load(PREFECT_YAML.read_text("utf-8"))
            lines = find_surrounding_lines(Scope(environment, settings, load, profile or deploy_profile()))
    except (NotRegistered, PrefectFailed) as error:
        problem = " ".join(str(error).split()).rstrip(".")
        lines = [Line(API, "wrong", f"{problem}. Nothing else was checked")]
    sys.stdout.write(lines_as_json(lines) if json else f"{lines_as_text(lines)}{counted(lines)}\n")
    return int(any(line.is_red for line in lines))
