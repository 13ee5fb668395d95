"""Change sets: what is requested from CloudFormation, and how its response is shown."""

from types import SimpleNamespace
from typing import Any

import pytest

from deploy.changes import Change, ProvisionFailed
from deploy.provision.change_set import ChangeSet, Kind

DRIFTED = {"ResourceType": "AWS::S3::Bucket", "LogicalResourceId": "Lake", "PhysicalResourceId": "lake"}
NO_CHANGES = "The submitted information didn't contain changes. Submit different information."


class Client:
    """Responds with one description; keeps the requests."""

    def __init__(self, **described: Any) -> None:
        self.described, self.requests = described, list[dict[str, Any]]()

    def create_change_set(self, **request: Any) -> None:
        """Keeps the request."""
        self.requests.append(request)

    def describe_change_set(self, **_: Any) -> dict[str, Any]:
        """The description."""
        return dict(self.described)


def create(client: Client, kind: Kind) -> list[Change] | None:
    """Creates a change set of a stack."""
    stack: Any = SimpleNamespace(client=client, name="a-stack")
    return ChangeSet(stack, kind).create({"RawDays": "9"})


@pytest.mark.parametrize(("kind", "mode"), [("UPDATE", "REVERT_DRIFT"), ("CREATE", None)])
def test_an_update_compares_with_the_resources_as_they_are(kind: Kind, mode: str | None) -> None:
    client = Client(Status="CREATE_COMPLETE", Changes=[])
    create(client, kind)
    (request,) = client.requests
    assert (request["ChangeSetType"], request.get("DeploymentMode")) == (kind, mode)
    assert request["Parameters"] == [{"ParameterKey": "RawDays", "ParameterValue": "9"}]


@pytest.mark.parametrize(
    ("action", "shown"),
    [("Add", "create"), ("Modify", "change"), ("Remove", "delete"), ("SyncWithActual", "change")],
)
def test_each_action_of_cloudformation_is_shown(action: str, shown: str) -> None:
    changes = [{"ResourceChange": {"Action": action, **DRIFTED}}]
    assert create(Client(Status="CREATE_COMPLETE", Changes=changes), "UPDATE") == [
        Change("AWS", shown, "S3 Bucket lake")  # type: ignore[arg-type]
    ]


def test_a_change_set_without_changes_is_no_failure() -> None:
    assert create(Client(Status="FAILED", StatusReason=NO_CHANGES), "UPDATE") is None
    with pytest.raises(ProvisionFailed, match=r"\(RawDays is too small\)"):
        create(Client(Status="FAILED", StatusReason="RawDays is too small"), "UPDATE")
