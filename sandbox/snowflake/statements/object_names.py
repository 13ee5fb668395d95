"""Names and kinds of objects as statements write them."""

import re

from sandbox.snowflake import errors
from sandbox.snowflake.state.grants import IN_SCHEMA, PLURALS, PRIVILEGES, Thing

NAME = r"(?:\"[^\"]+\"|[\w$]+)(?:\.(?:\"[^\"]+\"|[\w$]+))*"
KINDS = {**{kind: kind for kind in PRIVILEGES}, **{plural: kind for kind, plural in PLURALS.items()}}
Place = tuple[str | None, ...]
"""The session's database and schema, which names without them mean."""


def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern as statements are matched: whatever the case, on any number of lines."""
    return re.compile(pattern, re.IGNORECASE | re.DOTALL)


def parts(name: str, place: Place = ()) -> tuple[str, ...]:
    """A name's parts in capitals, with those of the place in front where they are missing."""
    found = tuple(part.strip('"').upper() for part in re.findall(r'"[^"]+"|[\w$]+', name))
    return (*(str(part) for part in place[: len(place) + 1 - len(found)]), *found) if place else found


def thing(kind: str, name: str, place: Place) -> Thing:
    """An object by its name as it is written; without a name, the one that the place is in."""
    if not name:
        return Thing(kind, tuple(str(part) for part in place[: {"DATABASE": 1, "SCHEMA": 2}.get(kind, 0)]))
    if kind in IN_SCHEMA:
        return Thing(kind, parts(name, place))
    return Thing(kind, parts(name, place[:1]) if kind == "SCHEMA" else parts(name))


def known_kind(text: str | None) -> str:
    """The kind of object; raises for one that the stand-in does not know."""
    kind = KINDS.get(" ".join((text or "").upper().split()))
    if kind is None:
        raise errors.failure(1003, "42000", f"SQL compilation error:\nunknown kind of object '{text}'.")
    return kind


def known_privileges(text: str, kind: str) -> set[str]:
    """The privileges; raises for one that objects of this kind do not have."""
    wanted = {" ".join(one.upper().split()) for one in text.split(",")}
    if wanted <= {"ALL", "ALL PRIVILEGES"}:
        return set(PRIVILEGES[kind])
    if unknown := wanted - PRIVILEGES[kind] - {"OWNERSHIP"}:
        message = f"SQL compilation error:\nprivilege '{min(unknown)}' does not exist for {kind}."
        raise errors.failure(1003, "42000", message)
    return wanted
