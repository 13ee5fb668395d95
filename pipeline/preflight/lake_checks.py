"""Checks of the lake: each S3 action on each prefix, without leaving an object."""

from functools import partial

from pipeline.lake.layout import DETAILS_PREFIX, PREFIXES, TABLES_PREFIX, raw_prefix
from pipeline.lake.store import Lake
from pipeline.preflight.checks import Checklist

LISTED = (raw_prefix(), DETAILS_PREFIX, TABLES_PREFIX)


def check_lake(checks: Checklist, lake: Lake, run_id: str) -> None:
    """Checks list, read and write permission on every prefix that runs use.

    Read permission is checked with a key that does not exist: S3 responds with 404 if reading is allowed,
    and with 403 otherwise. Without s3:ListBucket it always responds with 403, so reads need that check.
    """
    first = _listing(raw_prefix())
    for prefix in LISTED:
        checks.check(_listing(prefix), partial(_list, lake, prefix), [first] if prefix in LISTED[1:] else [])
    for prefix in PREFIXES:
        key = f"{prefix}preflight/{run_id}"
        listed = [_listing(prefix if prefix in LISTED else raw_prefix())]
        checks.check(f"lake: read {prefix}*", partial(_read, lake, key), listed)
        checks.check(f"lake: write {prefix}*", partial(_write, lake, key), listed)
    checks.check("lake: clock", partial(_compare_clocks, lake), [first])


def _listing(prefix: str) -> str:
    return f"lake: list {prefix}"


def _list(lake: Lake, prefix: str) -> str:
    next(lake.keys(prefix), None)
    return f"{lake.url}{prefix}"


def _read(lake: Lake, key: str) -> str:
    lake.exists(key)
    return "s3:GetObject"


def _write(lake: Lake, key: str) -> str:
    lake.check_write_permission(key)
    return "s3:PutObject"


def _compare_clocks(lake: Lake) -> str:
    lake.check_clock()
    return "not ahead of S3's" if lake.clock_ahead is not None else "S3 sent no date"
