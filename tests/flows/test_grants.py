"""Each grant of sql/account is needed, and all of them are enough: what runs send, against one grant less.

`pytest -rP` shows the matrix: below each grant the statements that fail without it.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest
import requests
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import ProgrammingError

import flows.publish
from flows.write_report import write_report
from pipeline.columns import TABLES, history
from pipeline.lake.layout import LoadMode
from pipeline.warehouse.views import view_files
from sandbox.account_objects import connect, statements
from sandbox.services import Addresses
from sandbox.snowflake.state.grants import Grants, Securable
from sandbox.snowflake.statements import access, dispatch, grant_statements, needs
from sandbox.snowflake.statements.access import Actor
from sandbox.spotify.catalogue import CHARTS, MIXTAPE
from tests.flows.conftest import TODAY, Pipeline
from tests.pipeline.warehouse.older_versions import set_up_older
from tests.places import Place
from tests.tiers import enumerated
from tests.warehouses import Warehouse

ADMIN = Actor("ACCOUNTADMIN", None, None, None)
USERS = {"SPOTIFY_LOADER": "SPOTIFY_PIPELINE", "SPOTIFY_OWNER": "SPOTIFY_ADMIN"}
"""Who acts in a role, where each has a user of its own."""
PEOPLE = ("SPOTIFY_OWNER", "SPOTIFY_LOADER", "SPOTIFY_READER")
SCRIPTS = [
    *statements("create_account_objects", tables_url="s3://bucket/tables/", role_arn="arn", external_id="x"),
    *statements("create_admin_user", public_key="MII"),
]

STATUS = re.compile(r"SELECT SYSTEM\$PIPE_STATUS\('\W*(?P<pipe>\w+)\W*'\)\s*")
"""A function, whose privileges the stand-in checks while it runs."""


def atomic(statement: str) -> Iterator[str]:
    """The statement, or one for each privilege that it grants."""
    granted = grant_statements.PRIVILEGE.match(statement)
    if granted is None:
        yield " ".join(statement.split())
        return
    for privilege in granted["privileges"].split(","):
        rest = statement[granted.end("privileges") :]
        yield " ".join(f"GRANT {privilege} {rest}".split())


ACCOUNT = [one for statement in SCRIPTS for one in atomic(statement)]
GRANTS = [one for one in ACCOUNT if one.startswith("GRANT")]


class Sent(NamedTuple):
    """A statement, and the role that sent it."""

    role: str
    text: str


@contextmanager
def recording() -> Iterator[list[Sent]]:
    """Notes every statement that this process sends, with its role.

    Except those that fail: a first run asks for the version of a schema that is not there.
    """
    execute, sent = SnowflakeCursor.execute, list[Sent]()

    def execute_and_note(cursor: SnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> Any:
        result = execute(cursor, command, *args, **kwargs)
        sent.append(Sent(cursor.connection.role or "", command))
        return result

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SnowflakeCursor, "execute", execute_and_note)
        yield sent


@pytest.fixture(scope="module")
def sent(create_pipeline: Callable[..., Pipeline], addresses: Addresses) -> list[Sent]:
    """What a first set-up, runs in both ways, a full refresh, an upgrade and readers send."""
    pipeline, older = create_pipeline(), Warehouse(Place.create(addresses), "snowpipe")
    pipeline.show()
    set_up_older(older, 2)
    controls = f"{addresses.snowflake}/sandbox/pipes"
    requests.put(controls, json={"delay": 1}, timeout=10).raise_for_status()  # so that a run asks for pipes
    try:
        with recording() as sent, pytest.MonkeyPatch.context() as patched:
            patched.setattr(flows.publish, "write_report", write_report)
            for options in (
                {"load": "copy"},
                {"load": "snowpipe"},
                {"load": "snowpipe", "skip_unchanged": False},
            ):
                assert pipeline.ingest(CHARTS[0], snapshot_date=TODAY, **options).is_completed()
            assert pipeline.ingest(MIXTAPE, snapshot_date=TODAY, **pipeline.confirmed).is_completed()
            older.set_up()
            with pipeline.place.connected("SPOTIFY_READER") as connection, connection.cursor() as cursor:
                for name in (*map(history, TABLES), "loads", *view_files()):
                    cursor.execute(f"SELECT * FROM {name} LIMIT 1")
    finally:
        requests.put(controls, json={}, timeout=10).raise_for_status()
    return sent


def failing(sent: list[Sent], without: str = "") -> list[str]:
    """What fails in an account that lacks one grant of the scripts."""
    grants = Grants()
    for statement in ACCOUNT:
        if statement != without:
            do(grants, ADMIN, statement)
    found = [
        f"administrators take the role {role}" for role in PEOPLE if role not in grants.closure("SYSADMIN")
    ]
    for role, text in sent:
        command = dispatch.plain(text)
        shown = f"{role}: {' '.join(command.split())[:90]}"
        if role in USERS and not grants.may_be(USERS[role], role):
            found.append(f"{USERS[role]} logs in as {role}")
        elif not succeeds(grants, actor(grants, role), command):
            found.append(shown)
    return list(dict.fromkeys(found))


def actor(grants: Grants, role: str) -> Actor:
    """The role as it is logged in: without a database or schema that it may not use."""
    place = (Securable("DATABASE", ("SPOTIFY",)), Securable("SCHEMA", ("SPOTIFY", "PLAYLISTS")))
    database, schema = (one.name[-1] if grants.allows(role, ("USAGE",), one) else None for one in place)
    return Actor(role, database, schema if database else None, "SPOTIFY_LOAD")


def succeeds(grants: Grants, by: Actor, command: str) -> bool:
    """Executes the statement, as far as privileges go; INFORMATION_SCHEMA must show everything."""
    known = needs.statement(command)
    try:
        do(grants, by, command)
    except ProgrammingError:
        return False
    unnamed = None in (by.database, by.schema) and bool(known.needs or known.reads_information_schema)
    return not unnamed and not (known.reads_information_schema and grants.hidden(by.role, "SPOTIFY"))


def do(grants: Grants, by: Actor, command: str) -> None:
    """Checks the statement and notes what it changes."""
    known = needs.statement(command)
    access.check(grants, by, known)
    if status := STATUS.fullmatch(command):
        pipe = (by.database or "", by.schema or "", status["pipe"].upper())
        grants.require(by.role, ("MONITOR",), Securable("PIPE", pipe))
    if re.match(r"GRANT\s|REVOKE\s|(CREATE|ALTER)\s+(ROLE|USER)\s", command):
        grant_statements.run(grants, by.role, command, by[1:3])
    access.apply(grants, by, known)


@pytest.mark.faults
def test_the_grants_are_enough(sent: list[Sent]) -> None:
    assert {role for role, _ in sent} == set(PEOPLE)
    assert {dispatch.plain(text).split()[0] for _, text in sent} >= {
        "SELECT",
        "UPDATE",
        "COPY",
        "DELETE",
        "INSERT",
        "CREATE",
        "ALTER",
    }
    assert failing(sent) == []


@pytest.mark.faults
@pytest.mark.parametrize("grant", GRANTS)
def test_each_grant_is_needed(sent: list[Sent], grant: str) -> None:
    found = failing(sent, grant)
    print(f"\nwithout {grant}:", *found, sep="\n    ")  # noqa: T201 - the matrix
    assert found != []


class Taken(NamedTuple):
    """A privilege that is taken away, from whom, and what the run says then."""

    privilege: str
    role: str
    message: str
    load: LoadMode = "copy"


DENIED, HIDDEN = r".*\[SNOWFLAKE_DENIED\]", r".*\[SNOWFLAKE_NOT_FOUND\]"
TAKEN = {
    "insert": Taken(
        "INSERT ON TABLE {}.songs_history",
        "SPOTIFY_LOADER",
        r"role SPOTIFY_LOADER must have INSERT granted on TABLE \w+\.PLAYLISTS\.SONGS_HISTORY" + DENIED,
    ),
    "stage": Taken(
        "USAGE ON STAGE {}.lake",
        "SPOTIFY_LOADER",
        r"copy_table\.sql \(role SPOTIFY_LOADER, .*Stage '\w+\.PLAYLISTS\.LAKE' does not exist" + HIDDEN,
    ),
    "schema": Taken(
        "USAGE ON SCHEMA {}",
        "SPOTIFY_LOADER",
        r"role SPOTIFY_LOADER.*schema.*grant its role USAGE on it" + HIDDEN,
    ),
    "pipe": Taken(
        "CREATE PIPE ON SCHEMA {}",
        "SPOTIFY_OWNER",
        r"role SPOTIFY_OWNER must have CREATE PIPE granted on SCHEMA \w+\.PLAYLISTS" + DENIED,
        "snowpipe",
    ),
}


@pytest.mark.parametrize("name", enumerated(TAKEN, ["insert"]))
def test_a_run_without_a_privilege_names_it_with_object_and_role(pipeline: Pipeline, name: str) -> None:
    taken = TAKEN[name]
    change = f"{taken.privilege.format(f'{pipeline.place.database}.playlists')} {{}} ROLE {taken.role}"
    with connect(pipeline.place.addresses.snowflake) as admin, admin.cursor() as cursor:
        cursor.execute("REVOKE " + change.format("FROM"))
        try:
            state = pipeline.ingest(CHARTS[0], load=taken.load)
        finally:
            cursor.execute("GRANT " + change.format("TO"))
    if taken.load == "snowpipe":  # whose set-up has failed half-way
        Warehouse(pipeline.place, taken.load).set_up()
    assert state.is_failed()
    assert re.search(taken.message, state.message, re.DOTALL), state.message
