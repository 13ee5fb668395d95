"""Checks of the warehouse as the loader: statements that change nothing, and a COPY that is rolled back."""

import gzip
import json
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial

from pipeline.columns import TABLES, dtypes, history, landing, pipe
from pipeline.errors import Code, ConfigurationError, LockTimeout, PipelineError, SnowflakeObjectNotFound
from pipeline.lake.layout import TABLES_PREFIX, LoadMode
from pipeline.lake.store import Lake
from pipeline.markdown import plural
from pipeline.preflight.checks import Checklist
from pipeline.preflight.future_grants import check_future_grants
from pipeline.preflight.integration import HIDDEN
from pipeline.warehouse.messages import listed
from pipeline.warehouse.session import Session
from pipeline.warehouse.setup import PARTS, SCHEMA, SNOWPIPE, installed_version, is_current
from pipeline.warehouse.sql_files import identifier, literal
from pipeline.warehouse.views import view_files

LOGIN = "warehouse: log in"
PLACE = "warehouse: database, schema and virtual warehouse"
SET_UP = "warehouse: schema version"
LOCK, LEDGER, VERSIONS, PIPE_VERSIONS = "writer_lock", "loads", "schema_versions", "snowpipe_versions"
COLUMNS = {name(table): list(dtypes(table)) for table in TABLES for name in (history, landing)}
CURRENT = "current"
"""Among the versions that were found: 1 if nothing has to be set up."""
PROBE = "playlists"
"""The table into which COPY is tried."""
NO_FILE = f"{PROBE}/preflight/no_file.csv.gz"
"""What is copied if there is nothing: no run writes it."""
STAGE, FORMAT = "lake", "playlist_csv"


def privileges(*, pipes: bool) -> dict[str, list[str]]:
    """What runs do with each table; `pipes`: those that are loaded by pipes, too."""
    used = {VERSIONS: ["SELECT"], LOCK: ["SELECT", "UPDATE"], LEDGER: ["SELECT", "INSERT"]}
    used |= {history(table): ["SELECT", "INSERT", "DELETE"] for table in TABLES}
    if pipes:
        used |= {PIPE_VERSIONS: ["SELECT"]} | {landing(table): ["SELECT", "DELETE"] for table in TABLES}
    return used


def check_warehouse(
    checks: Checklist, session: Session, lake: Lake, load: LoadMode, *, owns: bool = False
) -> bool:
    """Checks everything that a run does with the warehouse; nothing is committed.

    What the next run will create is not looked for, but the grants on it. `owns`: whether the role will own
    it. Returns whether the schema has this release's version and lake, so that nothing has to be set up.
    """
    with ExitStack() as stack:
        checks.check(LOGIN, partial(_log_in, stack, session))
        checks.check(PLACE, partial(_find_place, session), [LOGIN])
        versions: dict[str, int] = {}
        checks.check(SET_UP, partial(_compare_versions, session, lake, load, versions), [PLACE])
        if versions.get(SCHEMA.noted_in) == 0:
            if not owns:
                check_future_grants(checks, session, load, SET_UP)
            return False
        pipes = load == "snowpipe" and versions.get(SNOWPIPE.noted_in) != 0
        for table, used in privileges(pipes=pipes).items():
            checks.check(_table(table), partial(_try_privileges, session, table, used), [SET_UP])
        checks.check("warehouse: row of the lock", partial(_count_lock_rows, session), [_table(LOCK)])
        if versions.get(SCHEMA.noted_in) in (SCHEMA.newest, None):
            checks.check("warehouse: views", partial(_find_views, session), [SET_UP])
        needs = [SET_UP, _table(history(PROBE))]
        checks.check("warehouse: COPY from the lake", partial(_try_copy, session, lake), needs)
        for table in TABLES if pipes else ():
            checks.check(f"warehouse: pipe {pipe(table)}", partial(_find_pipe, session, table), [SET_UP])
        checks.check("warehouse: newest snapshot", partial(_find_newest, session), needs)
        return SET_UP not in checks.failed and versions.get(CURRENT, 0) > 0


def _table(name: str) -> str:
    return f"warehouse: table {name}"


def _log_in(stack: ExitStack, session: Session) -> str:
    stack.enter_context(session)
    return str(session.place)


def _find_place(session: Session) -> str:
    ((_, warehouse, database, schema),) = session.execute("preflight/find_session")
    wanted = session.place
    for kind, name, found in (
        ("DATABASE", wanted.database, database),
        ("SCHEMA", f"{wanted.database}.{wanted.schema}", schema),
        ("WAREHOUSE", "of the block", warehouse),
    ):
        if found is None:
            raise _lacks(session, "USAGE", f"{kind} {name}")
    return f"{database}.{schema}, {warehouse}"


