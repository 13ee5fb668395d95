"""Snowflake sessions: parameters set at login, statement errors, deadlines, and proxies."""

import logging
from dataclasses import replace
from http import HTTPStatus
from threading import Event
from time import monotonic
from traceback import format_exception

import pytest
from snowflake.connector import errors
from snowflake.connector.time_util import TimeoutBackoffCtx
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import Receive, Scope, Send

from pipeline.errors import Code, ConfigurationError, PipelineError, StopRun, Transient
from pipeline.log_filters import mask_secrets_in_logs
from pipeline.warehouse.session import Session
from sandbox.services import Addresses
from tests.faults.injected import TRICKLE
from tests.faults.labels import Label
from tests.faults.proxy import Traffic, proxies
from tests.places import Place
from tests.serving import running
from tests.warehouses import Warehouse


def test_a_session_sets_the_parameters_that_loads_need(warehouse: Warehouse) -> None:
    with warehouse.session("the-run", autocommit=False) as session:
        found = session._connection._session_parameters  # noqa: SLF001 - the parameters sent at login
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
    ("errno", "message"),
    [
        (604, r"did not finish COMMIT in time: .*canceled\. If .*SNOWFLAKE_NETWORK_TIMEOUT"),
        (630, r"did not finish COMMIT in time: .*canceled\. If .*SNOWFLAKE_NETWORK_TIMEOUT"),
        (615, "did not finish COMMIT: "),
    ],
)
def test_a_statement_canceled_by_snowflake_is_transient(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, errno: int, message: str
) -> None:
    def end(*_: object) -> None:
        raise errors.ProgrammingError(msg="canceled.", errno=errno, sqlstate="57014")

    with warehouse.session("the-run") as session:
        monkeypatch.setattr(session._cursor, "execute", end)  # noqa: SLF001 - the stand-in is not that slow
        with pytest.raises(Transient, match=message):
            session.commit()


def test_a_login_whose_response_trickles_ends_at_its_deadline(warehouse: Warehouse) -> None:
    traffic, login = Traffic(), Label("snowflake", "login", 1)
    traffic.reset(login, TRICKLE)
    with proxies(warehouse.place.addresses, traffic) as proxied:
        through_proxy = replace(warehouse, place=Place(proxied, warehouse.place.name))
        start = monotonic()
        with (
            pytest.raises(Transient, match=r"response did not end within 1 s\. Run again .*UNAVAILABLE"),
            through_proxy.session().limited(1.0),
        ):
            pass
        assert monotonic() - start < 10
        assert traffic.fired == [login]


def test_a_statement_that_never_ends_hits_its_deadline_and_the_session_can_roll_back(
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


def test_echoed_requests_are_shortened_and_masked_in_messages_and_tracebacks(
    warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise errors.DatabaseError(msg=ECHO, errno=390100, sqlstate="28000")

    with warehouse.session("the-run") as session, monkeypatch.context() as patched:
        patched.setattr(session._cursor, "execute", refuse)  # noqa: SLF001 - the stand-in echoes nothing
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


@pytest.mark.parametrize("refused", ["login", "query"])
@pytest.mark.parametrize("status", [401, 403, 407, 413, 503])
def test_a_refusal_by_a_proxy_is_final_and_logs_no_warnings_of_the_connector(
    refused: str,
    status: int,
    addresses: Addresses,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fired = []

    async def proxy(scope: Scope, receive: Receive, send: Send) -> None:
        response: Response = JSONResponse(LOGGED_IN)
        if f"/{refused}-request" in scope["path"] or f"/{refused}/" in scope["path"]:
            fired.append(scope["path"])
            response = PlainTextResponse("refused", status)
        await response(scope, receive, send)

    mask_secrets_in_logs()
    monkeypatch.setattr(TimeoutBackoffCtx, "should_retry", False)  # otherwise the connector retries for 30 s
    with running(proxy) as url, caplog.at_level(logging.INFO):
        through_proxy = Warehouse(Place(replace(addresses, snowflake=url), "NOWHERE"))
        with pytest.raises(PipelineError) as error, through_proxy.session() as session:
            session.commit()
    assert fired
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        assert isinstance(error.value, Transient)
    else:
        assert isinstance(error.value, ConfigurationError)
        assert error.value.code == {"login": Code.SNOWFLAKE_LOGIN, "query": Code.SNOWFLAKE_REFUSED}[refused]
        too_large = refused == "query" and status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        assert ("load fewer dates" if too_large else "proxy or firewall") in error.value.message
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


LOGGED_IN = {
    "data": {"token": "t", "masterToken": "m", "parameters": [], "sessionInfo": {}, "sessionId": 1},
    "success": True,
}
