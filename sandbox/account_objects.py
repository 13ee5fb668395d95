"""What an administrator does once on a Snowflake account, done in the stand-in with the same file."""

from io import StringIO
from typing import Any
from urllib.parse import urlsplit

import snowflake.connector
from snowflake.connector.util_text import split_statements

from pipeline.warehouse.sql_files import literal, read_sql


def connect(url: str, **options: Any) -> snowflake.connector.SnowflakeConnection:
    """A connection to the stand-in at `http://127.0.0.1:<port>`; `options` as the connector takes them."""
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


def create_account_objects(url: str, lake_url: str) -> None:
    """Database, schema, warehouse, storage integration and roles."""
    text = read_sql(
        "account/create_account_objects",
        lake_url=literal(lake_url),
        role_arn=literal("arn:aws:iam::000000000000:role/snowflake-reads-the-lake"),
        external_id=literal("sandbox"),
    )
    with connect(url) as connection, connection.cursor() as cursor:
        for statement, _ in split_statements(StringIO(text), remove_comments=True):
            if statement:
                cursor.execute(statement)
