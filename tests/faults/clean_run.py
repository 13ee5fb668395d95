"""The requests of a clean run, by kind. A change of these numbers is a change of what the pipeline costs."""

from collections.abc import Container, Iterable

import pytest

from pipeline.columns import TABLES
from tests.faults.labels import Label

EVERY_LOAD: dict[tuple[str, str], int] = {
    ("spotify", "token"): 1,
    ("spotify", "playlist"): 3,
    ("spotify", "page"): 5,
    ("spotify", "snapshot"): 1,  # did the long one hold still?
    ("s3", "LIST tables"): 1,  # may anything of the date be published?
    ("s3", "HEAD runs"): 1,  # is the older state published?
    ("s3", "PUT raw"): 3,
    ("s3", "GET raw"): 3,
    ("s3", "LIST details"): 1,  # of artists and albums, where a run has asked for them
    ("s3", "PUT tables"): 8,
    ("s3", "PUT runs"): 1,
    ("s3", "PUT reports"): 1,
}
COPY: dict[tuple[str, str], int] = {
    ("snowflake", "login"): 4,  # what is published? is the schema current? load, report
    ("snowflake", "BEGIN"): 1,
    ("snowflake", "UPDATE"): 1,  # the lock
    ("snowflake", "SELECT"): 5,  # published, schema version, own load, counts, newer looks
    ("snowflake", "COPY"): 8,
    ("snowflake", "DELETE"): 8,
    ("snowflake", "INSERT"): 1,  # the ledger
    ("snowflake", "COMMIT"): 1,
    ("snowflake", "WITH"): 7,  # what changed since the snapshots before, and the report
    ("snowflake", "logout"): 4,
}
SNOWPIPE: dict[tuple[str, str], int] = {
    ("snowflake", "login"): 4,
    (
        "snowflake",
        "SELECT",
    ): 8,  # as above; also the pipes' version, own load before the wait, rows in landing
    ("snowflake", "DELETE"): 24,  # what dead runs left in landing, what is replaced, what was promoted
    ("snowflake", "POLL"): 8,  # at least once for each table
    ("snowflake", "BEGIN"): 1,
    ("snowflake", "UPDATE"): 1,
    ("snowflake", "INSERT"): 9,  # the promotion, the ledger
    ("snowflake", "COMMIT"): 3,  # the load, and each time that landing is cleared
    ("snowflake", "WITH"): 7,
    ("snowflake", "logout"): 4,
}
REQUESTS = {"copy": EVERY_LOAD | COPY, "snowpipe": EVERY_LOAD | SNOWPIPE}
"""Number of requests by service and kind, by way of loading."""
COMMITTED = {"copy": Label("snowflake", "COMMIT"), "snowpipe": Label("snowflake", "COMMIT", 2)}
"""The request that makes the load visible; Snowpipe's others clear landing, before and after it."""

SETUP: dict[tuple[str, str], int] = {
    ("s3", "HEAD runs"): 0,  # nothing is published
    ("snowflake", "login"): 5,  # two for the set-up, none for what is published
    ("snowflake", "logout"): 5,
    ("snowflake", "BEGIN"): 2,  # the set-up's lock, the load's
    ("snowflake", "UPDATE"): 19,  # the set-up holds it on before each file, and before it notes the version
    ("snowflake", "ROLLBACK"): 1,
    ("snowflake", "SELECT"): 10,  # no published, but more queries of versions and one of views
    ("snowflake", "CREATE"): 31,
    ("snowflake", "ALTER"): 10,  # the ledger's two columns, and one for each column that may be null now
    ("snowflake", "INSERT"): 3,  # the lock's row, the schema's version, the ledger
}
SETUP_PIPES: dict[tuple[str, str], int] = {
    **SETUP,
    ("snowflake", "UPDATE"): 24,
    ("snowflake", "SELECT"): 13,
    ("snowflake", "CREATE"): 48,  # and a table for their version, landing tables, pipes
    ("snowflake", "ALTER"): 18,  # and the same of the landing tables
    ("snowflake", "INSERT"): 12,
    ("snowflake", "DELETE"): 16,  # nobody has left anything in landing yet
    ("snowflake", "COMMIT"): 2,
}
FIRST_RUN = {
    "copy": EVERY_LOAD | COPY | SETUP,
    "snowpipe": EVERY_LOAD | SNOWPIPE | SETUP_PIPES,
}
"""The same of a run that finds an empty schema."""


def without_further_polls(seen: list[Label]) -> list[Label]:
    """Requests whose number is known: pipes are asked until they are done."""
    return [label for label in seen if label.kind != "POLL" or label.number <= SNOWPIPE["snowflake", "POLL"]]


def labels(load: str) -> list[Label]:
    """Every request of a clean run."""
    return expand(REQUESTS[load])


def first_and_last_of_each_table_loop(found: list[Label]) -> list[Label]:
    """The requests without those in the middle of a loop over the tables, or of the report: all are alike.

    A run that dies there leaves another state each time, so `test_die` tries all of them.
    """
    loops = {"PUT tables", "COPY", "DELETE", "INSERT", "POLL", "WITH"}
    return [label for label in found if label.kind not in loops or label.number % len(TABLES) in (0, 1)]


def cases(
    requests: dict[str, list[Label]], ways: Iterable[str], always: Container[object] = ()
) -> list[object]:
    """Each request of each way of loading, met in each way; `make test` tries only what is `always` tried."""
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
    """A label for each of so many requests."""
    return [
        Label(service, kind, number)
        for (service, kind), count in counts.items()
        for number in range(1, count + 1)
    ]
