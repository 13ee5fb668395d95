"""Login: which session it opens, and what the connector learns of it."""

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
from sandbox.snowflake.state.grants import Grants, Thing
from sandbox.snowflake.state.session import Session, Sessions
from sandbox.snowflake.statements.session_statements import set_parameter

PASSWORD_WRONG, TOKEN_INVALID, ROLE_NOT_GRANTED, ROLE_UNKNOWN = 390100, 390144, 390186, 390189
ANOTHER = "Contact your local system administrator, or attempt to login with another role, e.g. PUBLIC."


def open_session(opened: Sessions, query: Any, body: dict[str, Any]) -> JSONResponse:
    """Opens a session for a user who is known, with a role that is granted to them."""
    grants, data = opened.account.grants, body["data"]
    user = normalise_ident(data.get("LOGIN_NAME") or "")
    try:
        _authenticate(grants, user, data)
        role = _role(grants, user, query.get("roleName"))
    except ProgrammingError as error:
        return refusal(error)
    database, schema = opened.account.namespace(query.get("databaseName"), query.get("schemaName"))
    if database and not grants.allows(role, ("USAGE",), Thing("DATABASE", (database,))):
        database = schema = None  # dropped without an error, like names that do not exist
    if database and schema and not grants.allows(role, ("USAGE",), Thing("SCHEMA", (database, schema))):
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
    """Raises for a user who is not known, or whose token no registered key has signed."""
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
    """The role of the connect string, else the user's default; raises for one that is not granted."""
    role = normalise_ident(wanted or grants.users[user].default_role)
    named = f"Role '{role}' specified in the connect string"
    if role not in grants.roles:
        message = f"{named} does not exist or not authorized. {ANOTHER}"
        raise errors.failure(ROLE_UNKNOWN, "08001", message)
    if not grants.may_be(user, role):
        raise errors.failure(ROLE_NOT_GRANTED, "08001", f"{named} is not granted to this user. {ANOTHER}")
    return role


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
