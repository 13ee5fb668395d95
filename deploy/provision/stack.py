"""AWS side of `apply`: one CloudFormation stack, changed through change sets only."""

import secrets
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.changes import Action, Change, ProvisionFailed
from deploy.provision.watched_stack import POLL_S, REVIEW_IN_PROGRESS, WatchedStack

TEMPLATE = Path(__file__).parents[1] / "aws.yaml"
CHANGE_SET_PREFIX = "deploy-"
"""Prefix of the names of our change sets."""
NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
"""Parts of the status reason of a change set without changes."""
DELETE_ONLY = {"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"}
"""States of a stack that can only be deleted."""
SUCCEEDED = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
BUCKET = "AWS::S3::Bucket"
"""Resource type that the template retains when the stack is deleted."""
ACTIONS: dict[str, Action] = {"Add": "create", "Modify": "change", "Remove": "delete"}

Parameters = Mapping[str, str]


@dataclass(frozen=True)
class Proposal:
    """A change set: its changes, and the function that executes it."""

    changes: list[Change]
    execute: Callable[[], None]


class CloudFormationStack(WatchedStack):
    """The stack of deploy/aws.yaml: plans, applies and deletes it."""

    def outputs(self) -> dict[str, str]:
        """Values of the stack's outputs."""
        return _by_key(self.found() or {}, "Output")

    def parameters(self) -> dict[str, str]:
        """Values of the stack's parameters; none before it is created."""
        stack = self.found()
        return _by_key(stack, "Parameter") if stack and not must_be_created(stack) else {}

    def template_parameters(self) -> set[str]:
        """Names of the template's parameters."""
        summary = self.client.get_template_summary(TemplateBody=TEMPLATE.read_text(encoding="utf-8"))
        return {one["ParameterKey"] for one in summary["Parameters"]}

    def changes(self, parameters: Parameters) -> list[Change]:
        """The changes that `write` would make, from a change set that is deleted afterwards."""
        stack = self.found()
        if stack and stack["StackStatus"] in DELETE_ONLY:
            detail = f"{stack['StackStatus']}: it can only be deleted"
            return [
                Change("AWS", "delete", f"stack {self.name}", detail),
                Change("AWS", "create", f"stack {self.name}", "again"),
            ]
        with self._proposed(parameters) as proposal:
            return proposal.changes

    def write(self, parameters: Parameters) -> dict[str, str]:
        """Creates or updates the stack; returns its outputs."""
        with self._proposed(parameters) as proposal:
            for change in proposal.changes:
                self.echo(str(change))
            proposal.execute()
        return self.outputs()

    @contextmanager
    def _proposed(self, parameters: Parameters) -> Iterator[Proposal]:
        """Creates a change set for these parameters; deletes it at the end unless it was executed."""
        stack = self.found()
        if stack:
            self._remove_leftovers(stack)
        kind = "CREATE" if stack is None or must_be_created(stack) else "UPDATE"
        name = f"{CHANGE_SET_PREFIX}{secrets.token_hex(6)}"
        executed = False

        def execute() -> None:
            nonlocal executed
            if changes is not None:
                self._execute(name)
                executed = True

        changes = self._create(name, kind, parameters)
        try:
            yield Proposal(changes or [], execute)
        finally:
            if not executed:
                self._remove(name, with_stack=kind == "CREATE")

    def removals(self) -> list[Change]:
        """The resources that `delete` would delete."""
        stack = self.found()
        if stack is None:
            return []
        pages = self.client.get_paginator("list_stack_resources").paginate(StackName=self.name)
        kinds = [(one["ResourceType"], one) for page in pages for one in page["StackResourceSummaries"]]
        return [
            *(Change("AWS", "delete", _resource(kind, one)) for kind, one in kinds if kind != BUCKET),
            Change("AWS", "delete", f"stack {self.name}"),
        ]

    def delete(self) -> None:
        """Deletes the stack and its resources, except retained ones."""
        stack = self.found()
        if stack is None:
            return
        seen = self.event_ids(stack["StackId"])
        self.client.delete_stack(StackName=self.name)
        ended = self.watch(stack["StackId"], seen)
        if ended and ended["StackStatus"] != "DELETE_COMPLETE":
            raise ProvisionFailed(self.failure(ended, seen))

    def _create(self, name: str, kind: str, parameters: Parameters) -> list[Change] | None:
        """Creates a change set and returns its changes; None if there are none."""
        self.client.create_change_set(
            StackName=self.name,
            ChangeSetName=name,
            ChangeSetType=kind,
            TemplateBody=TEMPLATE.read_text(encoding="utf-8"),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
        )
        while (shown := self._change_set(name))["Status"] in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
            time.sleep(POLL_S)
        if shown["Status"] != "FAILED":
            return [_change(one["ResourceChange"]) for one in shown["Changes"]] or [
                Change("AWS", "change", f"stack {self.name}", "outputs or parameters only")
            ]
        if any(reason in shown.get("StatusReason", "") for reason in NO_CHANGES):
            return None
        self._remove(name, with_stack=kind == "CREATE")
        raise ProvisionFailed(
            f"AWS refused the template or its parameters ({shown.get('StatusReason')}). The stack was not "
            "changed. Correct the parameters and run the command again"
        )

    def _change_set(self, name: str) -> dict[str, Any]:
        """Describes a change set, with all pages of its changes."""
        shown: dict[str, Any] = self.client.describe_change_set(ChangeSetName=name, StackName=self.name)
        token = shown.get("NextToken")
        while token:
            page = self.client.describe_change_set(ChangeSetName=name, StackName=self.name, NextToken=token)
            shown["Changes"] += page["Changes"]
            token = page.get("NextToken")
        return shown

    def _execute(self, name: str) -> None:
        stack = self.described(self.name) or {}
        seen = self.event_ids(stack["StackId"])
        self.client.execute_change_set(ChangeSetName=name, StackName=self.name)
        ended = self.watch(stack["StackId"], seen)
        if ended is None or ended["StackStatus"] not in SUCCEEDED:
            raise ProvisionFailed(self.failure(ended or stack, seen))

    def _remove_leftovers(self, stack: Mapping[str, Any]) -> None:
        """Deletes change sets of a killed command, and the stack if it has no usable resources."""
        if must_be_created(stack):
            self.delete()
            return
        pages = self.client.get_paginator("list_change_sets").paginate(StackName=self.name)
        for one in [each for page in pages for each in page["Summaries"]]:
            if one["ChangeSetName"].startswith(CHANGE_SET_PREFIX):
                self.client.delete_change_set(ChangeSetName=one["ChangeSetName"], StackName=self.name)

    def _remove(self, change_set: str, *, with_stack: bool) -> None:
        self.client.delete_change_set(ChangeSetName=change_set, StackName=self.name)
        if with_stack:
            self.client.delete_stack(StackName=self.name)


def must_be_created(stack: Mapping[str, Any]) -> bool:
    """Returns True if the stack was never created completely, so it must be deleted and created again."""
    return stack["StackStatus"] in DELETE_ONLY | {REVIEW_IN_PROGRESS}


def _by_key(stack: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {one[f"{kind}Key"]: one[f"{kind}Value"] for one in stack.get(f"{kind}s") or ()}


def _resource(kind: str, one: Mapping[str, Any]) -> str:
    name = one.get("PhysicalResourceId") or one["LogicalResourceId"]
    return f"{kind.removeprefix('AWS::').replace('::', ' ')} {name}"


def _change(change: Mapping[str, Any]) -> Change:
    replaced = "is replaced" if change.get("Replacement") == "True" else ""
    return Change("AWS", ACTIONS[change["Action"]], _resource(change["ResourceType"], change), replaced)
