"""Checks of the warehouse with the loader's role; statements change nothing or are rolled back."""

import json
from contextlib import ExitStack
from functools import partial

from pipeline.columns import TABLES, history, pipe
from pipeline.errors import Code, ConfigurationError, SnowflakeObjectNotFound
from pipeline.lake.layout import LoadMode
from pipeline.lake.store import Lake
from pipeline.markdown import plural
from pipeline.preflight.checks import Checklist
from pipeline.preflight.copy_check import PROBE, try_copy
from pipeline.preflight.future_grants import check_future_grants
from pipeline.preflight.lacking import full_name, lacks
from pipeline.preflight.table_checks import LOCK, VERSIONS, count_lock_rows, privileges, try_privileges
from pipeline.warehouse.messages import listed
from pipeline.warehouse.session import Session
from pipeline.warehouse.setup import PARTS, SCHEMA, SNOWPIPE, installed_version, is_current
from pipeline.warehouse.sql_files import literal
from pipeline.warehouse.views import view_files

LOGIN = "warehouse: log in"
PLACE = "warehouse: database, schema and virtual warehouse"
SET_UP = "warehouse: schema version"
CURRENT = "current"
"""Key in `versions`: 1 if set-up has nothing to do."""


def check_warehouse(
    checks: Checklist, session: Session, lake: Lake, load: LoadMode, *, owns: bool = False
) -> bool:
    """Checks everything that a run does in the warehouse. Nothing is committed.

    Before the first set-up there are no objects to check, so the grants on future objects are checked.
    `owns`: the role will own those objects, and needs no grants. Returns True if set-up has nothing to do.
    """
    with ExitStack() as stack:
        checks.check(LOGIN, lambda: str(stack.enter_context(session).place))
        checks.check(PLACE, partial(_find_place, session), [LOGIN])
        versions: dict[str, int] = {}
        checks.check(SET_UP, partial(_compare_versions, session, lake, load, versions), [PLACE])
        if versions.get(SCHEMA.version_table) == 0:
            if not owns:
                check_future_grants(checks, session, load, SET_UP)
            return False
        pipes = load == "snowpipe" and versions.get(SNOWPIPE.version_table) != 0
        for table, used in privileges(pipes=pipes).items():
            checks.check(_table(table), partial(try_privileges, session, table, used), [SET_UP])
        checks.check("warehouse: row of the lock", partial(count_lock_rows, session), [_table(LOCK)])
        if versions.get(SCHEMA.version_table) in (SCHEMA.newest, None):
            checks.check("warehouse: views", partial(_find_views, session), [SET_UP])
        needs = [SET_UP, _table(history(PROBE))]
        checks.check("warehouse: COPY from the lake", partial(try_copy, session, lake), needs)
        for table in TABLES if pipes else ():
            checks.check(f"warehouse: pipe {pipe(table)}", partial(_find_pipe, session, table), [SET_UP])
        checks.check("warehouse: newest snapshot", partial(_find_newest, session), needs)
        return SET_UP not in checks.failed and versions.get(CURRENT, 0) > 0


def _table(name: str) -> str:
    return f"warehouse: table {name}"


def _find_place(session: Session) -> str:
    ((_, warehouse, database, schema),) = session.execute("preflight/find_session")
    wanted = session.place
    for kind, name, found in (
        ("DATABASE", wanted.database, database),
        ("SCHEMA", f"{wanted.database}.{wanted.schema}", schema),
        ("WAREHOUSE", "of the block", warehouse),
    ):
        if found is None:
            raise lacks(session, "USAGE", f"{kind} {name}")
    return f"{database}.{schema}, {warehouse}"


def _compare_versions(session: Session, lake: Lake, load: LoadMode, versions: dict[str, int]) -> str:
    try:
        current = is_current(session, lake.url, load)
    except ConfigurationError as error:
        if error.code == Code.SNOWFLAKE_DENIED:
            raise lacks(session, "SELECT", f"TABLE {full_name(session, VERSIONS)}") from None
        raise
    versions |= {part.version_table: installed_version(session, part) for part in PARTS[load]}
    versions[CURRENT] = int(current)
    if current:
        return f"{versions[SCHEMA.version_table]}, for {lake.url}"
    if not versions[SCHEMA.version_table]:
        return "not set up yet: the next run creates everything"
    pipes = "" if versions.get(SNOWPIPE.version_table, 1) else ", and creates the pipes"
    return f"{versions[SCHEMA.version_table]}: the next run brings it up to this release and lake{pipes}"


def _find_views(session: Session) -> str:
    views = view_files()
    names = ", ".join(literal(name) for name in views)
    found = {name for name, kind in session.execute("setup/find_objects", names=names) if kind == "VIEW"}
    if hidden := [name for name in views if name not in found]:
        message = (
            f"role {session.place.role} does not see the views {listed(map(str.lower, hidden))}. The next "
            "run creates those that are not there. For those that are hidden: GRANT SELECT ON ALL VIEWS IN "
            f"SCHEMA {session.place.database}.{session.place.schema} TO ROLE {session.place.role}"
        )
        raise ConfigurationError(message, Code.SNOWFLAKE_DENIED)
    return f"{len(found)} views"


def _find_pipe(session: Session, table: str) -> str:
    name = pipe(table)
    try:
        ((text,),) = session.execute("load/find_pipe_status", pipe=literal(name))
    except SnowflakeObjectNotFound:
        text = None
    status = json.loads(text or "null")
    if not status:
        raise lacks(session, "MONITOR", f"PIPE {full_name(session, name)}")
    if status.get("executionState") != "RUNNING":
        message = f"pipe {name} is {status.get('executionState')}. docs/runbook.md describes how to fix pipes"
        raise ConfigurationError(message, Code.PIPES_LATE)
    return "RUNNING"


def _find_newest(session: Session) -> str:
    ((day, playlists),) = session.execute("preflight/find_newest_snapshot")
    return f"{day}; {plural(playlists, 'playlist')}" if day else "none yet"
