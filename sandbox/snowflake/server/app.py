"""The HTTP application: routes, queries, heartbeats and logout."""

import gzip
import json
import logging
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from fakesnow.server import query_request, routes, sessions
from fakesnow.server import session as heartbeat
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.snowflake import errors
from sandbox.snowflake.pipes import controls
from sandbox.snowflake.pipes.ingest import Ingest
from sandbox.snowflake.server import arrow_results
from sandbox.snowflake.server.login import open_session
from sandbox.snowflake.server.refusal import refusal
from sandbox.snowflake.server.repeated_requests import RepeatedRequests
from sandbox.snowflake.state.account import Account
from sandbox.snowflake.state.session import Session, Sessions
from sandbox.snowflake.statements import rewrite_cache
from sandbox.snowflake.statements.cursor import Cursor

MAX_REQUEST_BYTES = 1_000_000
"""Snowflake documents a maximum of 1 MB for a compressed statement with its values, but may accept more."""
MAX_LOCK_WAIT_S = 50.0
"""Shorter than the 60 seconds after which the connector stops waiting for a response."""
OWN_PATHS = {"/session", "/session/v1/login-request", "/queries/v1/query-request"}

arrow_results.install()
rewrite_cache.install()
warnings.filterwarnings("ignore", "Arrow output on a DB-API result")
logging.getLogger("sqlglot").setLevel(logging.ERROR)
logging.getLogger("fakesnow").setLevel(logging.WARNING)
logging.getLogger("fakesnow.server").setLevel(logging.CRITICAL)  # errors are returned to the client


def create_app(
    s3_endpoint: str,
    idle_abort: float = 5.0,
    max_lock_wait: float = MAX_LOCK_WAIT_S,
    pipe_delay: float = 0.0,
) -> Starlette:
    """Returns the ASGI app of a new, empty account.

    `idle_abort`: seconds after which an idle transaction that blocks another is rolled back.
    `max_lock_wait`: maximum wait for a lock in seconds, even if LOCK_TIMEOUT is longer.
    `pipe_delay`: seconds between the event of a new file and its load by pipes; see pipes/controls.py.
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
        return await run_in_threadpool(open_session, opened, request.query_params, await _body(request))

    async def session(request: Request) -> JSONResponse:
        return await _session(opened, request)

    own: list[BaseRoute] = [
        Route("/session/v1/login-request", login, methods=["POST"]),
        Route("/session", session, methods=["POST"]),
        Route("/queries/v1/query-request", _query, methods=["POST"]),
        *controls.routes(account),
    ]
    stock = [route for route in routes if route.path not in OWN_PATHS]
    return Starlette(routes=[*own, *stock], middleware=[Middleware(RepeatedRequests)], lifespan=lifespan)


async def _body(request: Request) -> dict[str, Any]:
    body = await request.body()
    if request.headers.get("Content-Encoding") == "gzip":
        body = gzip.decompress(body)
    content: dict[str, Any] = json.loads(body)
    return content


async def _session(opened: Sessions, request: Request) -> JSONResponse:
    """Handles a heartbeat, or ends the session."""
    if not request.query_params.get("delete"):
        return await heartbeat(request)
    session = sessions.pop(_token(request), None)
    if isinstance(session, Session):
        await run_in_threadpool(opened.close, session)
    return JSONResponse({"data": None, "code": None, "message": None, "success": True})


def _token(request: Request) -> str:
    return request.headers.get("Authorization", "").removeprefix('Snowflake Token="').removesuffix('"')


async def _query(request: Request) -> Response:
    """Runs a query; errors of fakesnow are returned as errors that the connector does not retry."""
    if int(request.headers.get("Content-Length", 0)) > MAX_REQUEST_BYTES:
        return PlainTextResponse("Request Entity Too Large", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
    try:
        response = await query_request(request)
    except Exception as error:  # noqa: BLE001
        return refusal(errors.translate(error))
    if response.status_code == 500:  # noqa: PLR2004
        return refusal(errors.not_emulated(f"this: {json.loads(bytes(response.body))['message']}"))
    return response
