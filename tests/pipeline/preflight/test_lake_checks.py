"""Preflight checks every action on every prefix of the lake, and writes nothing.

`pytest -rP` prints the matrix: below each grant, the checks that are red or skipped without it.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.lake.store import Lake
from pipeline.preflight.checks import Checklist, Line
from pipeline.preflight.lake_checks import check_lake
from tests.builders import RUN
from tests.pipeline.lake.conftest import lake, s3
from tests.pipeline.lake.test_policy import GRANTS, lake_with_grants
from tests.tiers import enumerated

__all__ = ["lake", "s3"]


def lines(lake: Lake) -> list[Line]:
    """Lines of all checks of the lake."""
    checks = Checklist()
    check_lake(checks, lake, RUN)
    return checks.lines


@pytest.fixture
def unchanged(lake: Lake) -> Iterator[None]:
    """Checks after the test that the lake is still empty."""
    yield
    assert list(lake.keys("")) == []


@pytest.mark.usefixtures("unchanged")
def test_with_the_documented_policy_all_checks_are_green() -> None:
    with lake_with_grants([*GRANTS.values()]) as restricted:
        found = lines(restricted)
    assert [line for line in found if line.status != "ok"] == []
    assert len(found) == 14


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("removed", enumerated(GRANTS, ["s3:PutObject YOUR-BUCKET/runs/*"]))
def test_each_missing_grant_is_named(removed: str) -> None:
    grant = GRANTS[removed]
    with lake_with_grants([one for one in GRANTS.values() if one != grant]) as restricted:
        found = [line for line in lines(restricted) if line.status != "ok"]
    print(removed, *(f"  {line.status} {line.check}: {line.text}" for line in found), sep="\n")  # noqa: T201
    red = [line for line in found if line.is_red]
    prefix = grant.resource.partition("/")[2].removesuffix("*")
    if grant.action == "s3:ListBucket":
        assert [line.check for line in red] == ["lake: list raw/"]
        assert len(found) == 14  # all other checks depend on it
    else:
        kind = {"s3:GetObject": "read", "s3:PutObject": "write"}[grant.action]
        assert [line.check for line in found] == [f"lake: {kind} {prefix}*"]
    for line in red:
        assert (line.status, grant.action in line.text) == ("missing", True)
        assert line.text.endswith("[LAKE_DENIED]")


class IgnoresConditions:
    """An S3 client whose store ignores conditional writes."""

    def __init__(self, lake: Lake) -> None:
        self._client = lake._client  # noqa: SLF001 - the only way to its client
        self.meta = self._client.meta

    def put_object(self, **options: Any) -> Any:
        """Writes without the condition."""
        del options["IfMatch"]
        return self._client.put_object(**options)


def test_a_store_without_conditional_writes_is_refused(lake: Lake) -> None:
    unconditional = Lake(IgnoresConditions(lake), lake.bucket)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"was written: delete it.*\[LAKE_NO_CONDITIONAL_WRITES\]"):
        unconditional.check_write_permission("raw/preflight/x")
    assert list(lake.keys("")) == ["raw/preflight/x"]
