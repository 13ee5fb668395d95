"""Reads the policies in docs/by-hand.md, so that tests use exactly the policies that users create."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).parents[1] / "docs" / "by-hand.md"
PLACEHOLDER = "YOUR-BUCKET"


class Grant(NamedTuple):
    """One action on one resource."""

    action: str
    resource: str


def documented_json(after: str, bucket: str = PLACEHOLDER, folder: str = "") -> Any:
    """The first JSON block of the page after the text `after`, for a bucket or a folder of it."""
    text = PAGE.read_text(encoding="utf-8").split(after)[1].split("```json")[1].split("```")[0]
    inside = f"{folder}/" if folder else ""
    return json.loads(_filled_in(text, bucket, folder).replace('"tables/*"', f'"{inside}tables/*"'))


def listed_actions(after: str, until: str) -> list[str]:
    """Actions listed in the page between two texts; only the first action of a service has its prefix."""
    text = PAGE.read_text(encoding="utf-8").split(after)[1].split(until)[0]
    found: list[str] = []
    for service, action in re.findall(r"`(?:([a-z0-9]+):)?([A-Z][A-Za-z]+)`", text):
        found.append(f"{service or found[-1].partition(':')[0]}:{action}")
    return found


def task_role_grants() -> list[Grant]:
    """Grants of the task role: one per action and resource."""
    return [
        Grant(action, resource)
        for statement in documented_json("**The lake**")["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]


def policy(grants: Iterable[Grant], bucket: str, folder: str = "") -> str:
    """A policy document with these grants, for a bucket or a folder of it."""
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": [one.action], "Resource": [_filled_in(one.resource, bucket, folder)]}
        for one in grants
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _filled_in(resource: str, bucket: str, folder: str) -> str:
    inside = f"{bucket}/{folder}/" if folder else f"{bucket}/"
    return resource.replace(f"{PLACEHOLDER}/", inside).replace(PLACEHOLDER, bucket)
