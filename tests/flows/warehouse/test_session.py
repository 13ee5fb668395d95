"""What a session is set to, whatever account and user have set."""

import pytest
from snowflake.connector import errors

from flows.errors import Transient
from tests.warehouses import Warehouse


def test_a_session_is_set_as_loads_need_it(warehouse: Warehouse) -> None:
    with warehouse.session("the-run", autocommit=False) as session:
        found = session._connection._session_parameters  # noqa: SLF001 - what was sent at login
    assert (
        found.items()
        >= {
            "LOCK_TIMEOUT": 15,
            "ABORT_DETACHED_QUERY": True,
            "AUTOCOMMIT": False,
            "DATE_INPUT_FORMAT": "AUTO",
            "TIMESTAMP_INPUT_FORMAT": "AUTO",
            "QUERY_TAG": "spotify-playlist-pipeline the-run",
        }.items()
    )


@pytest.mark.parametrize(
    ("errno", "says"),
    [
        (604, r"did not finish COMMIT in time: .*canceled\. If .*SNOWFLAKE_NETWORK_TIMEOUT"),
        (615, "did not finish COMMIT: "),
    ],
)
def test_a_statement_that_snowflake_has_ended_may_be_repeated(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, errno: int, says: str
) -> None:
    def end(*_: object) -> None:
        raise errors.ProgrammingError(msg="canceled.", errno=errno, sqlstate="57014")

    with warehouse.session("the-run") as session:
        monkeypatch.setattr(session._cursor, "execute", end)  # noqa: SLF001 - the stand-in is not that slow
        with pytest.raises(Transient, match=says):
            session.commit()
