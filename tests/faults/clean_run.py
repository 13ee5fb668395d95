"""The requests of a clean run, by kind. A change of these numbers is a change of what the pipeline costs."""

from tests.faults.labels import Label

EVERY_LOAD: dict[tuple[str, str], int] = {
    ("spotify", "token"): 1,
    ("spotify", "playlist"): 3,
    ("spotify", "page"): 5,
    ("spotify", "snapshot"): 1,  # did the long one hold still?
    ("s3", "HEAD runs"): 1,  # is the older state published?
    ("s3", "PUT raw"): 3,
    ("s3", "GET raw"): 3,
    ("s3", "LIST details"): 1,  # of artists and albums, where a run has asked for them
    ("s3", "PUT tables"): 8,
    ("s3", "PUT runs"): 1,
}
COPY: dict[tuple[str, str], int] = {
    ("snowflake", "login"): 3,  # what is published? is the schema current? load
    ("snowflake", "BEGIN"): 1,
    ("snowflake", "UPDATE"): 1,  # the lock
    ("snowflake", "SELECT"): 5,  # published, schema version, own load, counts, newer looks
    ("snowflake", "COPY"): 8,
    ("snowflake", "DELETE"): 8,
    ("snowflake", "INSERT"): 1,  # the ledger
    ("snowflake", "COMMIT"): 1,
    ("snowflake", "logout"): 3,
}
REQUESTS = {"copy": EVERY_LOAD | COPY}
"""Number of requests by service and kind, by way of loading."""


SETUP: dict[tuple[str, str], int] = {
    ("s3", "HEAD runs"): 0,  # nothing is published
    ("snowflake", "login"): 4,  # one more, for the set-up
    ("snowflake", "logout"): 4,
    ("snowflake", "SELECT"): 6,
    ("snowflake", "CREATE"): 25,
    ("snowflake", "ALTER"): 1,
    ("snowflake", "INSERT"): 3,  # the lock's row, the schema's version, the ledger
}
FIRST_RUN = {"copy": EVERY_LOAD | COPY | SETUP}
"""The same of a run that finds an empty schema."""


def labels(load: str) -> list[Label]:
    """Every request of a clean run."""
    return expand(REQUESTS[load])


def expand(counts: dict[tuple[str, str], int]) -> list[Label]:
    """A label for each of so many requests."""
    return [
        Label(service, kind, number)
        for (service, kind), count in counts.items()
        for number in range(1, count + 1)
    ]
