"""Follows a CloudFormation stack while AWS changes it: waits, and prints a line for each event."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

POLL_S = 3.0
REVIEW_IN_PROGRESS = "REVIEW_IN_PROGRESS"
"""State of a new stack whose first change set was not executed yet: no resources."""


class WatchedStack:
    """The stack of this name; `echo` prints a line for each event of its resources."""

    def __init__(self, client: Any, name: str, echo: Callable[[str], None]) -> None:  # noqa: ANN401 - boto3's client
        self.client, self.name, self.echo = client, name, echo

    def found(self) -> dict[str, Any] | None:
        """Waits until AWS has finished changing the stack; returns the stack, None if there is none."""
        while (stack := self.described(self.name)) and _is_busy(stack):
            self.echo(f"waiting for stack {self.name}: {stack['StackStatus']}")
            time.sleep(POLL_S)
        return stack

    def watch(self, stack_id: str, seen: set[str]) -> dict[str, Any] | None:
        """Prints each event that is not in `seen` until AWS has finished; returns the description then."""
        printed = set(seen)
        while True:
            stack = self.described(stack_id)
            for event in reversed(self._events(stack_id)):
                if event["EventId"] not in printed:
                    printed.add(event["EventId"])
                    self.echo(_event_line(event))
            if stack is None or not (_is_busy(stack) or stack["StackStatus"] == REVIEW_IN_PROGRESS):
                return stack
            time.sleep(POLL_S)

    def failure(self, stack: Mapping[str, Any], seen: set[str]) -> str:
        """Message for a failed change, from the events not in `seen`: the first failure is the cause."""
        failed = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
            for event in reversed(self._events(stack["StackId"]))
            if event["EventId"] not in seen and event["ResourceStatus"].endswith("_FAILED")
        ]
        return (
            f"Stack {self.name} ended as {stack['StackStatus']} "
            f"({failed[0] if failed else 'see its events for the cause'}). "
            "Fix the cause and run the same command again"
        )

    def described(self, name: str) -> dict[str, Any] | None:
        """Current description of the stack; None if there is none."""
        try:
            stack: dict[str, Any] = self.client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack

    def _events(self, stack_id: str) -> list[dict[str, Any]]:
        """The newest events, newest first, one page."""
        try:
            return list(self.client.describe_stack_events(StackName=stack_id)["StackEvents"])
        except ClientError as error:
            if "does not exist" in str(error):
                return []
            raise

    def event_ids(self, stack_id: str) -> set[str]:
        """Ids of the newest events."""
        return {event["EventId"] for event in self._events(stack_id)}


def _is_busy(stack: Mapping[str, Any]) -> bool:
    status = str(stack["StackStatus"])
    return status.endswith("_IN_PROGRESS") and status != REVIEW_IN_PROGRESS


def _event_line(event: Mapping[str, Any]) -> str:
    reason = f": {event['ResourceStatusReason']}" if event.get("ResourceStatusReason") else ""
    return f"{event['LogicalResourceId']} {event['ResourceStatus']}{reason}"
