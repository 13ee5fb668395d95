"""`python -m tools.generate [--check]`: generates DDL, views and docs/tables.md from pipeline/columns.py."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from pipeline.columns import TABLES, columns, dtypes, history, landing, pipe
from tools.tables_page import tables_page

ROOT = Path(__file__).parents[1]
GENERATED_FROM = "generated from pipeline/columns.py by `make generate`"

NO_LINT = "-- noqa: CP02"
"""Metadata columns are in upper case, as in Snowflake's documentation."""

PER_PLAYLIST = ("playlists", "playlist_songs", "rejects")
"""Tables whose views show all rows of each playlist's newest snapshot."""

VIEW_KEYS = {
    "songs": "song_id",
    "albums": "album_id",
    "artists": "artist_id",
    "song_artists": "song_id",
    "album_artists": "album_id",
}
"""Keys of the other views, which show one row per key. If several playlists have a key, the playlist with the
latest date, then the latest fetch, is shown."""


def create_tables() -> str:
    """DDL of the history tables."""
    statements = [
        f"CREATE TABLE IF NOT EXISTS {history(table)} (\n{_column_lines(table)}\n);" for table in TABLES
    ]
    return f"-- Tables with all partitions; {GENERATED_FROM}.\n" + "\n\n".join(statements) + "\n"


def create_landing_tables() -> str:
    """DDL of the tables into which pipes load files."""
    statements = [
        f"CREATE TRANSIENT TABLE IF NOT EXISTS {landing(table)} (\n{_column_lines(table)},\n"
        "    file_name VARCHAR NOT NULL,\n    file_row NUMBER(38, 0) NOT NULL\n);"
        for table in TABLES
    ]
    return f"-- Tables into which pipes load files; {GENERATED_FROM}.\n" + "\n\n".join(statements) + "\n"


def create_pipes() -> str:
    """DDL of the pipes, one per table."""
    statements = [_pipe(table) for table in TABLES]
    return f"-- Pipes load only .snowpipe.csv.gz files; {GENERATED_FROM}.\n" + "\n\n".join(statements) + "\n"


def count_rows(stored_in: Callable[[str], str]) -> str:
    """Query that counts a run's rows by table and date. `stored_in`: `history` or `landing`.

    The run id is bound once per table.
    """
    counts = [
        f"SELECT '{table}' AS table_name, snapshot_date, COUNT(*) AS row_count FROM {stored_in(table)}\n"
        "WHERE run_id = ?\nGROUP BY snapshot_date"
        for table in TABLES
    ]
    return (
        f"-- Rows of a run by table and date. Each is one file; {GENERATED_FROM}.\n"
        + "\nUNION ALL\n".join(counts)
        + "\n"
    )


def create_views() -> str:
    """DDL of the views of the newest snapshots."""
    newest = (
        "CREATE OR REPLACE VIEW newest_snapshots COPY GRANTS AS\n"
        "SELECT playlist_id, snapshot_date, fetched_at\n"
        "FROM playlists_history\n"
        "QUALIFY RANK() OVER (PARTITION BY playlist_id ORDER BY snapshot_date DESC) = 1;"
    )
    views = [newest, *(_view(table) for table in TABLES)]
    return f"-- Views of each playlist's newest snapshot; {GENERATED_FROM}.\n" + "\n\n".join(views) + "\n"


GENERATED: dict[str, Callable[[], str]] = {
    "sql/setup/generated/create_history_tables.sql": create_tables,
    "sql/setup/generated/create_landing_tables.sql": create_landing_tables,
    "sql/setup/generated/create_pipes.sql": create_pipes,
    "sql/setup/generated/create_views.sql": create_views,
    "sql/load/generated/count_landed.sql": partial(count_rows, landing),
    "sql/load/generated/count_rows.sql": partial(count_rows, history),
    "docs/tables.md": tables_page,
}
"""Generated files and their generators."""


def drifted() -> list[str]:
    """Generated files that differ from pipeline/columns.py and pipeline/view_columns.py."""
    return [path for path, generate in GENERATED.items() if _text(ROOT / path) != generate()]


def main(arguments: list[str]) -> int:
    """Writes the files; with `--check`, prints those that differ and returns 1."""
    if "--check" in arguments:
        for path in drifted():
            sys.stderr.write(
                f"{path} differs from pipeline/columns.py or view_columns.py: run `make generate`\n"
            )
        return 1 if drifted() else 0
    for path, generate in GENERATED.items():
        (ROOT / path).write_text(generate(), encoding="utf-8")
    return 0


def _column_lines(table: str) -> str:
    return ",\n".join(
        f"    {name} {kind}{'' if nullable else ' NOT NULL'}" for name, kind, nullable, _ in columns(table)
    )


def _pipe(table: str) -> str:
    names = [*dtypes(table), "file_name", "file_row"]
    values = [f"${number}" for number in range(1, len(names) - 1)]
    selected = ",\n    ".join(
        [*values, f"METADATA$FILENAME, {NO_LINT}\n    METADATA$FILE_ROW_NUMBER {NO_LINT}"]
    )
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
        text + f"\nQUALIFY RANK() OVER (\n    PARTITION BY h.{VIEW_KEYS[table]}"
        "\n    ORDER BY n.snapshot_date DESC, n.fetched_at DESC, h.playlist_id ASC\n) = 1;"
    )


def _text(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.exists() else None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
