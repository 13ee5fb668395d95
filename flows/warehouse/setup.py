"""Versioned, idempotent set-up: an up-to-date schema costs one query."""

from flows.errors import ConfigurationError
from flows.warehouse.session import NotFound, Session
from flows.warehouse.sql import literal

VERSIONS: dict[int, tuple[str, ...]] = {
    1: (
        "setup/create_control_tables",
        "setup/create_history_tables",
        "setup/create_file_format",
        "setup/create_views",
        "insights/create_top_artists",
        "insights/create_chart_movers",
        "insights/create_longest_runs",
    ),
    2: ("setup/add_load_results",),
}
"""Files that lead from the version before to each version; an empty schema takes all of them in turn."""

NEWEST = max(VERSIONS)


def is_current(session: Session, lake_url: str) -> bool:
    """Whether the schema has this code's version and its stage shows this lake.

    Raises ConfigurationError where the schema is newer than the code.
    """
    version, url = _installed(session)
    if version > NEWEST:
        message = (
            f"the schema has version {version}, this code knows {NEWEST}: "
            "a newer release has been here. Deploy that release, or a newer one"
        )
        raise ConfigurationError(message)
    return (version, url) == (NEWEST, lake_url)


def set_up(session: Session, lake_url: str, code_version: str) -> None:
    """Brings the schema to this code's version; may be repeated at any point."""
    version, _ = _installed(session)
    for step in range(version + 1, NEWEST + 1):
        for name in VERSIONS[step]:
            session.execute_all(name)
    session.execute("setup/create_stage", url=literal(lake_url))
    session.execute("setup/insert_schema_version", (NEWEST, lake_url, code_version))


def _installed(session: Session) -> tuple[int, str | None]:
    """Version and lake of the schema; 0 where nothing is set up yet."""
    try:
        rows = session.execute("setup/find_schema_version")
    except NotFound:
        return 0, None
    return (int(rows[0][0]), rows[0][1]) if rows else (0, None)
