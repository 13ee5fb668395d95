"""Each grant of sql/account is necessary, and together they are sufficient.

Statements of runs are recorded once, then their privileges are checked with one grant missing at a time.
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
"""The user that logs in with a role, in an account with a separate user for setup."""
ROLES = ("SPOTIFY_OWNER", "SPOTIFY_LOADER", "SPOTIFY_READER")
SCRIPTS = [
    *statements("create_account_objects", tables_url="s3://bucket/tables/", role_arn="arn", external_id="x"),
    *statements("create_admin_user", public_key="MII"),
]

STATUS = re.compile(r"SELECT SYSTEM\$PIPE_STATUS\('\W*(?P<pipe>\w+)\W*'\)\s*")
"""A call whose privilege the stand-in checks at execution, so `needs.statement` does not list it."""


def atomic(statement: str) -> Iterator[str]:
    """Yields the statement, a GRANT of several privileges as one statement per privilege."""
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
    """Records every statement that this process sends, with its role.

    Failed statements are left out: a first run queries the version of a schema that does not exist yet.
    """
    execute, sent = SnowflakeCursor.execute, list[Sent]()

    def execute_and_record(cursor: SnowflakeCursor, command: str, *args: Any, **kwargs: Any) -> Any:
        result = execute(cursor, command, *args, **kwargs)
        sent.append(Sent(cursor.connection.role or "", command))
        return result

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(SnowflakeCursor, "execute", execute_and_record)
        yield sent


@pytest.fixture(scope="module")
def sent(create_pipeline: Callable[..., Pipeline], addresses: Addresses) -> list[Sent]:
    """Statements of a first set-up, runs in both load modes, a full refresh, an upgrade and a reader."""
    pipeline, older = create_pipeline(), Warehouse(Place.create(addresses), "snowpipe")
    pipeline.serve()
    set_up_older(older, 2)
    controls = f"{addresses.snowflake}/sandbox/pipes"
    requests.put(
        controls, json={"delay": 1}, timeout=10
    ).raise_for_status()  # seconds: a run queries slow pipes
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
    """Logins and statements that fail in an account without one of the grants."""
    grants = Grants()
    for statement in ACCOUNT:
        if statement != without:
            do(grants, ADMIN, statement)
    found = [
        f"administrators take the role {role}" for role in ROLES if role not in grants.closure("SYSADMIN")
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
    """The role's session: without a current database or schema if it has no USAGE on them."""
    place = (Securable("DATABASE", ("SPOTIFY",)), Securable("SCHEMA", ("SPOTIFY", "PLAYLISTS")))
    database, schema = (one.name[-1] if grants.allows(role, ("USAGE",), one) else None for one in place)
    return Actor(role, database, schema if database else None, "SPOTIFY_LOAD")


def succeeds(grants: Grants, by: Actor, command: str) -> bool:
    """Returns True if the privileges suffice; INFORMATION_SCHEMA must show every object."""
    known = needs.statement(command)
    try:
        do(grants, by, command)
    except ProgrammingError:
        return False
    unnamed = None in (by.database, by.schema) and bool(known.needs or known.reads_information_schema)
    return not unnamed and not (known.reads_information_schema and grants.hidden(by.role, "SPOTIFY"))


def do(grants: Grants, by: Actor, command: str) -> None:
    """Checks the privileges of the statement, then applies what it grants, creates or drops."""
    known = needs.statement(command)
    access.check(grants, by, known)
    if status := STATUS.fullmatch(command):
        pipe = (by.database or "", by.schema or "", status["pipe"].upper())
        grants.require(by.role, ("MONITOR",), Securable("PIPE", pipe))
    if re.match(r"GRANT\s|REVOKE\s|(CREATE|ALTER)\s+(ROLE|USER)\s", command):
        grant_statements.run(grants, by.role, command, by[1:3])
    access.apply(grants, by, known)


@pytest.mark.faults
def test_the_grants_are_sufficient(sent: list[Sent]) -> None:
    assert {role for role, _ in sent} == set(ROLES)
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
def test_each_grant_is_necessary(sent: list[Sent], grant: str) -> None:
    found = failing(sent, grant)
    print(f"\nwithout {grant}:", *found, sep="\n    ")  # noqa: T201 - the matrix
    assert found != []


class Revoked(NamedTuple):
    """A revoked privilege, the role that loses it, and the message of the run."""

    privilege: str
    role: str
    message: str
    load: LoadMode = "copy"


DENIED, HIDDEN = r".*\[SNOWFLAKE_DENIED\]", r".*\[SNOWFLAKE_NOT_FOUND\]"
REVOKED = {
    "insert": Revoked(
        "INSERT ON TABLE {}.songs_history",
        "SPOTIFY_LOADER",
        r"role SPOTIFY_LOADER must have INSERT granted on TABLE \w+\.PLAYLISTS\.SONGS_HISTORY" + DENIED,
    ),
    "stage": Revoked(
        "USAGE ON STAGE {}.lake",
        "SPOTIFY_LOADER",
        r"copy_table\.sql \(role SPOTIFY_LOADER, .*Stage '\w+\.PLAYLISTS\.LAKE' does not exist" + HIDDEN,
    ),
    "schema": Revoked(
        "USAGE ON SCHEMA {}",
        "SPOTIFY_LOADER",
        r"role SPOTIFY_LOADER.*schema.*grant its role USAGE on it" + HIDDEN,
    ),
    "pipe": Revoked(
        "CREATE PIPE ON SCHEMA {}",
        "SPOTIFY_OWNER",
        r"role SPOTIFY_OWNER must have CREATE PIPE granted on SCHEMA \w+\.PLAYLISTS" + DENIED,
        "snowpipe",
    ),
}


@pytest.mark.parametrize("name", enumerated(REVOKED, ["insert"]))
def test_a_run_without_a_privilege_names_it_with_object_and_role(pipeline: Pipeline, name: str) -> None:
    revoked = REVOKED[name]
    change = f"{revoked.privilege.format(f'{pipeline.place.database}.playlists')} {{}} ROLE {revoked.role}"
    with connect(pipeline.place.addresses.snowflake) as admin, admin.cursor() as cursor:
        cursor.execute("REVOKE " + change.format("FROM"))
        try:
            state = pipeline.ingest(CHARTS[0], load=revoked.load)
        finally:
            cursor.execute("GRANT " + change.format("TO"))
    if revoked.load == "snowpipe":  # its set-up failed halfway: complete it for the next test
        Warehouse(pipeline.place, revoked.load).set_up()
    assert state.is_failed()
    assert re.search(revoked.message, state.message, re.DOTALL), state.message
