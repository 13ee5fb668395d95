"""Parameters of deploy/aws.yaml: checks values before anything is written, as CloudFormation would."""

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from deploy.changes import ProvisionFailed

TEMPLATE = Path(__file__).parents[1] / "aws.yaml"
SETTABLE = (
    "EventsQueueName",
    "RawDays",
    "DetailsDays",
    "TablesDays",
    "ReportsDays",
    "OldVersionDays",
    "LogDays",
)
"""Parameters for --parameter; `apply` derives the others."""
OF_BUCKET = ("RawDays", "DetailsDays", "TablesDays", "ReportsDays", "OldVersionDays")
"""Parameters of the bucket's lifecycle: without effect on a bucket that is not part of the stack."""


def given_parameters(options: Iterable[str]) -> dict[str, str]:
    """Values of `--parameter NAME=VALUE`; raises ProvisionFailed if a name or a value is wrong."""
    given = dict(one.partition("=")[::2] for one in options)
    if wrong := sorted(given.keys() - set(SETTABLE)):
        raise ProvisionFailed(
            f"--parameter does not take {', '.join(wrong)}. It takes {', '.join(SETTABLE)}; other parameters "
            "of deploy/aws.yaml follow from .env and the other options"
        )
    refuse_wrong_values(given)
    return given


def refuse_wrong_values(values: Mapping[str, str]) -> None:
    """Raises ProvisionFailed if the template would refuse one of the values."""
    for name, value in values.items():
        parameter = template_parameters()[name]
        if not _fits(value, parameter):
            form = parameter.get("ConstraintDescription") or _form(parameter)
            raise ProvisionFailed(f"{name}={value} is not possible: {form}")


@cache
def template_parameters() -> dict[str, dict[str, Any]]:
    """The section Parameters of the template."""
    # Only this section, because safe YAML does not know the functions of the others.
    section = re.search(r"^Parameters:\n(?:^(?: .*)?\n)+", TEMPLATE.read_text(encoding="utf-8"), re.MULTILINE)
    found: dict[str, dict[str, Any]] = yaml.safe_load(section[0])["Parameters"] if section else {}
    return found


def _fits(value: str, parameter: Mapping[str, Any]) -> bool:
    if parameter["Type"] == "Number" and not re.fullmatch(r"\d+", value):
        return False
    if "AllowedValues" in parameter and value not in map(str, parameter["AllowedValues"]):
        return False
    if "MinValue" in parameter and int(value) < parameter["MinValue"]:
        return False
    return re.fullmatch(parameter.get("AllowedPattern", ".*"), value) is not None


def _form(parameter: Mapping[str, Any]) -> str:
    if "AllowedValues" in parameter:
        return f"one of {', '.join(map(str, parameter['AllowedValues']))}"
    return f"a whole number from {parameter.get('MinValue', 0)} on"
