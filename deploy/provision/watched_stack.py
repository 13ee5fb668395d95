"""A CloudFormation stack while AWS changes it: its state, and a line for each event."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

POLL_S = 3.0
EMPTY = "REVIEW_IN_PROGRESS"
"""A stack that has had a change set only."""


class WatchedStack:
    """The stack of this name; `tell` gets a line for each event of its resources."""

    def __init__(self, client: Any, name: str, tell: Callable[[str], None]) -> None:  # noqa: ANN401 - boto3's client
        self.client, self.name, self.tell = client, name, tell

    def found(self) -> dict[str, Any] | None:
        """The stack as AWS describes it, once AWS has finished changing it; None if there is none."""
        while (stack := self.described(self.name)) and _is_busy(stack):
            self.tell(f"waiting for stack {self.name}: {stack['StackStatus']}")
            time.sleep(POLL_S)
        return stack

    def watch(self, stack_id: str, seen: set[str]) -> dict[str, Any] | None:
        """Tells each event until AWS has finished; the stack as it is then."""
        told = set(seen)
        while True:
            stack = self.described(stack_id)
            for event in reversed(self._events(stack_id)):
                if event["EventId"] not in told:
                    told.add(event["EventId"])
                    self.tell(_event_line(event))
            if stack is None or not (_is_busy(stack) or stack["StackStatus"] == EMPTY):
                return stack
            time.sleep(POLL_S)

    def failure(self, stack: Mapping[str, Any], seen: set[str]) -> str:
        """What happened, from the events since; the first failure is the cause."""
        failed = [
            f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}"
            for event in reversed(self._events(stack["StackId"]))
            if event["EventId"] not in seen and event["ResourceStatus"].endswith("_FAILED")
        ]
        return (
            f"Stack {self.name} ended as {stack['StackStatus']} "
            f"({failed[0] if failed else 'its events say why'}). "
            "Correct that and run the same command again"
        )

    def described(self, name: str) -> dict[str, Any] | None:
        """The stack as AWS describes it now; None if there is none."""
        try:
            stack: dict[str, Any] = self.client.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in str(error):
                return None
            raise
        return None if stack["StackStatus"] == "DELETE_COMPLETE" else stack

    def _events(self, stack_id: str) -> list[dict[str, Any]]:
        """Newest first, as many as one page has."""
        try:
            return list(self.client.describe_stack_events(StackName=stack_id)["StackEvents"])
        except ClientError as error:
            if "does not exist" in str(error):
                return []
            raise

    def event_ids(self, stack_id: str) -> set[str]:
        """Ids of the events that have happened."""
        return {event["EventId"] for event in self._events(stack_id)}


def _is_busy(stack: Mapping[str, Any]) -> bool:
    status = str(stack["StackStatus"])
    return status.endswith("_IN_PROGRESS") and status != EMPTY


def _event_line(event: Mapping[str, Any]) -> str:
    reason = f": {event['ResourceStatusReason']}" if event.get("ResourceStatusReason") else ""
    return f"{event['LogicalResourceId']} {event['ResourceStatus']}{reason}"
