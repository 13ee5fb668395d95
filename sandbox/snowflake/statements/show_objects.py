"""SHOW … LIKE for databases, schemas, warehouses, integrations, roles and users; DESC USER."""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha256

from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.state.session import Session
from sandbox.snowflake.statements.object_names import NAME, parts

SHOW = (
    r"SHOW\s+(?P<kinds>DATABASES|SCHEMAS|WAREHOUSES|INTEGRATIONS|ROLES|USERS)\s+LIKE\s+'(?P<like>[^']*)'"
    rf"(?:\s+IN\s+DATABASE\s+(?P<database>{NAME}))?$"
)
DESCRIBE_USER = rf"DESC(?:RIBE)?\s+USER\s+(?P<name>{NAME})$"


def show(session: Session, match: re.Match[str]) -> str:
    """Returns SQL for the names of the objects that the role may see."""
    kind, grants = match["kinds"].upper().removesuffix("S"), session.account.grants
    inside = parts(match["database"]) if match["database"] else ()
    if inside and not session.account.schema_exists(inside[0], "MAIN"):
        raise errors.cannot_be_performed()
    like = re.escape(match["like"]).replace("%", ".*").replace("_", ".")
    names = [
        (one.name[-1],)
        for one in grants.owners
        if one.kind == kind
        and one.name[: len(inside)] == inside
        and re.fullmatch(like, one.name[-1], re.IGNORECASE)
        and grants.sees(session.role, one)
    ]
    return _rows(sorted(names), ("name",))


def describe_user(session: Session, match: re.Match[str]) -> str:
    """Returns SQL for the emulated properties of a user."""
    (name,) = parts(match["name"])
    user = session.account.grants.users.get(name)
    if user is None:
        raise errors.does_not_exist("User", name)
    keys = {slot: user.keys.get(slot) for slot in ("RSA_PUBLIC_KEY", "RSA_PUBLIC_KEY_2")}
    prints = {f"{slot}_FP": _fingerprint(key) if key else "null" for slot, key in keys.items()}
    return _rows(
        [("NAME", name), ("DEFAULT_ROLE", user.default_role), *prints.items()], ("property", "value")
    )


def _fingerprint(key: str) -> str:
    return f"SHA256:{b64encode(sha256(b64decode(key)).digest()).decode()}"


def _rows(rows: Sequence[tuple[str, ...]], columns: tuple[str, ...]) -> str:
    if not rows:
        return "SELECT " + ", ".join(f"'' AS \"{name}\"" for name in columns) + " WHERE 1 = 0"
    return exp.select("*").from_(exp.values(rows, alias="t", columns=columns)).sql("snowflake", identify=True)
