"""Preflight checks every grant that runs and set-up need: without it, a check is red and names it.

`pytest -rP` prints the matrix: below each grant, the checks that are red or skipped without it.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pipeline.columns import TABLES, pipe
from pipeline.preflight.checks import Checklist, Line
from pipeline.preflight.future_grants import PIPES, WANTED
from pipeline.preflight.owner_checks import check_owner
from pipeline.preflight.warehouse_checks import check_warehouse
from sandbox.account_objects import OF_DATABASE, connect
from sandbox.services import Addresses
from tests.flows.test_grants import GRANTS
from tests.places import Place
from tests.tiers import enumerated
from tests.warehouses import DAY, OWNER, Warehouse

OTHERS = ("TO ROLE sysadmin", "TO ROLE spotify_reader", "TO USER spotify_admin")
"""Grantees that `python -m deploy preflight` checks."""
CHECKED = [one for one in GRANTS if not one.endswith(OTHERS)]
ALWAYS = ["GRANT DELETE ON FUTURE TABLES IN SCHEMA spotify.playlists TO ROLE spotify_loader"]


@pytest.fixture(scope="module")
def loaded(addresses: Addresses) -> Iterator[Warehouse]:
    """A warehouse loaded by pipes."""
    made = Warehouse(Place.create(addresses), "snowpipe")
    made.set_up()
    made.publish("sandboxMixtape00000001")
    yield made
    made.place.drop()


def lines(warehouse: Warehouse) -> list[Line]:
    """Lines of all checks of the warehouse, with the loader role and with the owner role."""
    checks = Checklist()
    check_warehouse(checks, warehouse.session(), warehouse.lake, "snowpipe")
    check_owner(checks, warehouse.session(role=OWNER), "SPOTIFY_LOAD", f"{warehouse.lake.url}tables/")
    return checks.lines


def grants_in(grant: str, database: str) -> list[str]:
    """A grant of the account script as statements for an existing schema in the test's database."""
    if " PIPES " in grant:  # Snowflake has no GRANT ON ALL PIPES
        schema = f"{database}.playlists"
        return [f"GRANT MONITOR ON PIPE {schema}.{pipe(one)} TO ROLE spotify_loader" for one in TABLES]
    return [OF_DATABASE.sub(rf"\1\2 {database}", grant).replace(" FUTURE ", " ALL ")]


@contextmanager
def without(addresses: Addresses, grant: str, database: str) -> Iterator[None]:
    """Revokes a grant, and restores it afterwards."""
    grants = grants_in(grant, database)
    with connect(addresses.snowflake) as connection, connection.cursor() as cursor:
        for one in grants:
            cursor.execute(re.sub(r"^GRANT (.*) TO (ROLE|USER) ", r"REVOKE \1 FROM \2 ", one))
        try:
            yield
        finally:
            for one in grants:
                cursor.execute(one)


@pytest.mark.faults
def test_a_schema_that_is_set_up_has_no_red_check_and_is_not_changed(loaded: Warehouse) -> None:
    def state() -> object:
        return loaded.place.schema(), loaded.place.contents(["playlists", "songs"]), loaded.place.keys()

    before = state()
    found = lines(loaded)
    assert [line for line in found if line.status != "ok"] == []
    by_check = {line.check: line.text for line in found}
    assert by_check["warehouse: newest snapshot"] == f"{DAY}; 1 playlist"
    assert by_check["warehouse: COPY from the lake"].startswith(f"playlists/dt={DAY}/")
    assert state() == before


@pytest.mark.parametrize("grant", enumerated(CHECKED, ALWAYS))
def test_each_missing_grant_is_named(loaded: Warehouse, addresses: Addresses, grant: str) -> None:
    with without(addresses, grant, loaded.place.database):
        found = [line for line in lines(loaded) if line.status != "ok"]
    print(grant, *(f"  {line.status} {line.check}: {line.text}" for line in found), sep="\n")  # noqa: T201
    red = [line for line in found if line.is_red]
    assert red
    privilege, thing = named_in_message(grant, loaded.place.database)
    for line in red:
        assert privilege in line.text
        assert thing in line.text.upper()


