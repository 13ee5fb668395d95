"""Keys of the lake: the only module that builds or parses them. Pure."""

import re
from datetime import date
from typing import Literal, NamedTuple

PLAYLIST_ID = r"[0-9A-Za-z]{22}"
RUN_ID = r"\d{8}T\d{6}Z-[0-9a-f]{8}"

_RAW = re.compile(
    rf"raw/playlist_id=(?P<playlist_id>{PLAYLIST_ID})/snapshot_date=(?P<snapshot_date>\d{{4}}-\d\d-\d\d)"
    rf"/(?P<run_id>{RUN_ID})\.json\.gz",
    re.ASCII,
)


_DETAILS = re.compile(
    rf"details/kind=(?P<kind>[a-z]+)/dt=(?P<fetched_on>\d{{4}}-\d\d-\d\d)/(?P<run_id>{RUN_ID})\.json\.gz",
    re.ASCII,
)


class RawKey(NamedTuple):
    """Parts of the key of a kept snapshot."""

    playlist_id: str
    snapshot_date: date
    run_id: str


def raw_prefix(playlist_id: str | None = None) -> str:
    """Prefix of all kept snapshots, or of those of one playlist."""
    return f"raw/playlist_id={playlist_id}/" if playlist_id else "raw/"


def raw_key(playlist_id: str, snapshot_date: date, run_id: str) -> str:
    """Key of a kept snapshot."""
    return f"{raw_prefix(playlist_id)}snapshot_date={snapshot_date}/{run_id}.json.gz"


def parse_raw_key(key: str) -> RawKey | None:
    """Parts of the key of a kept snapshot; None for any other key."""
    match = _RAW.fullmatch(key)
    day = _date(match["snapshot_date"]) if match else None
    return RawKey(match["playlist_id"], day, match["run_id"]) if match and day else None


DETAILS_PREFIX = "details/"


def details_key(kind: str, fetched_on: date, run_id: str) -> str:
    """Key of the kept details of artists or albums."""
    return f"{DETAILS_PREFIX}kind={kind}/dt={fetched_on}/{run_id}.json.gz"


def parse_details_key(key: str) -> tuple[str, date] | None:
    """Kind and day of kept details; None for any other key."""
    match = _DETAILS.fullmatch(key)
    day = _date(match["fetched_on"]) if match else None
    return (match["kind"], day) if match and day else None


TABLES_PREFIX = "tables/"

LoadMode = Literal["copy", "snowpipe"]
"""`copy`: the run executes COPY INTO. `snowpipe`: auto-ingest pipes load the files."""

SUFFIXES: dict[LoadMode, str] = {"copy": ".csv.gz", "snowpipe": ".snowpipe.csv.gz"}
"""Suffixes of table files. Bucket notifications filter by suffix, so pipes never load the files of COPY."""


def table_prefix(table: str, snapshot_date: date) -> str:
    """Prefix of all files of one table and date."""
    return f"{TABLES_PREFIX}{table}/dt={snapshot_date}/"


def table_key(table: str, snapshot_date: date, run_id: str, load: LoadMode = "copy") -> str:
    """Key of the file with the rows of one table and date."""
    return f"{table_prefix(table, snapshot_date)}{run_id}{SUFFIXES[load]}"


RECEIPTS_PREFIX = "runs/"


def receipt_key(run_date: date, run_id: str) -> str:
    """Key of a run's receipt."""
    return f"{RECEIPTS_PREFIX}dt={run_date}/{run_id}.json"


REPORTS_PREFIX = "reports/"


def report_key(report_date: date, run_id: str) -> str:
    """Key of the report that a run writes for a date."""
    return f"{REPORTS_PREFIX}dt={report_date}/{run_id}.html"


PREFIXES = (raw_prefix(), DETAILS_PREFIX, TABLES_PREFIX, RECEIPTS_PREFIX, REPORTS_PREFIX)
"""Prefixes that runs write to and read from."""


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
