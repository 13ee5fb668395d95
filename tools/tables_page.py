"""Generator of `docs/tables.md`: the columns of every table and view."""

from pipeline.columns import TABLES, columns, history
from pipeline.view_columns import VIEW_COLUMNS

GENERATED_FROM = "generated from pipeline/columns.py and pipeline/view_columns.py by `make generate`"
INTRODUCTION = """\
For people who query the warehouse. This page describes every column of every table and view, so that you know
which one to use, what one row is, and when a value is null. [analysis.md](analysis.md) has example queries.

A snapshot is the state of one playlist on one date. A partition is all rows of a snapshot in one table; a
load replaces complete partitions. Each table `*_history` has all snapshots; the view without `_history` has
the newest snapshot of each playlist. Times are UTC.
"""
VIEWS_HEAD = """\
## Views for analysts

Each file `sql/insights/create_*.sql` creates one of these views. Numbers are whole numbers. Filter by
`playlist_id` and dates to keep queries fast.
"""
ON_OR_BEFORE = """\
## The last snapshot on or before a date

A date without a run has no snapshot. [analysis.md](analysis.md#the-last-snapshot-on-or-before-a-date) has
a query that selects the newest snapshot on or before a date. It works with every view or `*_history` table
that has a `snapshot_date`.
"""


def tables_page() -> str:
    """Markdown text of the page."""
    parts = [
        f"# Tables\n\n<!-- {GENERATED_FROM} -->\n\n{INTRODUCTION}",
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
        f"Key within a partition: {_key(table)}. View of the newest snapshots: `{table}`.\n\n"
        f"| column | type | null | meaning |\n|---|---|---|---|\n{lines}\n"
    )


def _view(view: str) -> str:
    doc, row, listed = VIEW_COLUMNS[view]
    lines = "\n".join(f"| {name} | {kind} | {meaning} |" for name, kind, meaning in listed)
    return f"### {view}\n\n{doc} One row per {row}.\n\n| column | type | meaning |\n|---|---|---|\n{lines}\n"


def _key(table: str) -> str:
    own = [name for name in TABLES[table].primary_key() if name not in ("playlist_id", "snapshot_date")]
    return ", ".join(f"`{name}`" for name in own) or "none (one row per partition)"
