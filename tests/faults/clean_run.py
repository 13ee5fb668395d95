"""Expected number of requests of a clean run, by kind: a change here is a change of the pipeline's cost."""

from collections.abc import Container, Iterable

import pytest

from pipeline.columns import TABLES
from tests.faults.labels import Label

EVERY_LOAD: dict[tuple[str, str], int] = {
    ("spotify", "token"): 1,
    ("spotify", "playlist"): 3,
    ("spotify", "page"): 5,
    ("spotify", "snapshot"): 1,  # has the long playlist changed while it was read?
    ("s3", "LIST tables"): 1,  # are there published snapshots of the date?
    ("s3", "HEAD runs"): 1,  # does the run of the published snapshot have a receipt?
    ("s3", "PUT raw"): 3,
    ("s3", "GET raw"): 3,
    ("s3", "LIST details"): 1,  # of artists and albums, for runs with `enrich`
    ("s3", "PUT tables"): 8,
    ("s3", "PUT runs"): 1,
    ("s3", "PUT reports"): 1,
}
COPY: dict[tuple[str, str], int] = {
    ("snowflake", "login"): 4,  # published snapshots, schema version, load, report
    ("snowflake", "BEGIN"): 1,
    ("snowflake", "UPDATE"): 1,  # the lock
    ("snowflake", "SELECT"): 5,  # published, schema version, own load, counts, higher-ranked snapshots
    ("snowflake", "COPY"): 8,
    ("snowflake", "DELETE"): 8,
    ("snowflake", "INSERT"): 1,  # the ledger
    ("snowflake", "COMMIT"): 1,
    ("snowflake", "WITH"): 7,  # changes since the previous snapshots, and the report
    ("snowflake", "logout"): 4,
}
SNOWPIPE: dict[tuple[str, str], int] = {
    ("snowflake", "login"): 4,
    (
        "snowflake",
        "SELECT",
    ): 8,  # as above; also the version of the pipes, own load before the wait, rows in landing
    ("snowflake", "DELETE"): 24,  # stale rows in landing, replaced rows, promoted rows in landing
    ("snowflake", "POLL"): 8,  # at least once for each table
    ("snowflake", "BEGIN"): 1,
    ("snowflake", "UPDATE"): 1,
    ("snowflake", "INSERT"): 9,  # the promotion, the ledger
    ("snowflake", "COMMIT"): 3,  # the load, and each time that landing is cleared
    ("snowflake", "WITH"): 7,
    ("snowflake", "logout"): 4,
}
REQUESTS = {"copy": EVERY_LOAD | COPY, "snowpipe": EVERY_LOAD | SNOWPIPE}
"""Number of requests by load mode, service and kind."""
COMMITTED = {"copy": Label("snowflake", "COMMIT"), "snowpipe": Label("snowflake", "COMMIT", 2)}
"""The COMMIT that makes the load visible; with Snowpipe, COMMITs 1 and 3 clear landing."""

SETUP: dict[tuple[str, str], int] = {
    ("s3", "HEAD runs"): 0,  # no snapshot is published yet
    ("snowflake", "login"): 5,  # two for set-up, none for published snapshots
    ("snowflake", "logout"): 5,
    ("snowflake", "BEGIN"): 2,  # lock of set-up, lock of the load
    ("snowflake", "UPDATE"): 19,  # set-up renews its lock before each file and before it records the version
    ("snowflake", "ROLLBACK"): 1,
    ("snowflake", "SELECT"): 10,  # none for published snapshots, but more for versions and one for views
    ("snowflake", "CREATE"): 31,
    ("snowflake", "ALTER"): 10,  # two columns of the ledger, and one for each column made nullable
    ("snowflake", "INSERT"): 3,  # row of the lock, schema version, ledger
}
SETUP_PIPES: dict[tuple[str, str], int] = {
    **SETUP,
    ("snowflake", "UPDATE"): 24,
    ("snowflake", "SELECT"): 13,
    ("snowflake", "CREATE"): 48,  # also the table of their version, landing tables and pipes
    ("snowflake", "ALTER"): 18,  # also the nullable columns of the landing tables
    ("snowflake", "INSERT"): 12,
    ("snowflake", "DELETE"): 16,  # no stale rows in landing yet
    ("snowflake", "COMMIT"): 2,
}
FIRST_RUN = {
    "copy": EVERY_LOAD | COPY | SETUP,
    "snowpipe": EVERY_LOAD | SNOWPIPE | SETUP_PIPES,
}
"""Number of requests of a run that finds an empty schema."""


def without_further_polls(seen: list[Label]) -> list[Label]:
    """Leaves out further polls of pipes, because their number varies."""
    return [label for label in seen if label.kind != "POLL" or label.number <= SNOWPIPE["snowflake", "POLL"]]


def labels(load: str) -> list[Label]:
    """Labels of all requests of a clean run."""
    return expand(REQUESTS[load])


def first_and_last_of_each_table_loop(found: list[Label]) -> list[Label]:
    """Leaves out requests in the middle of a loop over the tables or in the report, because they are alike.

    A run killed there leaves another state each time, so test_killed_runs.py uses all of them.
    """
    loops = {"PUT tables", "COPY", "DELETE", "INSERT", "POLL", "WITH"}
    return [label for label in found if label.kind not in loops or label.number % len(TABLES) in (0, 1)]


def cases(
    requests: dict[str, list[Label]], ways: Iterable[str], always: Container[object] = ()
) -> list[object]:
    """One case per load mode, request and way to fail; those not in `always` belong to the long suites."""
    return [
        pytest.param(
            load,
            label,
            way,
            marks=[] if (load, str(label), way) in always else pytest.mark.faults,
            id=f"{load}-{label}-{way}",
        )
        for load, found in requests.items()
        for label in found
        for way in ways
    ]


def expand(counts: dict[tuple[str, str], int]) -> list[Label]:
    """Returns one label per request."""
    return [
        Label(service, kind, number)
        for (service, kind), count in counts.items()
        for number in range(1, count + 1)
    ]
