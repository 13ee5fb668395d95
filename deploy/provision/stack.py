"""AWS side of `apply`: one CloudFormation stack, changed through change sets only."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from deploy.changes import Change, ProvisionFailed
from deploy.provision.change_set import (
    PREFIX,
    ChangeSet,
    Kind,
    Parameters,
    change_set_names,
    resource_name,
)
from deploy.provision.watched_stack import REVIEW_IN_PROGRESS, WatchedStack

DESCRIPTION = "spotify-playlist-pipeline: "
"""Start of the template's description. A stack with another description is somebody else's."""
DELETE_ONLY = {"ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED", "DELETE_FAILED"}
"""States of a stack that can only be deleted."""
WITHOUT_RESOURCES = {REVIEW_IN_PROGRESS, "ROLLBACK_COMPLETE"}
STUCK = {"UPDATE_ROLLBACK_FAILED", "IMPORT_ROLLBACK_FAILED"}
SUCCEEDED = {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
RETAINED = {"AWS::S3::Bucket", "AWS::S3::BucketPolicy"}
"""Resource types that the template retains when the stack is deleted."""


@dataclass(frozen=True)
class Proposal:
    """A change set: its changes, and the function that executes it."""

    changes: list[Change]
    execute: Callable[[], None]


class CloudFormationStack(WatchedStack):
    """The stack of deploy/aws.yaml: plans, applies and deletes it."""

    def found(self) -> dict[str, Any] | None:
        """Waits until AWS has finished changing the stack; raises if the stack is not ours."""
        stack = super().found()
        if stack is not None:
            self._refuse_foreign(stack)
        return stack

    def refuse_stuck(self) -> None:
        """Raises if AWS refuses every update of the stack until a person has repaired it."""
        stack = self.found()
        if stack and stack["StackStatus"] in STUCK:
            raise ProvisionFailed(
                f"Stack {self.name} is in state {stack['StackStatus']}: AWS could not undo an update. Fix "
                "the cause, which its events show. Then run `aws cloudformation continue-update-rollback "
                f"--stack-name {self.name}`, and after that the same command again"
            )

    def has_resources(self) -> bool:
        """Returns False before the stack is created, and after its creation was undone."""
        stack = self.found()
        return stack is not None and stack["StackStatus"] not in WITHOUT_RESOURCES

    def outputs(self) -> dict[str, str]:
        """Values of the stack's outputs."""
        return _by_key(self.found() or {}, "Output")

    def parameters(self) -> dict[str, str]:
        """Values of the stack's parameters; none before it is created."""
        stack = self.found()
        return _by_key(stack, "Parameter") if stack and not must_be_created(stack) else {}

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
        stack = self.found()
        if stack and stack["StackStatus"] in DELETE_ONLY:
            self.delete()
        with self._proposed(parameters) as proposal:
            for change in proposal.changes:
                self.echo(str(change))
            proposal.execute()
        return self.outputs()

    @contextmanager
    def _proposed(self, parameters: Parameters) -> Iterator[Proposal]:
        """Creates a change set for these parameters; removes it at the end unless it was executed."""
        stack = self.found()
        kind: Kind = "CREATE" if stack is None or must_be_created(stack) else "UPDATE"
        change_set, is_executed = ChangeSet(self, kind), False

        def execute() -> None:
            nonlocal is_executed
            if changes is not None:
                # Before the request: AWS may have received it although this command was interrupted, and
                # then goes on by itself. The next command waits for it.
                is_executed = True
                self._execute(change_set)

        try:
            changes = change_set.create(parameters)
            yield Proposal(changes or [], execute)
        finally:
            if not is_executed:
                change_set.remove()

    def removals(self) -> list[Change]:
        """The resources that `delete` would delete."""
        stack = self.found()
        if stack is None:
            return []
        pages = self.client.get_paginator("list_stack_resources").paginate(StackName=self.name)
        found = [(one["ResourceType"], one) for page in pages for one in page["StackResourceSummaries"]]
        deleted = [(kind, one) for kind, one in found if kind not in RETAINED]
        return [
            *(Change("AWS", "delete", resource_name(kind, one)) for kind, one in deleted),
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

    def _execute(self, change_set: ChangeSet) -> None:
        stack = self.described(self.name)
        if stack is None:
            raise ProvisionFailed(
                f"Another command deleted stack {self.name} during this run. Run the same command again"
            )
        seen = self.event_ids(stack["StackId"])
        change_set.execute()
        ended = self.watch(stack["StackId"], seen)
        if ended is None or ended["StackStatus"] not in SUCCEEDED:
            raise ProvisionFailed(self.failure(ended or stack, seen))

    def _refuse_foreign(self, stack: Mapping[str, Any]) -> None:
        """Raises if the stack was not created by `apply`: it would be overwritten or deleted."""
        if stack["StackStatus"] != REVIEW_IN_PROGRESS:
            is_ours, what = stack.get("Description", "").startswith(DESCRIPTION), "another template"
        else:  # without a template yet
            others = [name for name in change_set_names(self) if not name.startswith(PREFIX)]
            is_ours, what = not others, f"the change set {', '.join(others)} of somebody else"
        if not is_ours:
            raise ProvisionFailed(
                f"Stack {self.name} exists already, with {what}. Nothing was changed. Choose another name "
                "with --stack"
            )


def must_be_created(stack: Mapping[str, Any]) -> bool:
    """Returns True if the stack was never created completely, so it must be created (again)."""
    return stack["StackStatus"] in DELETE_ONLY | {REVIEW_IN_PROGRESS}


def _by_key(stack: Mapping[str, Any], kind: str) -> dict[str, str]:
    return {one[f"{kind}Key"]: one[f"{kind}Value"] for one in stack.get(f"{kind}s") or ()}
