"""Each action on each prefix of the lake is checked, and nothing is written.

`pytest -rP` shows the matrix: below each permission the checks that are red or skipped without it.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.lake.store import Lake
from pipeline.preflight.checks import Checklist, Line
from pipeline.preflight.lake_checks import check_lake
from tests.builders import RUN
from tests.pipeline.lake.conftest import lake, s3
from tests.pipeline.lake.test_policy import GRANTS, under
from tests.tiers import enumerated

__all__ = ["lake", "s3"]


def lines(lake: Lake) -> list[Line]:
    """All checks of the lake."""
    checks = Checklist()
    check_lake(checks, lake, RUN)
    return checks.lines


@pytest.fixture
def keys(lake: Lake) -> Iterator[None]:
    """Asserts that the lake is as empty as it was."""
    yield
    assert list(lake.keys("")) == []


@pytest.mark.usefixtures("keys")
def test_the_policy_is_enough() -> None:
    with under([*GRANTS.values()]) as allowed:
        found = lines(allowed)
    assert [line for line in found if line.status != "ok"] == []
    assert len(found) == 14


@pytest.mark.usefixtures("keys")
@pytest.mark.parametrize("taken", enumerated(GRANTS, ["s3:PutObject YOUR-BUCKET/runs/*"]))
def test_each_permission_that_is_missing_is_named(taken: str) -> None:
    gone = GRANTS[taken]
    with under([one for one in GRANTS.values() if one != gone]) as allowed:
        found = [line for line in lines(allowed) if line.status != "ok"]
    print(taken, *(f"  {line.status} {line.check}: {line.text}" for line in found), sep="\n")  # noqa: T201
    red = [line for line in found if line.is_red]
    prefix = gone.resource.partition("/")[2].removesuffix("*")
    if gone.action == "s3:ListBucket":
        assert [line.check for line in red] == ["lake: list raw/"]
        assert len(found) == 14  # all others need it
    else:
        kind = {"s3:GetObject": "read", "s3:PutObject": "write"}[gone.action]
        assert [line.check for line in found] == [f"lake: {kind} {prefix}*"]
    for line in red:
        assert (line.status, gone.action in line.text) == ("missing", True)
        assert line.text.endswith("[LAKE_DENIED]")


class Careless:
    """A store that ignores conditions."""

    def __init__(self, lake: Lake) -> None:
        self._client = lake._client  # noqa: SLF001 - the only way to its client
        self.meta = self._client.meta

    def put_object(self, **options: Any) -> Any:
        """Writes in any case."""
        del options["IfMatch"]
        return self._client.put_object(**options)


def test_a_store_that_ignores_conditions_is_refused(lake: Lake) -> None:
    careless = Lake(Careless(lake), lake.bucket)  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"was written: delete it.*\[LAKE_NO_CONDITIONAL_WRITES\]"):
        careless.check_write_permission("raw/preflight/x")
    assert list(lake.keys("")) == ["raw/preflight/x"]