def _compare_versions(session: Session, lake: Lake, load: LoadMode, versions: dict[str, int]) -> str:
    try:
        current = is_current(session, lake.url, load)
    except ConfigurationError as error:
        if error.code == Code.SNOWFLAKE_DENIED:
            raise _lacks(session, "SELECT", f"TABLE {_full(session, VERSIONS)}") from None
        raise
    versions |= {part.noted_in: installed_version(session, part) for part in PARTS[load]}
    versions[CURRENT] = int(current)
    if current:
        return f"{versions[SCHEMA.noted_in]}, for {lake.url}"
    if not versions[SCHEMA.noted_in]:
        return "not set up yet: the next run creates everything"
    pipes = "" if versions.get(SNOWPIPE.noted_in, 1) else ", and creates the pipes"
    return f"{versions[SCHEMA.noted_in]}: the next run brings it up to this release and lake{pipes}"


def _try_privileges(session: Session, table: str, used: Sequence[str]) -> str:
    for privilege in used:
        try:
            _try(session, table, privilege)
        except LockTimeout:
            continue  # it is granted, and another run is loading
        except ConfigurationError as error:
            if error.code in HIDDEN:
                raise _lacks(session, privilege, f"TABLE {_full(session, table)}", error.code) from None
            raise
    if table in COLUMNS:
        _expect_columns(session, table)
    return ", ".join(used)


def _try(session: Session, table: str, privilege: str) -> None:
    if privilege == "UPDATE":
        session.execute("preflight/update_nothing")
    else:
        session.execute(f"preflight/{privilege.lower()}_nothing", table=identifier(table))


def _expect_columns(session: Session, table: str) -> None:
    """Raises ConfigurationError if a column of ours is not there."""
    columns = ", ".join(identifier(column) for column in COLUMNS[table])
    try:
        session.execute("preflight/select_columns", table=identifier(table), columns=columns)
    except PipelineError as error:
        message = (
            f"{_full(session, table)} lacks a column of this release: {error.message}. Add it (ALTER TABLE) "
            "as sql/setup/generated/create_history_tables.sql has it"
        )
        raise ConfigurationError(message, Code.SNOWFLAKE_NOT_FOUND) from None


def _count_lock_rows(session: Session) -> str:
    ((count,),) = session.execute("preflight/count_lock_rows")
    if not count:
        message = (
            "the table writer_lock is empty, so every load is refused. "
            "Run INSERT INTO writer_lock (id) SELECT 1"
        )
        raise ConfigurationError(message, Code.SNOWFLAKE_LOCK_ROW)
    return "there"


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


def _try_copy(session: Session, lake: Lake) -> str:
    """Without a file to copy, Snowflake has to look for one: it must say that it is not there."""
    file = _newest_file(lake)
    session.begin()
    try:
        session.execute(
            "load/copy_table",
            table=identifier(history(PROBE)),
            columns=", ".join(identifier(column) for column in dtypes(PROBE)),
            files=literal(file or NO_FILE),
        )
    except PipelineError as error:
        if file is None and error.code == Code.SNOWFLAKE_STAGE:
            return "Snowflake looks into the lake; there is no file to copy yet"
        if error.code == Code.SNOWFLAKE_NOT_FOUND:
            is_format = "file format" in error.message.lower()
            thing = f"FILE FORMAT {_full(session, FORMAT)}" if is_format else f"STAGE {_full(session, STAGE)}"
            raise _lacks(session, "USAGE", thing) from None
        raise
    finally:
        session.rollback()
    return f"{file}, rolled back"


def _newest_file(lake: Lake) -> str | None:
    """The newest file of the table, below `tables/`, if it has the columns of this release."""
    prefix = f"{TABLES_PREFIX}{PROBE}/"
    *_, key = [None, *(key for key in lake.keys(prefix) if key.endswith(".csv.gz"))]
    if key is None:
        return None
    header = gzip.decompress(lake.read(key)).partition(b"\n")[0].decode()
    return key.removeprefix(TABLES_PREFIX) if header.split(",") == list(dtypes(PROBE)) else None


def _find_pipe(session: Session, table: str) -> str:
    name = pipe(table)
    try:
        ((text,),) = session.execute("load/find_pipe_status", pipe=literal(name))
    except SnowflakeObjectNotFound:
        text = None
    status = json.loads(text or "null")
    if not status:
        raise _lacks(session, "MONITOR", f"PIPE {_full(session, name)}")
    if status.get("executionState") != "RUNNING":
        message = (
            f"pipe {name} is {status.get('executionState')}. docs/runbook.md says how pipes are put right"
        )
        raise ConfigurationError(message, Code.PIPES_LATE)
    return "RUNNING"


def _find_newest(session: Session) -> str:
    ((day, playlists),) = session.execute("preflight/find_newest_snapshot")
    return f"{day}; {plural(playlists, 'playlist')}" if day else "none yet"


def _full(session: Session, name: str) -> str:
    return f"{session.place.database}.{session.place.schema}.{name.upper()}"


def _lacks(
    session: Session, privilege: str, thing: str, code: Code = Code.SNOWFLAKE_DENIED
) -> ConfigurationError:
    role = session.place.role
    message = (
        f"role {role} lacks {privilege} on {thing}, or it does not exist. "
        f"GRANT {privilege} ON {thing} TO ROLE {role}; if it was dropped, UNDROP it, "
        "or DELETE FROM schema_versions lets the next run create it"
    )
    return ConfigurationError(message, code)
