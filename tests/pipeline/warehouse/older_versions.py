"""Schemas and account objects as earlier releases created them."""

import re
from io import StringIO
from pathlib import Path

from snowflake.connector.util_text import split_statements

from pipeline.columns import history
from pipeline.lake.layout import TABLES_PREFIX
from pipeline.warehouse import setup
from pipeline.warehouse.session import Session
from pipeline.warehouse.setup import Part
from pipeline.warehouse.sql_files import literal
from tests.places import Place
from tests.warehouses import OWNER, Warehouse

BEFORE = Path(__file__).with_name("before")
"""Statements of earlier releases; never changed."""
ACCOUNT = (BEFORE / "create_account_objects.sql").read_text(encoding="utf-8")
"""The account script of the releases before version 4."""
VERSION_1 = (BEFORE / "version_1.sql").read_text(encoding="utf-8")
"""Tables and views as version 1 created them."""
TABLES_1 = re.findall(r"CREATE TABLE IF NOT EXISTS (\w+)_history", VERSION_1)
"""Tables of version 1, without `_history`."""
LANDING_1 = "\n".join(
    f"CREATE TRANSIENT TABLE {table}_landing ({lines},\n"
    "    file_name VARCHAR NOT NULL,\n    file_row NUMBER(38, 0) NOT NULL\n);"
    for table, lines in re.findall(
        r"CREATE TABLE IF NOT EXISTS (\w+)_history \((.*?)\n\);", VERSION_1, re.DOTALL
    )
)
"""Landing tables as version 1 created them: its columns, and the file and row number of each row."""
CHART_VIEWS = ("insights/create_top_artists", "insights/create_chart_movers", "insights/create_longest_runs")
"""Insight views that existed before version 5."""
PIPES = (BEFORE / "create_pipes.sql").read_text(encoding="utf-8")
"""Pipes as version 3 of the pipes created them."""
PIPES_1 = PIPES.replace("@lake/", "@lake/tables/")
"""Pipes until version 2, when the stage pointed at the entire lake."""
STAGE_ON_TABLES_VERSION = 4
"""First version whose stage points at tables/ only."""
ROWS = {
    "playlists": "'Old', NULL, 'o', NULL, NULL, FALSE, NULL, 'AAA', 1, 'https://p', NULL, '2026-01-01'",
    "songs": "'s', 'Song', 'b', 'a', 180000, TRUE, NULL, 1, 2, NULL, 'https://s'",
    "albums": "'b', 'Album', 'single', NULL, NULL, 12, NULL, NULL, 'https://b', NULL",
    "artists": "'a', 'Artist', 'https://a', NULL, NULL, NULL",
}
"""One row per table, without playlist_id, snapshot_date and run_id."""
LEDGER = (
    "INSERT INTO loads SELECT 'run', 'p', '2026-01-01', 'raw/p', '2026-01-01', 'AAA', 1, 0, "
    "PARSE_JSON('{}'), 'copy', 'runs/p', '0.1.0', '2026-01-01'"
)


def set_up_older(older: Warehouse, version: int) -> None:
    """Sets up an earlier version in an empty warehouse, with one playlist and, in Snowpipe mode, pipes."""
    execute(older.place, VERSION_1)
    for table, values in ROWS.items():
        older.place.query(f"INSERT INTO {history(table)} SELECT 'p', '2026-01-01', 'run', {values}")
    older.place.query(LEDGER)
    with older.session(role=OWNER) as session:
        url = literal(older.lake.url + (TABLES_PREFIX if version >= STAGE_ON_TABLES_VERSION else ""))
        for name in ("setup/create_stage", *CHART_VIEWS, *_changes(setup.SCHEMA, version)):
            session.execute_all(name, url=url)
        _record_version(session, setup.SCHEMA, version, older)
        if older.mode == "snowpipe":
            execute(older.place, LANDING_1)
            for name in ("setup/create_snowpipe_versions", *_changes(setup.SNOWPIPE, version - 1)):
                session.execute_all(name)
            execute(older.place, PIPES if version >= STAGE_ON_TABLES_VERSION else PIPES_1)
            _record_version(session, setup.SNOWPIPE, version - 1, older)


def execute(place: Place, text: str) -> None:
    """Executes every statement of a SQL text."""
    for statement, _ in split_statements(StringIO(text), remove_comments=True):
        place.query(str(statement))


def _changes(part: Part, version: int) -> list[str]:
    """Names of the SQL files that upgrade from version 1 to this version."""
    return [name for step in range(2, version + 1) for name in part.versions[step]]


def _record_version(session: Session, part: Part, version: int, older: Warehouse) -> None:
    """Records the version of a set-up part."""
    session.execute(
        "setup/insert_schema_version", (version, older.lake.url, "older"), table=part.version_table
    )
