"""One change set of a CloudFormation stack: what it would change, its execution and its removal."""

import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

from botocore.exceptions import BotoCoreError, ClientError

from deploy.changes import Action, Change, ProvisionFailed
from deploy.provision.watched_stack import POLL_S, REVIEW_IN_PROGRESS, WatchedStack

TEMPLATE = Path(__file__).parents[1] / "aws.yaml"
PREFIX = "deploy-"
"""Prefix of the names of our change sets."""
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
"""Parts of the status reason of a change set without changes."""
ACTIONS: dict[str, Action] = {"Add": "create", "Remove": "delete"}
"""Other actions, for example Modify and SyncWithActual, change a resource."""

Kind = Literal["CREATE", "UPDATE"]
Parameters = Mapping[str, str]


class ChangeSet:
    """A change set of deploy/aws.yaml with a new name; `kind`: whether it creates or updates the stack."""

    def __init__(self, stack: WatchedStack, kind: Kind) -> None:
        self.stack, self.kind, self.client = stack, kind, stack.client
        self.name = f"{PREFIX}{secrets.token_hex(6)}"
        self._named = {"ChangeSetName": self.name, "StackName": stack.name}

    def create(self, parameters: Parameters) -> list[Change] | None:
        """Creates it and returns its changes; None if there are none."""
        # AWS compares with the resources as they are, not only as they were written last. For a new stack
        # there is nothing to compare.
        drift = {"DeploymentMode": "REVERT_DRIFT"} if self.kind == "UPDATE" else {}
        self.client.create_change_set(
            **self._named,
            **drift,
            ChangeSetType=self.kind,
            TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        while (shown := self._described())["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            time.sleep(POLL_S)
        if shown["Status"] != "FAILED":
            return [_change(one["ResourceChange"]) for one in shown["Changes"]] or [
                Change("AWS", "change", f"stack {self.stack.name}", "outputs or parameters only")
            ]
        if any(reason in shown.get("StatusReason", "") for reason in NO_CHANGES):
            return None
        raise ProvisionFailed(
            f"AWS refused the template or its parameters ({shown.get('StatusReason')}). The stack was not "
            "changed. Correct the parameters and run the command again"
        )

    def execute(self) -> None:
        """Asks AWS to execute it; does not wait."""
        self.client.execute_change_set(**self._named)

    def remove(self) -> None:
        """Deletes it, and its stack if that is new and nobody else has a change set of it.

        Raises nothing, because the cause of a failure must stay visible. What is left has no effect.
        """
        with suppress(ClientError, BotoCoreError):
            self.client.delete_change_set(**self._named)
            if self.kind == "CREATE" and not {*change_set_names(self.stack)} - {self.name}:
                stack = self.stack.described(self.stack.name)
                if stack and stack["StackStatus"] == REVIEW_IN_PROGRESS:
                    self.client.delete_stack(StackName=stack["StackId"])

    def _described(self) -> dict[str, Any]:
        """Its description, with all pages of its changes."""
        shown: dict[str, Any] = self.client.describe_change_set(**self._named)
        token = shown.get("NextToken")
        while token:
            page = self.client.describe_change_set(**self._named, NextToken=token)
            shown["Changes"] += page["Changes"]
            token = page.get("NextToken")
        return shown


def change_set_names(stack: WatchedStack) -> list[str]:
    """Names of the stack's change sets."""
    pages = stack.client.get_paginator("list_change_sets").paginate(StackName=stack.name)
    return [one["ChangeSetName"] for page in pages for one in page["Summaries"]]


def resource_name(kind: str, one: Mapping[str, Any]) -> str:
    """Type and name of a resource, for a line of the plan."""
    name = one.get("PhysicalResourceId") or one["LogicalResourceId"]
    return f"{kind.removeprefix('AWS::').replace('::', ' ')} {name}"


def _change(change: Mapping[str, Any]) -> Change:
    replaced = "is replaced" if change.get("Replacement") == "True" else ""
    action = ACTIONS.get(change["Action"], "change")
    return Change("AWS", action, resource_name(change["ResourceType"], change), replaced)
