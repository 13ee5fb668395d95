"""Schema set-up: versioned and idempotent. An up-to-date schema costs one query, with pipes two."""

import logging
from typing import Any, NamedTuple

from pipeline.errors import Code, ConfigurationError, SnowflakeObjectNotFound
from pipeline.lake.layout import TABLES_PREFIX, LoadMode
from pipeline.warehouse.lock import hold_lock, take_lock
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier, literal
from pipeline.warehouse.views import VIEWS, restore_views, view_files


class Part(NamedTuple):
    """A part of the schema that has its own version number, stored in `version_table`.

    `versions`: by version, the files that upgrade from the previous version; a new part runs all in order.
    Generated files are always the newest, so the change of a later version may already be done.
    `lake_file`: the file that depends on the lake's URL. It runs once, and again whenever the URL changes.
    `lake_file_version`: the version in which that file last changed; it runs again in an older schema.
    """

    version_table: str
    versions: dict[int, tuple[str, ...]]
    lake_file: str
    lake_file_version: int

    @property
    def newest(self) -> int:
        """The version of this release."""
        return max(self.versions)


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
        5: ("setup/add_flow_run_id",),  # new views need no version: restore_views creates them
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
"""Created first, because they include the writer lock."""
STALE = ""
"""Stored instead of the lake's URL while the objects that depend on it have to be recreated."""
NOT_INSTALLED = (0, STALE)
"""Version and lake URL of a part that has not been set up."""
ALL_PARTS = (SCHEMA, SNOWPIPE)
PARTS: dict[LoadMode, tuple[Part, ...]] = {"copy": (SCHEMA,), "snowpipe": ALL_PARTS}
"""Parts that each load mode needs. Pipes are created only if they are used."""


def is_current(session: Session, lake_url: str, load: LoadMode = "copy") -> bool:
    """True if the schema has this release's version, uses this lake, and has all views.

    Raises ConfigurationError if the schema is newer than this release.
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


def installed_version(session: Session, part: Part) -> int:
    """Version of a part, 0 if it is not set up. Raises ConfigurationError if newer than this release."""
    return _installed(session, part)[0]


def set_up(
    session: Session, guard: Session, lake_url: str, code_version: str, load: LoadMode = "copy"
) -> None:
    """Upgrades the schema to this release's version. Idempotent, and safe to interrupt at any point.

    `guard`: a second session that holds the writer lock meanwhile, because DDL in `session` would commit and
    release it. Raises ConfigurationError, before any change, if the schema is newer than this release.
    """
    found = [_installed(session, part) for part in ALL_PARTS]
    if found[0] == NOT_INSTALLED:
        session.execute_all(CONTROL_TABLES)
    take_lock(guard)
    found = [_installed(session, part) for part in ALL_PARTS]
    # If the URL has changed, mark all parts as stale first: if we are killed here, the next run recreates
    # their objects. Pipes are included, because recreating the stage stops them.
    if found[0][1] != lake_url:
        for part, (version, url) in zip(ALL_PARTS, found, strict=True):
            if url:
                _store_version(session, part, (version, STALE, code_version))
    for part in PARTS[load]:
        _upgrade(session, guard, part, lake_url, code_version)
    level = logging.WARNING if found[0][0] == SCHEMA.newest else logging.INFO
    restore_views(session, guard, level)
    guard.rollback()


def _upgrade(session: Session, guard: Session, part: Part, lake_url: str, code_version: str) -> None:
    version, url = _installed(session, part)
    for step in range(version + 1, part.newest + 1):
        for name in part.versions[step]:
            hold_lock(guard)
            session.execute_all(name)
    if url != lake_url or version < part.lake_file_version:
        hold_lock(guard)
        tables_url = lake_url + TABLES_PREFIX
        session.execute_all(part.lake_file, url=literal(tables_url))
    if (version, url) != (part.newest, lake_url):
        hold_lock(guard)
        _store_version(session, part, (part.newest, lake_url, code_version))


def _store_version(session: Session, part: Part, values: tuple[int, str, str]) -> None:
    session.execute("setup/insert_schema_version", values, table=identifier(part.version_table))


def _installed(session: Session, part: Part) -> tuple[int, str]:
    """Version and lake URL of a part. Raises ConfigurationError if it is newer than this release."""
    try:
        rows = session.execute("setup/find_schema_version", table=identifier(part.version_table))
    except SnowflakeObjectNotFound:
        rows = []
    return _checked(part, rows[0] if rows else NOT_INSTALLED)


def _checked(part: Part, row: tuple[Any, ...]) -> tuple[int, str]:
    version, url = row
    if version > part.newest:
        message = (
            f"the schema has version {version} in {part.version_table}, this release supports {part.newest}: "
            "a newer release has upgraded it. Deploy that release, or a newer one"
        )
        raise ConfigurationError(message, Code.SCHEMA_NEWER)
    return int(version), url
