"""Check of stage, file format and integration: a COPY of the lake's newest file, rolled back."""

import gzip

from pipeline.columns import dtypes, history
from pipeline.errors import Code, PipelineError
from pipeline.lake.layout import TABLES_PREFIX
from pipeline.lake.store import Lake
from pipeline.preflight.lacking import full_name, lacks
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier, literal

PROBE = "playlists"
"""The table into which COPY is tried."""
NO_FILE = f"{PROBE}/preflight/no_file.csv.gz"
"""Copied if the lake has no file: a key that no run writes."""
STAGE, FORMAT = "lake", "playlist_csv"


def try_copy(session: Session, lake: Lake) -> str:
    """Executes the COPY. If the lake has no file, Snowflake must report that the file does not exist."""
    file = _newest_file(lake)
    session.begin()
    try:
        session.execute(
            "load/copy_table",
            table=identifier(history(PROBE)),
            columns=", ".join(identifier(column) for column in dtypes(PROBE)),
            files=literal(file or NO_FILE),
        )
    except PipelineError as error:
        if file is None and error.code == Code.SNOWFLAKE_STAGE:
            return "Snowflake can list the lake; there is no file to copy yet"
        if error.code == Code.SNOWFLAKE_NOT_FOUND:
            is_format = "file format" in error.message.lower()
            thing = (
                f"FILE FORMAT {full_name(session, FORMAT)}"
                if is_format
                else f"STAGE {full_name(session, STAGE)}"
            )
            raise lacks(session, "USAGE", thing) from None
        raise
    finally:
        session.rollback()
    return f"{file}, rolled back"


def _newest_file(lake: Lake) -> str | None:
    """The newest file of the table, below `tables/`, if it has the columns of this release."""
    prefix = f"{TABLES_PREFIX}{PROBE}/"
    *_, key = [None, *(key for key in lake.keys(prefix) if key.endswith(".csv.gz"))]
    if key is None:
        return None
    header = gzip.decompress(lake.read(key)).partition(b"\n")[0].decode()
    return key.removeprefix(TABLES_PREFIX) if header.split(",") == list(dtypes(PROBE)) else None
