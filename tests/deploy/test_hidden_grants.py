"""Checks of grants: grants that the role cannot see are skipped; an unknown form of GRANT is an error."""

from typing import Any

import pytest

from deploy import account_grants as module
from deploy.account_grants import account_grants, grant_statements
from deploy.preflight.warehouse_grant_checks import check_grants
from pipeline.errors import Code, ConfigurationError
from pipeline.preflight.checks import Checklist
from pipeline.warehouse.snowflake_errors import Place
from sandbox.account_objects import statements


class Hiding:
    """A session in which SHOW GRANTS returns no rows, or is refused with `code`."""

    place = Place("account", "SPOTIFY_LOADER", "SPOTIFY", "PLAYLISTS")

    def __init__(self, code: Code | None) -> None:
        self.code = code

    def rows(self, *_: Any, **__: Any) -> list[dict[str, Any]]:
        """Rows of any statement."""
        if self.code:
            raise ConfigurationError("refused", self.code)
        return []


@pytest.mark.parametrize("code", [None, Code.SNOWFLAKE_NOT_FOUND, Code.SNOWFLAKE_DENIED])
def test_a_grant_that_the_role_cannot_see_is_skipped(code: Code | None) -> None:
    checks, session = Checklist(), Hiding(code)
    hiding: Any = session
    check_grants(checks, hiding, account_grants({}), [])
    assert {line.status for line in checks.lines} == {"skipped"}
    assert all("SPOTIFY_LOADER" in line.text or "needs" in line.text for line in checks.lines)


def test_every_grant_of_the_file_is_checked() -> None:
    sent = statements("create_account_objects", tables_url="", role_arn="", external_id="")
    grants = [" ".join(one.split()) for one in sent if one.startswith("GRANT")]
    assert list(grant_statements()) == grants
    assert len(account_grants({})) == len(grants) > 20
    assert len({str(one) for one in account_grants({})}) == len(grants)


def test_an_unknown_form_of_grant_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        module, "grant_statements", lambda: ["GRANT SELECT ON ALL TABLES IN SCHEMA s TO ROLE r"]
    )
    with pytest.raises(ValueError, match="preflight cannot parse this GRANT"):
        account_grants({})
