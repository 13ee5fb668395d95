"""Views that readers use: their files, and how missing ones are created."""

import logging
import re

from pipeline.errors import StopRun
from pipeline.warehouse.lock import hold_lock
from pipeline.warehouse.messages import listed
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import literal, read_sql

log = logging.getLogger(__name__)
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
"""Files of the views; each statement is CREATE OR REPLACE VIEW, later ones use earlier."""


def view_files() -> dict[str, str]:
    """The file of each view, by the view's name as Snowflake stores it, in the order of creation."""
    return {
        name.upper(): file
        for file in VIEWS
        for name in re.findall(r"REPLACE VIEW (\w+) COPY GRANTS AS", read_sql(file))
    }


def restore_views(session: Session, guard: Session, level: int = logging.WARNING) -> None:
    """Creates the views that are missing: new ones after an upgrade, and those that were dropped.

    Views that are there are left alone, with their grants. Only warns of those that cannot be created: tables
    load without them. `level` is that of the message about each view that was created.
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
            log.log(level, "the view %s was missing and has been created", name)
    if problems:
        log.warning(
            "Readers do not see what is loaded, because views are missing (%s). Run with a role that may "
            "create views (block warehouse-admin); if they are only hidden from this role, grant it SELECT "
            "on all views of the schema",
            listed(problems),
        )
