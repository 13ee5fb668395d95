"""`docs/tables.md`: the columns of every table and view, and how to ask for a date."""

from pipeline.columns import TABLES, columns, history
from pipeline.view_columns import VIEW_COLUMNS

MADE = "made from pipeline/columns.py and pipeline/view_columns.py by `make generate`"
VIEWS_HEAD = """\
## Views for analysts

Each `sql/insights/create_*.sql` creates one of these views. A snapshot is a row of `playlists_history`: one
playlist on one date. Numbers are whole, times are UTC. Filters on `playlist_id` and dates keep queries fast.
"""
ON_OR_BEFORE = """\
## The last snapshot on or before a date

A day without a run has no snapshot. [analysis.md](analysis.md#the-last-snapshot-on-or-before-a-date) has
the query that takes the newest snapshot not later than a date, and says which one it is. It works in the same
way with any view or `*_history` table that has a `snapshot_date`.
"""


def tables_page() -> str:
    """The page, generated."""
    parts = [
        f"# Tables\n\n<!-- {MADE} -->\n",
        *map(_table, TABLES),
        VIEWS_HEAD,
        *map(_view, VIEW_COLUMNS),
        ON_OR_BEFORE,
    ]
    return "\n".join(parts)


def _table(table: str) -> str:
    lines = "\n".join(
        f"| {name} | {kind} | {'yes' if nullable else 'no'} | {doc} |"
        for name, kind, nullable, doc in columns(table)
    )
    return (
        f"## {history(table)}\n\n{TABLES[table].__doc__}\n\n"
        f"Key within a partition: {_key(table)}. View of today: `{table}`.\n\n"
        f"| column | type | null | meaning |\n|---|---|---|---|\n{lines}\n"
    )


def _view(view: str) -> str:
    doc, row, listed = VIEW_COLUMNS[view]
    lines = "\n".join(f"| {name} | {kind} | {meaning} |" for name, kind, meaning in listed)
    return f"### {view}\n\n{doc} One row per {row}.\n\n| column | type | meaning |\n|---|---|---|\n{lines}\n"


def _key(table: str) -> str:
    own = [name for name in TABLES[table].primary_key() if name not in ("playlist_id", "snapshot_date")]
    return ", ".join(f"`{name}`" for name in own) or "one row"
