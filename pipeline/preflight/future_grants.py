"""Checks before the first set-up: the loader's grants on future objects of the schema."""

from functools import partial

from pipeline.errors import Code, ConfigurationError, PipelineError
from pipeline.lake.layout import LoadMode
from pipeline.preflight.checks import Checklist, NotVisible
from pipeline.preflight.lacking import HIDDEN
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier

WANTED = {
    "TABLE": ("SELECT", "INSERT", "UPDATE", "DELETE"),
    "VIEW": ("SELECT",),
    "STAGE": ("USAGE",),
    "FILE FORMAT": ("USAGE",),
}
PIPES = {"PIPE": ("MONITOR",)}


def check_future_grants(checks: Checklist, session: Session, load: LoadMode, needs: str) -> None:
    """Checks each privilege that the role needs on future objects of the schema."""
    granted: set[tuple[str, str]] = set()
    find = "warehouse: grants on future objects"
    checks.check(find, partial(_find, session, granted), [needs])
    for kind, privileges in (WANTED | PIPES if load == "snowpipe" else WANTED).items():
        name = f"warehouse: {', '.join(privileges)} on future {kind.lower()}s"
        checks.check(name, partial(_expect, session, granted, kind, privileges), [find])


def _find(session: Session, granted: set[tuple[str, str]]) -> str:
    ((role, *_),) = session.execute("preflight/find_session")
    try:
        rows = session.rows("preflight/find_future_grants", role=identifier(role))
    except PipelineError as error:
        if error.code in HIDDEN:
            raise NotVisible(f"role {role} may not list future grants: {error.message}") from None
        raise
    place = f"{session.place.database}.{session.place.schema}.<".upper()
    for row in rows:
        # SHOW FUTURE GRANTS has `grant_on`
        kind = str(row.get("granted_on") or row.get("grant_on")).replace("_", " ")
        if str(row["name"]).upper().startswith(place):
            granted.add((kind, row["privilege"]))
    return f"{len(granted)} in this schema"


def _expect(session: Session, granted: set[tuple[str, str]], kind: str, privileges: tuple[str, ...]) -> str:
    lacking = [one for one in privileges if (kind, one) not in granted]
    if lacking:
        place, role = session.place, session.place.role
        grant = f"GRANT {', '.join(lacking)} ON FUTURE {kind}S IN SCHEMA {place.database}.{place.schema}"
        message = f"role {role} lacks {', '.join(lacking)} on future {kind.lower()}s. {grant} TO ROLE {role}"
        raise ConfigurationError(message, Code.SNOWFLAKE_DENIED)
    return "granted"
