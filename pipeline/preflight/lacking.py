"""Error of a missing privilege, with the GRANT statement that fixes it."""

from pipeline.errors import Code, ConfigurationError
from pipeline.warehouse.session import Session

HIDDEN = (Code.SNOWFLAKE_NOT_FOUND, Code.SNOWFLAKE_DENIED)
"""Codes of objects that do not exist or that the role may not see."""


def full_name(session: Session, name: str) -> str:
    """Name of an object with database and schema."""
    return f"{session.place.database}.{session.place.schema}.{name.upper()}"


def lacks(
    session: Session, privilege: str, thing: str, code: Code = Code.SNOWFLAKE_DENIED
) -> ConfigurationError:
    """The error of a missing privilege on `thing`, for example `TABLE SPOTIFY.PLAYLISTS.LOADS`."""
    role = session.place.role
    message = (
        f"role {role} lacks {privilege} on {thing}, or it does not exist. "
        f"GRANT {privilege} ON {thing} TO ROLE {role}; if it was dropped, UNDROP it, "
        "or DELETE FROM schema_versions lets the next run create it"
    )
    return ConfigurationError(message, code)
