"""Checks of what connects Snowflake to the lake: the storage integration and the pipes' queue."""

from dataclasses import dataclass, field
from functools import partial

from pipeline.columns import TABLES, pipe
from pipeline.errors import PipelineError
from pipeline.preflight.checks import Checklist, NotVisible
from pipeline.preflight.integration import INTEGRATION, describe_integration
from pipeline.preflight.lacking import HIDDEN
from pipeline.warehouse.session import Session

INTEGRATION_CHECK = f"integration {INTEGRATION}"
PIPES = "pipes"


@dataclass
class LakeAccess:
    """Properties of the integration by name, and the notification channels of the pipes."""

    integration: dict[str, str] = field(default_factory=dict)
    channels: set[str] = field(default_factory=set)


def check_integration(
    checks: Checklist, session: Session, tables_url: str, found: LakeAccess, needs: list[str]
) -> None:
    """Checks that the integration allows `tables_url`; adds its properties to `found`."""
    checks.check(INTEGRATION_CHECK, partial(_describe, session, tables_url, found), needs)


def check_pipes(
    checks: Checklist, session: Session, found: LakeAccess, needs: list[str], *, wanted: bool
) -> None:
    """Finds our pipes, and adds their SQS queue to `found`. `wanted`: pipes are expected (`snowpipe`)."""
    checks.check(PIPES, partial(_find_pipes, session, found, wanted=wanted), needs)


def _describe(session: Session, tables_url: str, found: LakeAccess) -> str:
    found.integration |= describe_integration(session, tables_url)
    return tables_url


def _find_pipes(session: Session, found: LakeAccess, *, wanted: bool) -> str:
    try:
        rows = session.rows("preflight/find_pipes")
    except PipelineError as error:
        if error.code in HIDDEN:
            raise NotVisible(
                f"role {session.place.role} may not execute SHOW PIPES: {error.message}"
            ) from None
        raise
    ours = {pipe(table).upper() for table in TABLES}
    pipes = [row for row in rows if row["name"] in ours]
    found.channels |= {row["notification_channel"] for row in pipes if row["notification_channel"]}
    if not pipes and wanted:
        raise NotVisible("there are none yet: the first run with --load snowpipe creates them")
    return f"{len(pipes)} pipes" if pipes else "none: runs execute COPY INTO"
