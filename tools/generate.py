"""`python -m tools.generate [--check]`: DDL, views and docs from the one list of tables."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pipeline.columns import TABLES, columns, dtypes, history, landing, pipe
from tools.tables_page import tables_page

ROOT = Path(__file__).parents[1]
MADE = "made from pipeline/columns.py by `make generate`"

LINT = "-- noqa: CP02"
"""Snowflake writes its metadata columns in capitals."""

PER_PLAYLIST = ("playlists", "playlist_songs", "rejects")
"""Tables whose views keep every row of each playlist's newest snapshot."""

KEYS = {
    "songs": "song_id",
    "albums": "album_id",
    "artists": "artist_id",
    "song_artists": "song_id",
    "album_artists": "album_id",
}
"""What the other views show once. Across playlists the latest fetch wins; rank decides only within one
playlist and date."""


def create_tables() -> str:
    """DDL of the history tables."""
    statements = [
        f"CREATE TABLE IF NOT EXISTS {history(table)} (\n{_column_lines(table)}\n);" for table in TABLES
    ]
    return f"-- All partitions, as loaded; {MADE}.\n" + "\n\n".join(statements) + "\n"


def create_landing_tables() -> str:
    """DDL of the tables that pipes fill."""
    statements = [
        f"CREATE TRANSIENT TABLE IF NOT EXISTS {landing(table)} (\n{_column_lines(table)},\n"
        "    file_name VARCHAR NOT NULL,\n    file_row NUMBER(38, 0) NOT NULL\n);"
        for table in TABLES
    ]
    return f"-- Where pipes put files by themselves; {MADE}.\n" + "\n\n".join(statements) + "\n"


def create_pipes() -> str:
    """DDL of the pipes, one per table."""
    statements = [_pipe(table) for table in TABLES]
    return f"-- Pipes see only .snowpipe.csv.gz files; {MADE}.\n" + "\n\n".join(statements) + "\n"


def count_rows(stored_in: Callable[[str], str]) -> str:
    """Rows of one run by date in all history or landing tables; the run's id is bound once per table."""
    counts = [
        f"SELECT '{table}' AS table_name, snapshot_date, COUNT(*) AS row_count FROM {stored_in(table)}\n"
        "WHERE run_id = ?\nGROUP BY snapshot_date"
        for table in TABLES
    ]
    return (
        f"-- Rows of a run by table and date, that is by file; {MADE}.\n"
        + "\nUNION ALL\n".join(counts)
        + "\n"
    )


def create_views() -> str:
    """DDL of the views that show today."""
    newest = (
        "CREATE OR REPLACE VIEW newest_snapshots COPY GRANTS AS\n"
        "SELECT playlist_id, snapshot_date, fetched_at\n"
        "FROM playlists_history\n"
        "QUALIFY RANK() OVER (PARTITION BY playlist_id ORDER BY snapshot_date DESC) = 1;"
    )
    views = [newest, *(_view(table) for table in TABLES)]
    return f"-- Today: the newest snapshot of each playlist; {MADE}.\n" + "\n\n".join(views) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    "sql/setup/generated/create_history_tables.sql": create_tables,
    "sql/setup/generated/create_landing_tables.sql": create_landing_tables,
    "sql/setup/generated/create_pipes.sql": create_pipes,
    "sql/setup/generated/create_views.sql": create_views,
    "sql/load/generated/count_landed.sql": partial(count_rows, landing),
    "sql/load/generated/count_rows.sql": partial(count_rows, history),
    "docs/tables.md": tables_page,
}
"""Files that are made, never edited."""


def drifted() -> list[str]:
    """Generated files that differ from what the schema says."""
    return [path for path, make in GENERATED.items() if _text(ROOT / path) != make()]


def main(arguments: list[str]) -> int:
    """Writes the files, or with `--check` only says which differ."""
    if "--check" in arguments:
        for path in drifted():
            sys.stderr.write(f"{path} differs from pipeline/columns.py: run `make generate`\n")
        return 1 if drifted() else 0
    for path, make in GENERATED.items():
        (ROOT / path).write_text(make(), encoding="utf-8")
    return 0


def _column_lines(table: str) -> str:
    return ",\n".join(
        f"    {name} {kind}{'' if nullable else ' NOT NULL'}" for name, kind, nullable, _ in columns(table)
    )


def _pipe(table: str) -> str:
    names = [*dtypes(table), "file_name", "file_row"]
    values = [f"${number}" for number in range(1, len(names) - 1)]
    selected = ",\n    ".join([*values, f"METADATA$FILENAME, {LINT}\n    METADATA$FILE_ROW_NUMBER {LINT}"])
    listed = ",\n    ".join(names)
    return (
        f"CREATE OR REPLACE PIPE {pipe(table)} AUTO_INGEST = TRUE AS\n"
        f"COPY INTO {landing(table)} (\n    {listed}\n)\n"
        f"FROM (SELECT\n    {selected}\nFROM @lake/{table}/)\n"
        "FILE_FORMAT = (FORMAT_NAME = 'playlist_csv')\n"
        "PATTERN = '.*[.]snowpipe[.]csv[.]gz';"
    )


def _view(table: str) -> str:
    selected = ",\n".join(f"    h.{name}" for name in dtypes(table))
    text = (
        f"CREATE OR REPLACE VIEW {table} COPY GRANTS AS\nSELECT\n{selected}\nFROM {history(table)} AS h\n"
        "INNER JOIN newest_snapshots AS n\n"
        "    ON h.playlist_id = n.playlist_id AND h.snapshot_date = n.snapshot_date"
    )
    if table in PER_PLAYLIST:
        return text + ";"
    return (
        text + f"\nQUALIFY RANK() OVER (\n    PARTITION BY h.{KEYS[table]}"
        "\n    ORDER BY n.snapshot_date DESC, n.fetched_at DESC, h.playlist_id ASC\n) = 1;"
    )


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
