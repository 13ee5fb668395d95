"""Charts as small tables, from the views of `sql/insights`."""

from datetime import date
from typing import Any

from pipeline.warehouse.session import Session

QUERIES = {
    "Top artists": "insights/find_top_artists",
    "Chart movers": "insights/find_chart_movers",
    "Longest runs": "insights/find_longest_runs",
}


Rows = list[dict[str, Any]]


def charts(session: Session, playlist_id: str, from_date: date, to_date: date) -> dict[str, Rows]:
    """Rows by title: artists on `to_date`, movements from `from_date` to `to_date`, runs up to `to_date`."""
    values = {
        "insights/find_top_artists": (playlist_id, to_date),
        "insights/find_chart_movers": (playlist_id, from_date, to_date),
        "insights/find_longest_runs": (playlist_id, to_date),
    }
    return {title: session.rows(name, values[name]) for title, name in QUERIES.items()}
