"""Versioned, idempotent set-up: an up-to-date schema costs one query, one more where pipes load it."""

from typing import NamedTuple

from flows.errors import Code, ConfigurationError
from flows.lake.layout import LoadMode
from flows.warehouse.lock import hold_lock, take_lock
from flows.warehouse.session import NotFound, Session
from flows.warehouse.sql import identifier, literal


class Part(NamedTuple):
    """A part of the schema with versions of its own, noted in a table.

    `versions`: files that lead from the version before to each version; a new part takes all in turn.
    `points_at_lake`: the file that depends on where the lake is, run once and whenever it moves.
    """

    noted_in: str
    versions: dict[int, tuple[str, ...]]
    points_at_lake: str

    @property
    def newest(self) -> int:
        """The version that this code knows."""
        return max(self.versions)


SCHEMA = Part(
    "schema_versions",
    {
        1: (
            "setup/create_history_tables",
            "setup/create_file_format",
            "setup/create_views",
            "insights/create_top_artists",
            "insights/create_chart_movers",
            "insights/create_longest_runs",
        ),
        2: ("setup/add_load_results",),
    },
    "setup/create_stage",
)
SNOWPIPE = Part(
    "snowpipe_versions",
    {1: ("setup/create_snowpipe_versions", "setup/create_landing_tables")},
    "setup/create_pipes",
)
CONTROL_TABLES = "setup/create_control_tables"
"""Before all else: the lock is one of them."""
MOVING = ""
"""In place of the lake's URL: what depends on it is to be made anew."""
NOTHING = (0, MOVING)
"""Version and lake of a part that is not there."""
EVERY_PART = (SCHEMA, SNOWPIPE)
PARTS: dict[LoadMode, tuple[Part, ...]] = {"copy": (SCHEMA,), "snowpipe": EVERY_PART}
"""What a way of loading needs; pipes are made only where they are used."""


def is_current(session: Session, lake_url: str, load: LoadMode = "copy") -> bool:
    """Whether the schema has this code's version and shows this lake.

    Raises ConfigurationError where the schema is newer than the code.
    """
    for part in PARTS[load]:
        version, url = _installed(session, part)
        if (version, url) != (part.newest, lake_url):
            return False
    return True


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
    if found[0][1] != lake_url:  # whoever dies now leaves it to the next run; a new stage stops its pipes too
        for part, (version, url) in zip(EVERY_PART, found, strict=True):
            if url:
                _note(session, part, (version, MOVING, code_version))
    for part in PARTS[load]:
        _bring_up(session, guard, part, lake_url, code_version)
    guard.rollback()


def _bring_up(session: Session, guard: Session, part: Part, lake_url: str, code_version: str) -> None:
    version, url = _installed(session, part)
    for step in range(version + 1, part.newest + 1):
        for name in part.versions[step]:
            hold_lock(guard)
            session.execute_all(name)
    if url != lake_url:
        hold_lock(guard)
        session.execute_all(part.points_at_lake, url=literal(lake_url))
    if (version, url) != (part.newest, lake_url):
        hold_lock(guard)
        _note(session, part, (part.newest, lake_url, code_version))


def _note(session: Session, part: Part, values: tuple[int, str, str]) -> None:
    session.execute("setup/insert_schema_version", values, table=identifier(part.noted_in))


def _installed(session: Session, part: Part) -> tuple[int, str]:
    """Version and lake of a part; 0 where nothing is set up yet. Raises where it is newer than the code."""
    try:
        rows = session.execute("setup/find_schema_version", table=identifier(part.noted_in))
    except NotFound:
        rows = []
    version, url = rows[0] if rows else NOTHING
    if version > part.newest:
        message = (
            f"the schema has version {version} in {part.noted_in}, this code knows {part.newest}: "
            "a newer release has been here. Deploy that release, or a newer one"
        )
        raise ConfigurationError(message, Code.SCHEMA_NEWER)
    return int(version), url