def named_in_message(grant: str, database: str) -> tuple[str, str]:
    """Parts of the message about a missing grant: the privilege or role, and the object or user."""
    if user := re.match(r"GRANT ROLE (\w+) TO USER (\w+)", grant):
        return user[1].upper(), "USER"
    privilege, what = re.match(r"GRANT ([A-Z ]+) ON (.*) TO ROLE", grant).groups()  # type: ignore[union-attr]
    if "FUTURE" in what:
        kind = what.split()[1].removesuffix("S")
        return privilege, {"FILE": "FILE FORMAT"}.get(kind, kind)
    return privilege, OF_DATABASE.sub(rf"\1\2 {database}", what).split()[-1].upper()


@pytest.fixture
def empty(addresses: Addresses) -> Iterator[Warehouse]:
    """A warehouse that is not set up."""
    made = Warehouse(Place.create(addresses))
    yield made
    made.place.drop()


def test_an_empty_schema_has_no_red_check(empty: Warehouse) -> None:
    by_check = {line.check: (line.status, line.text) for line in lines(empty)}
    assert by_check["warehouse: schema version"] == (
        "ok",
        "not set up yet: the next run creates everything",
    )
    assert {status for status, _ in by_check.values()} == {"ok"}


def test_privileges_on_future_tables_are_checked_in_an_empty_schema(
    empty: Warehouse, addresses: Addresses
) -> None:
    schema = f"{empty.place.database}.playlists"
    with connect(addresses.snowflake) as connection:
        connection.cursor().execute(
            f"REVOKE DELETE ON FUTURE TABLES IN SCHEMA {schema} FROM ROLE spotify_loader"
        )
    (red,) = [line for line in lines(empty) if line.status != "ok"]
    assert red.check == "warehouse: SELECT, INSERT, UPDATE, DELETE on future tables"
    assert red.text.startswith("role SPOTIFY_LOADER lacks DELETE on future tables. GRANT DELETE ON FUTURE")


def test_the_checked_future_grants_are_those_of_the_account_script() -> None:
    found: dict[str, set[str]] = {}
    for privilege, kind in re.findall(
        r"GRANT (\w+) ON FUTURE ([\w ]+?)S IN SCHEMA \S+ TO ROLE spotify_loader", "\n".join(GRANTS)
    ):
        found.setdefault(kind, set()).add(privilege)
    assert found == {kind: set(wanted) for kind, wanted in (WANTED | PIPES).items()}


def test_a_storage_integration_for_another_lake_is_red_in_an_empty_schema(empty: Warehouse) -> None:
    checks = Checklist()
    check_owner(checks, empty.session(role=OWNER), "SPOTIFY_LOAD", "s3://elsewhere/tables/")
    (red,) = [line for line in checks.lines if line.status != "ok"]
    assert "not s3://elsewhere/tables/. ALTER STORAGE INTEGRATION" in red.text
    assert red.text.endswith("[INTEGRATION_DIFFERS]")


DAMAGED = {
    "DELETE FROM writer_lock": ("warehouse: row of the lock", "[SNOWFLAKE_LOCK_ROW]"),
    "ALTER TABLE songs_history DROP COLUMN name": (
        "warehouse: table songs_history",
        "lacks a column of this release",
    ),
    "ALTER TABLE loads DROP COLUMN load_results": (
        "warehouse: table loads",
        "lacks a column of this release",
    ),
    "DROP VIEW tracklist": ("warehouse: views", "does not see the views tracklist. The next run creates"),
    "DROP TABLE rejects_history": ("warehouse: table rejects_history", "[SNOWFLAKE_NOT_FOUND]"),
}


@pytest.mark.parametrize("statement", enumerated(DAMAGED, []))
def test_a_damaged_schema_is_red(empty: Warehouse, statement: str) -> None:
    empty.set_up()
    empty.place.query(statement)
    check, message = DAMAGED[statement]
    by_check = {line.check: line for line in lines(empty)}
    assert by_check[check].is_red
    assert message in by_check[check].text
