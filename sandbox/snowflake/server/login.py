"""Login: checks the credentials, opens a session and returns its data to the connector."""

import secrets
from base64 import b64decode
from typing import Any
from uuid import uuid4

import jwt
from cryptography.hazmat.primitives.serialization import load_der_public_key
from fakesnow.expr import normalise_ident
from fakesnow.server import sessions
from fakesnow.transforms import SERVER_VERSION
from snowflake.connector.errors import ProgrammingError
from starlette.responses import JSONResponse

from sandbox.snowflake import errors
from sandbox.snowflake.server.refusal import refusal
from sandbox.snowflake.state.grants import Grants, Securable
from sandbox.snowflake.state.session import Session, Sessions
from sandbox.snowflake.statements.session_statements import set_parameter

PASSWORD_WRONG, TOKEN_INVALID, ROLE_NOT_GRANTED, ROLE_UNKNOWN = 390100, 390144, 390186, 390189
OTHER_ROLE_HINT = (
    "Contact your local system administrator, or attempt to login with another role, e.g. PUBLIC."
)


def open_session(opened: Sessions, query: Any, body: dict[str, Any]) -> JSONResponse:
    """Opens a session if the user exists and the role is granted to the user."""
    grants, data = opened.account.grants, body["data"]
    user = normalise_ident(data.get("LOGIN_NAME") or "")
    try:
        _authenticate(grants, user, data)
        role = _role(grants, user, query.get("roleName"))
    except ProgrammingError as error:
        return refusal(error)
    database, schema = opened.account.namespace(query.get("databaseName"), query.get("schemaName"))
    if database and not grants.allows(role, ("USAGE",), Securable("DATABASE", (database,))):
        database = schema = None  # Snowflake ignores it without an error, like unknown names
    if database and schema and not grants.allows(role, ("USAGE",), Securable("SCHEMA", (database, schema))):
        schema = None
    session = opened.open(database, schema)
    session.role, session.user = role, user
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


def _authenticate(grants: Grants, user: str, data: dict[str, Any]) -> None:
    """Raises for an unknown user, a password login that is not allowed, or a wrong signature of a token."""
    known = grants.users.get(user)
    if data.get("AUTHENTICATOR") == "SNOWFLAKE_JWT":
        keys = known.keys.values() if known else ()
        if not any(_has_signed(key, data.get("TOKEN") or "") for key in keys):
            raise errors.failure(TOKEN_INVALID, "08001", f"JWT token is invalid. [{uuid4()}]")
    elif known is None or not known.password:
        raise errors.failure(PASSWORD_WRONG, "08001", "Incorrect username or password was specified.")


def _has_signed(public_key: str, token: str) -> bool:
    try:
        key: Any = load_der_public_key(b64decode(public_key))
        jwt.decode(token, key, algorithms=["RS256"])
    except (ValueError, jwt.InvalidTokenError):
        return False
    return True


def _role(grants: Grants, user: str, wanted: str | None) -> str:
    """The requested role or the user's default role; raises if it is not granted to the user."""
    role = normalise_ident(wanted or grants.users[user].default_role)
    named = f"Role '{role}' specified in the connect string"
    if role not in grants.roles:
        message = f"{named} does not exist or not authorized. {OTHER_ROLE_HINT}"
        raise errors.failure(ROLE_UNKNOWN, "08001", message)
    if not grants.may_be(user, role):
        raise errors.failure(
            ROLE_NOT_GRANTED, "08001", f"{named} is not granted to this user. {OTHER_ROLE_HINT}"
        )
    return role


def _login_data(session: Session, token: str) -> dict[str, Any]:
    parameters = {
        "AUTOCOMMIT": session.autocommits,
        "TIMEZONE": "Etc/UTC",
        "CLIENT_SESSION_KEEP_ALIVE_HEARTBEAT_FREQUENCY": 3600,
        "CLIENT_STAGE_ARRAY_BINDING_THRESHOLD": 0,  # sends bound arrays inline, because PUT is not emulated
        "CLIENT_TELEMETRY_ENABLED": False,
    }
    return {
        "token": token,
        "masterToken": token,  # without it the connector does not log out
        "serverVersion": SERVER_VERSION,
        "parameters": [{"name": name, "value": value} for name, value in parameters.items()],
        "sessionInfo": {
            "databaseName": session.database,
            "schemaName": session.schema,
            "warehouseName": session.warehouse,
            "roleName": session.role,
        },
    }
