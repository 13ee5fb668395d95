"""Row counts: the warehouse must have loaded exactly the rows of the files."""

from collections import Counter
from collections.abc import Sequence
from datetime import date

from pipeline.columns import TABLES
from pipeline.errors import AccountingError, Code
from pipeline.records import File
from pipeline.warehouse.messages import differing, listed
from pipeline.warehouse.session import Session

LoadResults = dict[date, dict[str, dict[str, int]]]
"""Rows that the warehouse reported, and bytes of the files, by snapshot date and table."""


def dated_name(path: str) -> str:
    """`dt=…/<file name>`, which identifies a file of a table; Snowflake's paths differ in their prefixes."""
    return "/".join(path.split("/")[-2:])


def reported(file: File, loaded: int) -> dict[str, int]:
    """Rows and bytes of one file, for the ledger.

    Raises AccountingError if the warehouse reports another number of rows than was written.
    """
    if loaded != file.rows:
        message = (
            f"the warehouse reports {loaded} rows of {file.key}, but the file was written with {file.rows}. "
            "Nothing was loaded. Run again; if this continues, inspect the file: it is not what the run wrote"
        )
        raise AccountingError(message, Code.ROWS_DIFFER)
    return {"rows": loaded, "bytes": file.bytes}


def compare(
    session: Session, name: str, run_id: str, files: Sequence[File], where: str = "the history tables"
) -> None:
    """Raises AccountingError if a statement counts other numbers of rows than the run's files hold."""
    rows = session.execute(name, (run_id,) * len(TABLES))
    counted = Counter({(table, day): count for table, day, count in rows})
    wanted = Counter({(file.table, file.snapshot_date): file.rows for file in files})
    if differences := differing(counted, wanted):
        text = listed(f"{key[0]} of {key[1]}: {counted[key]} instead of {wanted[key]}" for key in differences)
        message = (
            f"row counts in {where} differ from those of the files of run {run_id} ({text}). "
            "Nothing was loaded. Run again; if this continues, find out what else writes to these tables"
        )
        raise AccountingError(message, Code.ROWS_DIFFER)
