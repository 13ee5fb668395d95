"""Parses names and kinds of objects in statements."""

import re

from sandbox.snowflake import errors
from sandbox.snowflake.state.grants import IN_SCHEMA, PLURALS, PRIVILEGES, Securable

NAME = r"(?:\"[^\"]+\"|[\w$]+)(?:\.(?:\"[^\"]+\"|[\w$]+))*"
KINDS = {**{kind: kind for kind in PRIVILEGES}, **{plural: kind for kind, plural in PLURALS.items()}}
Place = tuple[str | None, ...]
"""Current database and schema of the session, the defaults of unqualified names."""


def compiled(pattern: str) -> re.Pattern[str]:
    """Compiles a pattern for statements: case-insensitive, and `.` matches line breaks."""
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def parts(name: str, place: Place = ()) -> tuple[str, ...]:
    """Returns the parts of a name in upper case; missing parts are those of `place`."""
    found = tuple(part.strip('"').upper() for part in re.findall(r'"[^"]+"|[\w$]+', name))
    return (*(str(part) for part in place[: len(place) + 1 - len(found)]), *found) if place else found


def securable(kind: str, name: str, place: Place) -> Securable:
    """Returns the object with this name; without a name, the current database or schema in `place`."""
    if not name:
        return Securable(
            kind, tuple(str(part) for part in place[: {"DATABASE": 1, "SCHEMA": 2}.get(kind, 0)])
        )
    if kind in IN_SCHEMA:
        return Securable(kind, parts(name, place))
    return Securable(kind, parts(name, place[:1]) if kind == "SCHEMA" else parts(name))


def known_kind(text: str | None) -> str:
    """Returns the kind of object, in the singular; raises for an unknown kind."""
    kind = KINDS.get(" ".join((text or "").upper().split()))
    if kind is None:
        raise errors.failure(1003, "42000", f"SQL compilation error:\nunknown kind of object '{text}'.")
    return kind


def known_privileges(text: str, kind: str) -> set[str]:
    """Returns the privileges; raises for a privilege that this kind of object does not have."""
    wanted = {" ".join(one.upper().split()) for one in text.split(",")}
    if wanted <= {"ALL", "ALL PRIVILEGES"}:
        return set(PRIVILEGES[kind])
    if unknown := wanted - PRIVILEGES[kind] - {"OWNERSHIP"}:
        message = f"SQL compilation error:\nprivilege '{min(unknown)}' does not exist for {kind}."
        raise errors.failure(1003, "42000", message)
    return wanted
