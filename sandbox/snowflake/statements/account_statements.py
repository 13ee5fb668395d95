"""Statements about grants, databases and storage integrations.

Each handler returns the status message; the handler of DESC returns SQL for its rows.
"""

import re
from typing import Any

import sqlglot
from fakesnow import info_schema, macros
from fakesnow.expr import normalise_ident
from sqlglot import exp

from sandbox.snowflake import errors
from sandbox.snowflake.copy import stages
from sandbox.snowflake.copy.load_history import create_history
from sandbox.snowflake.state.account import Account
from sandbox.snowflake.state.session import Session
from sandbox.snowflake.statements import grant_statements
from sandbox.snowflake.status import SUCCESS

DROP_DATABASE = r"DROP\s+DATABASE\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>\S+)$"
ALTER_INTEGRATION = (
    r"ALTER\s+STORAGE\s+INTEGRATION\s+(?P<name>\S+)"
    r"\s+SET\s+(?:STORAGE_ALLOWED_LOCATIONS\s*=\s*\((?P<locations>[^()]*)\)"
    r"|STORAGE_AWS_ROLE_ARN\s*=\s*'(?P<role>[^']*)')$"
)
DROP_INTEGRATION = r"DROP\s+(?:STORAGE\s+)?INTEGRATION\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>\S+)$"


def change_grants(session: Session, match: re.Match[str]) -> str:
    """Executes a statement about roles, users and grants."""
    place = (session.database, session.schema)
    return grant_statements.run(session.account.grants, session.role, match[0], place)


def create_database(session: Session, match: re.Match[str]) -> str:
    """Creates a database with a schema PUBLIC, and makes both current."""
    name = normalise_ident(match["name"])
    with session.account.ddl_lock:
        created = _create_database(session.account, name)
    if not created and not match["exists"]:
        raise errors.already_exists(name)
    if not created:
        return f"{name} already exists, statement succeeded."
    session.use(name, "PUBLIC")
    return f"Database {name} successfully created."


def _create_database(account: Account, name: str) -> bool:
    """Returns False if the database already exists."""
    if account.schema_exists(name.upper(), "MAIN"):
        return False
    with account.engine.cursor() as cursor:
        cursor.execute(f"ATTACH ':memory:' AS \"{name}\"")
        cursor.execute(info_schema.per_db_creation_sql(name))
        cursor.execute(macros.creation_sql(name))
        cursor.execute(f'CREATE SCHEMA "{name}".PUBLIC')
        create_history(cursor, name)
    return True


def drop_database(session: Session, match: re.Match[str]) -> str:
    """Drops a database with all objects in it; DuckDB refuses to drop the current database."""
    name, account = normalise_ident(match["name"]).upper(), session.account
    if not account.schema_exists(name, "MAIN"):
        if match["exists"]:
            return f"Drop statement executed successfully ({name} already dropped)."
        raise errors.does_not_exist("Database", name)
    with account.ddl_lock, account.engine.cursor() as cursor:
        cursor.execute(f'DETACH "{name}"')
    known: tuple[dict[Any, Any], ...] = (account.stages, account.formats, account.pipes.by_name)
    for objects in known:
        for one in [each for each in objects if each[0] == name]:
            del objects[one]
    return f"{name} successfully dropped."


def create_integration(session: Session, match: re.Match[str]) -> str:
    """Creates a storage integration."""
    create = sqlglot.parse_one(match[0], read="snowflake")
    if not isinstance(create, exp.Create):
        raise errors.not_emulated("this form of CREATE STORAGE INTEGRATION")
    return stages.create_integration(session, create)


def alter_integration(session: Session, match: re.Match[str]) -> str:
    """Sets the AWS role that Snowflake assumes, or the allowed locations of stages."""
    name, known = normalise_ident(match["name"]), session.account.integrations
    if name not in known:
        raise errors.does_not_exist("Integration", name)
    if match["role"]:
        known[name]["STORAGE_AWS_ROLE_ARN"] = match["role"]
    else:
        known[name]["STORAGE_ALLOWED_LOCATIONS"] = re.findall(r"'([^']*)'", match["locations"])
    return SUCCESS


def drop_integration(session: Session, match: re.Match[str]) -> str:
    """Drops a storage integration."""
    name = normalise_ident(match["name"])
    if session.account.integrations.pop(name, None) is None and not match["exists"]:
        raise errors.does_not_exist("Integration", name)
    return f"{name} successfully dropped."


def describe_integration(session: Session, match: re.Match[str]) -> str:
    """Returns SQL for the properties of a storage integration."""
    rows = stages.describe_integration(session, normalise_ident(match["name"]))
    columns = ("property", "property_type", "property_value", "property_default")
    return (
        exp.select("*")
        .from_(exp.values(rows, alias="t", columns=columns))
        .sql(dialect="snowflake", identify=True)
    )
