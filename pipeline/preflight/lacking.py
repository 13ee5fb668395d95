"""What a role lacks, as an error with the statement that grants it."""

from pipeline.errors import Code, ConfigurationError
from pipeline.warehouse.session import Session

HIDDEN = (Code.SNOWFLAKE_NOT_FOUND, Code.SNOWFLAKE_DENIED)
"""Codes of objects that are not there, or that the role may not see."""


def full_name(session: Session, name: str) -> str:
    """An object of the schema, with its database."""
    return f"{session.place.database}.{session.place.schema}.{name.upper()}"


def lacks(
    session: Session, privilege: str, thing: str, code: Code = Code.SNOWFLAKE_DENIED
) -> ConfigurationError:
    """The error of a privilege on `TABLE SPOTIFY.PLAYLISTS.LOADS`, say, which may be missing itself."""
    role = session.place.role
    message = (
        f"role {role} lacks {privilege} on {thing}, or it does not exist. "
        f"GRANT {privilege} ON {thing} TO ROLE {role}; if it was dropped, UNDROP it, "
        "or DELETE FROM schema_versions lets the next run create it"
    )
    return ConfigurationError(message, code)
