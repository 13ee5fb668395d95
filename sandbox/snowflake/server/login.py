"""Login: which session it opens, and what the connector learns of it."""

import secrets
from typing import Any

from fakesnow.expr import normalise_ident
from fakesnow.server import sessions
from fakesnow.transforms import SERVER_VERSION
from snowflake.connector.errors import ProgrammingError
from starlette.responses import JSONResponse

from sandbox.snowflake import errors
from sandbox.snowflake.server.refusal import refusal
from sandbox.snowflake.state.session import Session, Sessions
from sandbox.snowflake.statements.session_statements import set_parameter

ROLE_UNKNOWN = 390189


def open_session(opened: Sessions, query: Any, body: dict[str, Any]) -> JSONResponse:
    """Opens a session; credentials are not checked."""
    role = normalise_ident(query.get("roleName") or "PUBLIC")
    if role not in opened.account.roles:
        message = (
            f"Role '{role}' specified in the connect string does not exist or not authorized. Contact your "
            "local system administrator, or attempt to login with another role, e.g. PUBLIC."
        )
        return refusal(errors.failure(ROLE_UNKNOWN, "08001", message))
    session = opened.open(query.get("databaseName"), query.get("schemaName"))
    session.role, session.user = role, normalise_ident(body["data"].get("LOGIN_NAME") or "")
    session.warehouse = normalise_ident(query["warehouse"]) if query.get("warehouse") else None
    try:
        for name, value in (body["data"].get("SESSION_PARAMETERS") or {}).items():
            set_parameter(session, name, str(value))
    except ProgrammingError as error:
        opened.close(session)
        return refusal(error)
    token = secrets.token_urlsafe(32)
    sessions[token] = session
    return JSONResponse({"success": True, "data": _login_data(session, token)})


def _login_data(session: Session, token: str) -> dict[str, Any]:
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
