"""Policies of docs/operations.md, read from there: tests act under what people are told to set up."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

PAGE = Path(__file__).parents[1] / "docs" / "operations.md"
PLACEHOLDER = "YOUR-BUCKET"


class Grant(NamedTuple):
    """One action on one resource."""

    action: str
    resource: str


def task_role_grants() -> list[Grant]:
    """All that the task role may do, its statements taken apart."""
    text = PAGE.read_text(encoding="utf-8").split("**The lake**")[1].split("```json")[1].split("```")[0]
    return [
        Grant(action, resource)
        for statement in json.loads(text)["Statement"]
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
