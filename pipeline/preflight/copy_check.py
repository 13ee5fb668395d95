"""Check of COPY: stage, file format and integration, with the newest file of the lake; it is rolled back."""

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
"""What is copied if there is nothing: no run writes it."""
STAGE, FORMAT = "lake", "playlist_csv"


def try_copy(session: Session, lake: Lake) -> str:
    """Without a file to copy, Snowflake has to look for one: it must say that it is not there."""
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
            return "Snowflake looks into the lake; there is no file to copy yet"
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
