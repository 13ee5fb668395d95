"""Policies of docs/by-hand.md, read from there: tests act under what people are told to set up."""

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


def shown(after: str, bucket: str = PLACEHOLDER, folder: str = "") -> Any:
    """The first JSON of the page after a text, for a bucket, or a folder of it."""
    text = PAGE.read_text(encoding="utf-8").split(after)[1].split("```json")[1].split("```")[0]
    inside = f"{folder}/" if folder else ""
    return json.loads(_filled_in(text, bucket, folder).replace('"tables/*"', f'"{inside}tables/*"'))


def listed_actions(after: str, until: str) -> list[str]:
    """Actions that a sentence of the page lists; the service stands before the first of several."""
    text = PAGE.read_text(encoding="utf-8").split(after)[1].split(until)[0]
    found: list[str] = []
    for service, action in re.findall(r"`(?:([a-z0-9]+):)?([A-Z][A-Za-z]+)`", text):
        found.append(f"{service or found[-1].partition(':')[0]}:{action}")
    return found


def task_role_grants() -> list[Grant]:
    """All that the task role may do, its statements taken apart."""
    return [
        Grant(action, resource)
        for statement in shown("**The lake**")["Statement"]
        for action in statement["Action"]
        for resource in statement["Resource"]
    ]


def policy(grants: Iterable[Grant], bucket: str, folder: str = "") -> str:
    """A policy document that allows these, for a bucket, or a folder of it."""
    statements: list[dict[str, Any]] = [
        {"Effect": "Allow", "Action": [one.action], "Resource": [_filled_in(one.resource, bucket, folder)]}
        for one in grants
    ]
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def _filled_in(resource: str, bucket: str, folder: str) -> str:
    inside = f"{bucket}/{folder}/" if folder else f"{bucket}/"
    return resource.replace(f"{PLACEHOLDER}/", inside).replace(PLACEHOLDER, bucket)
