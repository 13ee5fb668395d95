"""Login: credentials, and the database, schema and role of the session."""

from base64 import b64encode
from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector.errors import DatabaseError, ProgrammingError

WHERE = "SELECT CURRENT_DATABASE(), CURRENT_SCHEMA()"


class Case(NamedTuple):
    """Login options, and the expected current database and schema."""

    name: str
    login: dict[str, Any]
    expected: tuple[str | None, str | None]


@pytest.mark.parametrize(
    "case",
    [
        Case("both", {"database": "MUSIC", "schema": "LISTS"}, ("MUSIC", "LISTS")),
        Case("lower case", {"database": "music", "schema": "lists"}, ("MUSIC", "LISTS")),
        Case("without a schema: PUBLIC", {"database": "MUSIC", "schema": None}, ("MUSIC", "PUBLIC")),
        Case("unknown schema", {"database": "MUSIC", "schema": "NONE_SUCH"}, ("MUSIC", None)),
        Case("unknown database", {"database": "NONE_SUCH", "schema": "LISTS"}, (None, None)),
        Case("no database", {"database": None, "schema": None}, (None, None)),
    ],
    ids=lambda case: case.name,
)
def test_login_ignores_unknown_database_and_schema(connect: Callable[..., Any], case: Case) -> None:
    with connect(**case.login) as connection:
        assert connection.cursor().execute(WHERE).fetchone() == case.expected
        assert (connection.database, connection.schema) == case.expected


@pytest.mark.parametrize(
    ("login", "errno"),
    [({"database": "NONE_SUCH"}, 90105), ({"schema": "NONE_SUCH"}, 90106)],
    ids=["no current database", "no current schema"],
)
def test_unqualified_name_needs_a_current_database_and_schema(
    connect: Callable[..., Any], login: dict[str, Any], errno: int
) -> None:
    with (
        connect(**login) as connection,
        pytest.raises(ProgrammingError, match="does not have a current") as info,
    ):
        connection.cursor().execute("CREATE TABLE t (a INT)")
    assert info.value.errno == errno


def test_unknown_role_is_refused(connect: Callable[..., Any]) -> None:
    with pytest.raises(DatabaseError, match="Role 'NOBODY' specified in the connect string") as info:
        connect(role="NOBODY")
    assert (info.value.errno, info.value.sqlstate) == (390189, "08001")


def test_role_is_accepted_only_while_it_is_granted(connect: Callable[..., Any]) -> None:
    with connect() as admin:
        admin.cursor().execute("CREATE ROLE IF NOT EXISTS reader COMMENT = 'reads'")
        with pytest.raises(DatabaseError, match=r"Role 'READER' specified .* is not granted") as refused:
            connect(role="reader")
        assert (refused.value.errno, refused.value.sqlstate) == (390186, "08001")
        admin.cursor().execute("GRANT ROLE reader TO USER sandbox")
    with connect(role="reader") as connection:
        assert connection.cursor().execute("SELECT CURRENT_ROLE()").fetchone() == ("READER",)
        connection.cursor().execute("USE ROLE sysadmin")
        assert connection.cursor().execute("SELECT CURRENT_ROLE()").fetchone() == ("SYSADMIN",)
        with pytest.raises(ProgrammingError, match="Role 'NOBODY' does not exist"):
            connection.cursor().execute("USE ROLE nobody")
        connection.cursor().execute("USE ROLE accountadmin")
        connection.cursor().execute("DROP ROLE reader")
    with pytest.raises(DatabaseError, match="READER"):
        connect(role="reader")


def test_only_a_registered_key_opens_a_session(connect: Callable[..., Any], run: Callable[..., Any]) -> None:
    first, second = (rsa.generate_private_key(public_exponent=65537, key_size=2048) for _ in "12")
    login = {"user": "svc", "password": None, "authenticator": "SNOWFLAKE_JWT"}
    run("CREATE USER svc TYPE = SERVICE DEFAULT_ROLE = loader")
    run("GRANT ROLE loader TO USER svc")

    def logged_in(key: rsa.RSAPrivateKey) -> Any:
        with connect(**login, private_key=private(key)) as connection:
            return connection.cursor().execute("SELECT CURRENT_USER(), CURRENT_ROLE()").fetchone()

    for register in (f"SET RSA_PUBLIC_KEY = '{public(first)}'", f"SET RSA_PUBLIC_KEY_2 = '{public(second)}'"):
        with pytest.raises(DatabaseError, match="JWT token is invalid") as refused:
            logged_in(second)
        assert refused.value.errno == 390144
        run(f"ALTER USER svc {register}")
    assert logged_in(first) == logged_in(second) == ("SVC", "LOADER")
    run("ALTER USER svc UNSET RSA_PUBLIC_KEY")
    with pytest.raises(DatabaseError, match="JWT token is invalid"):
        logged_in(first)


@pytest.mark.parametrize("user", ["nobody", "with_a_key"])
def test_only_the_administrator_may_log_in_with_a_password(
    connect: Callable[..., Any], run: Callable[..., Any], user: str
) -> None:
    run("CREATE USER IF NOT EXISTS with_a_key")
    with pytest.raises(DatabaseError, match="Incorrect username or password") as refused:
        connect(user=user)
    assert refused.value.errno == 390100


def private(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def public(key: rsa.RSAPrivateKey) -> str:
    der = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return b64encode(der).decode()


def test_emulated_session_parameters_are_accepted(connect: Callable[..., Any]) -> None:
    parameters = {"LOCK_TIMEOUT": 3, "TIMEZONE": "UTC", "ABORT_DETACHED_QUERY": True, "QUERY_TAG": "run"}
    with connect(session_parameters=parameters, role="SYSADMIN", warehouse="wh") as connection:
        row = connection.cursor().execute("SELECT CURRENT_ROLE(), CURRENT_WAREHOUSE()").fetchone()
    assert row == ("SYSADMIN", "WH")


@pytest.mark.parametrize(
    "parameters", [{"TIMEZONE": "Europe/Berlin"}, {"AUTOCOMMIT": "MAYBE"}, {"WEEK_START": 1}], ids=str
)
def test_parameters_that_would_change_results_are_refused(
    connect: Callable[..., Any], parameters: dict[str, Any]
) -> None:
    with pytest.raises(DatabaseError, match="does not emulate"):
        connect(session_parameters=parameters)


def test_closing_a_connection_rolls_back(connect: Callable[..., Any], run: Callable[..., Any]) -> None:
    run("CREATE TABLE closing (a INT)")
    with connect() as other:
        other.cursor().execute("BEGIN")
        other.cursor().execute("INSERT INTO closing VALUES (1)")
    assert run("SELECT COUNT(*) FROM closing") == [(0,)]
    with connect(session_parameters={"LOCK_TIMEOUT": 0}) as next_one:
        assert next_one.cursor().execute("TRUNCATE TABLE closing"), "the lock was not released"
