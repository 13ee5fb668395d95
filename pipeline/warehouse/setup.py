"""Versioned, idempotent set-up: an up-to-date schema costs one query, one more if pipes load it."""

import logging
import re
from typing import Any, NamedTuple

from pipeline.errors import Code, ConfigurationError, SnowflakeObjectNotFound, StopRun
from pipeline.lake.layout import TABLES_PREFIX, LoadMode
from pipeline.warehouse.lock import hold_lock, take_lock
from pipeline.warehouse.messages import listed
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier, literal, read_sql

log = logging.getLogger(__name__)


class Part(NamedTuple):
    """A part of the schema with versions of its own, noted in a table.

    `versions`: files that lead from the version before to each version; a new part takes all in turn.
    Generated files are always the newest, so a later version may find its change done.
    `points_at_lake`: the file that depends on where the lake is, run once and whenever it moves.
    `pointed_in`: the version in which that file last changed; it is run again in an older schema.
    """

    noted_in: str
    versions: dict[int, tuple[str, ...]]
    points_at_lake: str
    pointed_in: int

    @property
    def newest(self) -> int:
        """The version that this code knows."""
        return max(self.versions)


VIEWS = (
    "setup/generated/create_views",
    "insights/create_top_artists",
    "insights/create_chart_movers",
    "insights/create_longest_runs",
    "insights/create_tracklist_history",
    "insights/create_tracklist",
    "insights/create_playlist_changes",
    "insights/create_song_journeys",
    "insights/create_number_one_runs",
    "insights/create_freshness",
)
"""Files of the views that readers use; each statement is CREATE OR REPLACE VIEW, later ones use earlier."""
SCHEMA = Part(
    "schema_versions",
    {
        1: (
            "setup/generated/create_history_tables",
            "setup/create_file_format",
            *VIEWS,
        ),
        2: ("setup/add_load_results",),
        3: ("setup/allow_nulls",),
        4: (),
        5: (),
    },
    "setup/create_stage",
    4,
)
SNOWPIPE = Part(
    "snowpipe_versions",
    {
        1: ("setup/create_snowpipe_versions", "setup/generated/create_landing_tables"),
        2: ("setup/allow_nulls_in_landing",),
        3: (),
    },
    "setup/generated/create_pipes",
    3,
)
CONTROL_TABLES = "setup/create_control_tables"
"""Before all else: the lock is one of them."""
MOVING = ""
"""In place of the lake's URL: objects that depend on it must be recreated."""
NOTHING = (0, MOVING)
"""Version and lake of a part that is not there."""
EVERY_PART = (SCHEMA, SNOWPIPE)
PARTS: dict[LoadMode, tuple[Part, ...]] = {"copy": (SCHEMA,), "snowpipe": EVERY_PART}
"""What a way of loading needs; pipes are made only where they are used."""


def is_current(session: Session, lake_url: str, load: LoadMode = "copy") -> bool:
    """Whether the schema has this code's version, shows this lake, and has its views.

    Raises ConfigurationError where the schema is newer than the code.
    """
    views = view_files()
    names = ", ".join(literal(name) for name in views)
    try:
        rows = session.execute("setup/find_schema", names=names)
    except SnowflakeObjectNotFound:
        return False
    if not rows or _checked(SCHEMA, rows[0][:2]) != (SCHEMA.newest, lake_url) or rows[0][2] != len(views):
        return False
    return all(_installed(session, part) == (part.newest, lake_url) for part in PARTS[load][1:])


def set_up(
    session: Session, guard: Session, lake_url: str, code_version: str, load: LoadMode = "copy"
) -> None:
    """Brings the schema to this code's version, one run at a time; may be repeated at any point.

    `guard` is a session of its own that holds the writer lock meanwhile, until it ends at the latest: DDL
    would release it. Raises ConfigurationError, before it changes anything, where the schema is newer.
    """
    found = [_installed(session, part) for part in EVERY_PART]
    if found[0] == NOTHING:
        session.execute_all(CONTROL_TABLES)
    take_lock(guard)
    found = [_installed(session, part) for part in EVERY_PART]
    # Mark as stale first: if we are killed here, the next run recreates them. A new stage stops its
    # pipes too.
    if found[0][1] != lake_url:
        for part, (version, url) in zip(EVERY_PART, found, strict=True):
            if url:
                _note(session, part, (version, MOVING, code_version))
    for part in PARTS[load]:
        _bring_up(session, guard, part, lake_url, code_version)
    _restore_views(session, guard)
    guard.rollback()


def _bring_up(session: Session, guard: Session, part: Part, lake_url: str, code_version: str) -> None:
    version, url = _installed(session, part)
    for step in range(version + 1, part.newest + 1):
        for name in part.versions[step]:
            hold_lock(guard)
            session.execute_all(name)
    if url != lake_url or version < part.pointed_in:
        hold_lock(guard)
        tables_url = lake_url + TABLES_PREFIX
        session.execute_all(part.points_at_lake, url=literal(tables_url))
    if (version, url) != (part.newest, lake_url):
        hold_lock(guard)
        _note(session, part, (part.newest, lake_url, code_version))


def _note(session: Session, part: Part, values: tuple[int, str, str]) -> None:
    session.execute("setup/insert_schema_version", values, table=identifier(part.noted_in))


def _installed(session: Session, part: Part) -> tuple[int, str]:
    """Version and lake of a part; 0 where nothing is set up yet. Raises where it is newer than the code."""
    try:
        rows = session.execute("setup/find_schema_version", table=identifier(part.noted_in))
    except SnowflakeObjectNotFound:
        rows = []
    return _checked(part, rows[0] if rows else NOTHING)


def _checked(part: Part, row: tuple[Any, ...]) -> tuple[int, str]:
    version, url = row
    if version > part.newest:
        message = (
            f"the schema has version {version} in {part.noted_in}, this code knows {part.newest}: "
            "a newer release has been here. Deploy that release, or a newer one"
        )
        raise ConfigurationError(message, Code.SCHEMA_NEWER)
    return int(version), url


def view_files() -> dict[str, str]:
    """The file of each view, by the view's name as Snowflake stores it, in the order of creation."""
    return {
        name.upper(): file
        for file in VIEWS
        for name in re.findall(r"REPLACE VIEW (\w+) COPY GRANTS AS", read_sql(file))
    }


def _restore_views(session: Session, guard: Session) -> None:
    """Creates views that are gone; only warns of those that cannot be created: tables load without them.

    Views that are there are left alone.
    """
    files = view_files()
    names = ", ".join(literal(name) for name in files)
    found = dict(session.execute("setup/find_objects", names=names))
    problems = [f"{name} is a table, rename it" for name in files if found.get(name) == "TABLE"]
    for name in [name for name in files if name not in found]:
        hold_lock(guard)
        try:
            session.execute_all(files[name], containing=f"VIEW {name.lower()} COPY GRANTS AS")
        except StopRun as error:
            problems.append(f"{name} cannot be created: {error}")
        else:
            log.warning("the view %s was gone and has been recreated", name)
    if problems:
        log.warning(
            "Readers do not see what is loaded, because views are missing (%s). Run with a role that may "
            "create views (block warehouse-admin); if they are only hidden from this role, grant it SELECT "
            "on all views of the schema",
            listed(problems),
        )
