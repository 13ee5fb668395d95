"""What a session is set to, whatever account and user have set."""

from dataclasses import replace
from threading import Event
from time import monotonic
from traceback import format_exception

import pytest
from snowflake.connector import errors

from flows.errors import ConfigurationError, StopRun, Transient
from flows.warehouse.session import Session
from tests.faults.injected import TRICKLE
from tests.faults.labels import Label
from tests.faults.proxy import Traffic, proxies
from tests.places import Place
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


def test_a_login_whose_response_trickles_is_given_up(warehouse: Warehouse) -> None:
    traffic, login = Traffic(), Label("snowflake", "login", 1)
    traffic.reset(login, TRICKLE)
    with proxies(warehouse.place.addresses, traffic) as proxied:
        behind = replace(warehouse, place=Place(proxied, warehouse.place.name))
        start = monotonic()
        with (
            pytest.raises(Transient, match=r"response did not end within 1 s\. Run again .*UNAVAILABLE"),
            behind.session().limited(1.0),
        ):
            pass
        assert monotonic() - start < 10
        assert traffic.fired == [login]


def test_a_statement_without_end_is_given_up_and_the_session_still_ends(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse.session(autocommit=False) as session:
        session.begin()
        session.execute("load/lock_writer", ("the-run",))
        with monkeypatch.context() as patched:
            patched.setattr(Session, "_fetch", lambda *_: Event().wait())
            with pytest.raises(Transient, match=r"response to COMMIT did not end within 0\.2 s.*SLOW\]"):
                session.limited(0.2).commit()
        session.limited(30).rollback()
    with warehouse.session(autocommit=False) as session:
        assert session.execute("load/lock_writer", ("another-run",)) is not None
        session.rollback()


ECHO = 'POST /session\n"TOKEN": "eyJhbGciOiJSUzI1NiJ9.canary"\nAuthorization: Snowflake Token="canary"\n' * 30


def test_what_is_said_in_place_of_snowflake_is_short_and_leaves_no_traceback(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise errors.DatabaseError(msg=ECHO, errno=390100, sqlstate="28000")

    with warehouse.session("the-run") as session, monkeypatch.context() as patched:
        patched.setattr(session._cursor, "execute", refuse)  # noqa: SLF001 - the stand-in repeats nothing
        with pytest.raises(StopRun, match="refused COMMIT") as statement:
            session.commit()
    monkeypatch.setattr(Session, "_log_in", refuse)
    with pytest.raises(ConfigurationError, match="no session") as login, warehouse.session():
        pass
    for info in (statement, login):
        shown = "".join(format_exception(info.value))
        assert "***" in shown
        assert "canary" not in shown
        assert len(str(info.value)) < 600
        assert str(info.value).isprintable()
