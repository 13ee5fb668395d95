"""One-time set-up by a Snowflake administrator, in the stand-in and with the same files in sql/account/."""

import re
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from functools import cache
from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import snowflake.connector
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from snowflake.connector.util_text import split_statements

from pipeline.warehouse.sql_files import literal, read_sql

ROLE_ARN = "arn:aws:iam::123456789012:role/snowflake-reads-the-lake"
OF_DATABASE = re.compile(r"\b(DATABASE|SCHEMA)(\s+IF NOT EXISTS)?\s+spotify\b")
"""Matches the name of the database in a statement."""
GRANT_OWNER = "GRANT ROLE spotify_owner TO USER spotify_pipeline"
"""The simplest way in docs/by-hand.md to allow a user to change the schema."""


def connect(url: str, **options: Any) -> snowflake.connector.SnowflakeConnection:
    """Connects to the stand-in at `http://127.0.0.1:<port>` as administrator; `options` of the connector."""
    parts = urlsplit(url)
    return snowflake.connector.connect(
        account="sandbox",
        user="sandbox",
        password="sandbox",
        host=parts.hostname,
        port=parts.port,
        protocol=parts.scheme,
        paramstyle="qmark",
        network_timeout=30,
        login_timeout=30,
        platform_detection_timeout_seconds=0.0,
        **options,
    )


@cache
def key() -> rsa.RSAPrivateKey:
    """RSA key of the user SPOTIFY_PIPELINE, generated once per process."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_key() -> str:
    """The private key as PEM."""
    return (
        key()
        .private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        .decode()
    )


def public_key() -> str:
    """The public key in the format of RSA_PUBLIC_KEY: DER as base64 on one line."""
    public = key().public_key()
    der = public.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b64encode(der).decode()


def statements(name: str, **parts: str) -> Iterator[str]:
    """Yields the statements of `sql/account/<name>.sql`; `parts` are values of its placeholders."""
    yield from split(read_sql(f"account/{name}", **{part: literal(value) for part, value in parts.items()}))


def split(text: str) -> Iterator[str]:
    """Splits a SQL text into statements without comments and semicolons."""
    for statement, _ in split_statements(StringIO(text), remove_comments=True):
        if statement and statement.strip(" \n;"):
            yield statement.strip().rstrip(";")


def create_account_objects(url: str, tables_url: str) -> None:
    """Creates database, schema, warehouse, storage integration, roles, and the user of runs with its key.

    The user may also change the schema. `tables_url`: location that the storage integration allows.
    """
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        for statement in statements(
            "create_account_objects", tables_url=tables_url, role_arn=ROLE_ARN, external_id="sandbox"
        ):
            cursor.execute(statement)
        cursor.execute(GRANT_OWNER)
        cursor.execute(f"ALTER USER spotify_pipeline SET RSA_PUBLIC_KEY = '{public_key()}'")


def create_database(url: str, name: str) -> None:
    """Creates another database with the schema, and the same grants on both."""
    with closing(connect(url)) as connection, connection.cursor() as cursor:
        for statement in statements("create_account_objects", tables_url="", role_arn="", external_id=""):
            if OF_DATABASE.search(statement):
                cursor.execute(OF_DATABASE.sub(rf"\1\2 {name}", statement))
