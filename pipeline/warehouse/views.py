"""Views for readers: lists their files and creates missing views."""

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
"""Files of the views, in dependency order. Each statement is CREATE OR REPLACE VIEW."""


def view_files() -> dict[str, str]:
    """File of each view, by the view's name in upper case, in the order of creation."""
    return {
        name.upper(): file
        for file in VIEWS
        for name in re.findall(r"REPLACE VIEW (\w+) COPY GRANTS AS", read_sql(file))
    }


def restore_views(session: Session, guard: Session, level: int = logging.WARNING) -> None:
    """Creates missing views: new ones after an upgrade, and views that were dropped.

    Existing views, and their grants, are not changed. A view that cannot be created is only a warning,
    because tables load without views. `level`: log level of the message about each created view.
    """
    files = view_files()
    names = ", ".join(literal(name) for name in files)
    found = dict(session.execute("setup/find_objects", names=names))
    problems = [f"{name} is a table: rename it" for name in files if found.get(name) == "TABLE"]
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
            "Views are missing, so readers cannot query the loaded data there (%s). Run with a role that may "
            "create views (block warehouse-admin). If they exist but this role cannot see them, grant it "
            "SELECT on all views of the schema",
            listed(problems),
        )
