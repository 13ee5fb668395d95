"""The HTTP server: login, queries, logout."""

import gzip
import json
import logging
import secrets
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fakesnow.expr import normalise_ident
from fakesnow.server import query_request, routes, sessions
from fakesnow.server import session as heartbeat
from fakesnow.transforms import SERVER_VERSION
from snowflake.connector.errors import ProgrammingError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import BaseRoute, Route

from sandbox.snowflake import answers, errors, pipe_controls, remembered
from sandbox.snowflake.account import Account
from sandbox.snowflake.cursor import Cursor
from sandbox.snowflake.ingest import Ingest
from sandbox.snowflake.once import Once
from sandbox.snowflake.parameters import set_parameter
from sandbox.snowflake.session import Session, Sessions

MAX_LOCK_WAIT = 50.0  # seconds: the connector gives up on a silent answer after 60
ROLE_UNKNOWN = 390189
OWN_PATHS = {"/session", "/session/v1/login-request", "/queries/v1/query-request"}

answers.install()
remembered.install()
warnings.filterwarnings("ignore", "Arrow output on a DB-API result")
logging.getLogger("sqlglot").setLevel(logging.ERROR)
logging.getLogger("fakesnow").setLevel(logging.WARNING)
logging.getLogger("fakesnow.server").setLevel(logging.CRITICAL)  # failures go to the client, not to the log


def create_app(
    s3_endpoint: str,
    idle_abort: float = 5.0,
    max_lock_wait: float = MAX_LOCK_WAIT,
    pipe_delay: float = 0.0,
) -> Starlette:
    """Return the ASGI app of a new, empty account.

    `idle_abort`: seconds after which an idle transaction that blocks another is rolled back.
    `max_lock_wait`: seconds that a statement waits for a lock at most, whatever its LOCK_TIMEOUT.
    `pipe_delay`: seconds between the event of a file and its loading by pipes; see pipe_controls.
    """
    account = Account(s3_endpoint, idle_abort, max_lock_wait, pipe_delay)
    opened = Sessions(account, Cursor)
    ingest = Ingest(opened)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        ingest.start()
        yield
        await run_in_threadpool(ingest.stop)

    async def login(request: Request) -> JSONResponse:
        return await run_in_threadpool(_login, opened, request.query_params, await _body(request))

    async def session(request: Request) -> JSONResponse:
        return await _session(opened, request)

    own: list[BaseRoute] = [
        Route("/session/v1/login-request", login, methods=["POST"]),
        Route("/session", session, methods=["POST"]),
        Route("/queries/v1/query-request", _query, methods=["POST"]),
        *pipe_controls.routes(account),
    ]
    stock = [route for route in routes if route.path not in OWN_PATHS]
    return Starlette(routes=[*own, *stock], middleware=[Middleware(Once)], lifespan=lifespan)


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    content: dict[str, Any] = json.loads(body)
    return content


def _login(opened: Sessions, query: Any, body: dict[str, Any]) -> JSONResponse:
    """Open a session; credentials are not checked."""
    role = normalise_ident(query.get("roleName") or "PUBLIC")
    if role not in opened.account.roles:
        message = (
            f"Role '{role}' specified in the connect string does not exist or not authorized. Contact your "
            "local system administrator, or attempt to login with another role, e.g. PUBLIC."
        )
        return _refusal(errors.failure(ROLE_UNKNOWN, "08001", message))
    session = opened.open(query.get("databaseName"), query.get("schemaName"))
    session.role, session.user = role, normalise_ident(body["data"].get("LOGIN_NAME") or "")
    session.warehouse = normalise_ident(query["warehouse"]) if query.get("warehouse") else None
    try:
        for name, value in (body["data"].get("SESSION_PARAMETERS") or {}).items():
            set_parameter(session, name, str(value))
    except ProgrammingError as error:
        opened.close(session)
        return _refusal(error)
    token = secrets.token_urlsafe(32)
    sessions[token] = session
    return JSONResponse({"success": True, "data": _login_answer(session, token)})


def _login_answer(session: Session, token: str) -> dict[str, Any]:
    parameters = {
        "AUTOCOMMIT": session.commits_itself,
        "TIMEZONE": "Etc/UTC",
        "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
        "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,  # bind arrays inline: there is no PUT
        "CLIENT_TELEMETRY_ENABLED": False,
    }
    return {
        "token": token,
        "masterToken": token,  # without one the connector does not log out
        "serverVersion": SERVER_VERSION,
        "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.warehouse,
            "roleName": session.role,
        },
    }


async def _session(opened: Sessions, request: Request) -> JSONResponse:
    """Answer a heartbeat, or end the session."""
    if not request.query_params.get("delete"):
        return await heartbeat(request)
    session = sessions.pop(_token(request), None)
    if isinstance(session, Session):
        await run_in_threadpool(opened.close, session)
    return JSONResponse({"data": None, "code": None, "message": None, "success": True})


def _token(request: Request) -> str:
    return request.headers.get("Authorization", "").removeprefix('Snowflake Token="').removesuffix('"')


async def _query(request: Request) -> JSONResponse:
    """Run a query; what fakesnow cannot answer becomes an error that the connector does not retry."""
    try:
        answer = await query_request(request)
    except Exception as error:  # noqa: BLE001
        return _refusal(errors.translate(error))
    if answer.status_code == 500:  # noqa: PLR2004
        return _refusal(errors.not_emulated(f"this: {json.loads(bytes(answer.body))['message']}"))
    return answer


def _refusal(error: ProgrammingError) -> JSONResponse:
    code = f"{error.errno:06d}"
    data = {"errorCode": code, "sqlState": error.sqlstate}
    return JSONResponse({"data": data, "code": code, "message": error.raw_msg, "success": False})
