"""Errors in the connector's form. An HTTP 500 is avoided, because the connector retries it for minutes."""

import re

import duckdb
from snowflake.connector.errors import Error, ProgrammingError

NOT_EMULATED = 2  # Snowflake's own "Unsupported feature"
NO_COLUMN = re.compile(r'Binder Error: .*[Cc]olumn (?:with name )?"(\w+)"')
"""DuckDB's message for a column that does not exist; fakesnow reports it as a missing object."""
NOT_IMPLEMENTED = 9999  # fakesnow's


def failure(errno: int, sqlstate: str, message: str) -> ProgrammingError:
    """Returns a Snowflake error with this number."""
    return ProgrammingError(msg=message, errno=errno, sqlstate=sqlstate)


def not_emulated(what: str) -> ProgrammingError:
    """Returns the error for a feature of Snowflake that the stand-in does not have."""
    return failure(NOT_EMULATED, "0A000", f"The Snowflake stand-in does not emulate {what}.")


def does_not_exist(kind: str, name: str) -> ProgrammingError:
    """Returns Snowflake's error for an object that is missing or that the role may not see."""
    message = f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized."
    return failure(2003, "02000", message)


def cannot_be_performed() -> ProgrammingError:
    """Returns Snowflake's error for a missing or hidden object of USE WAREHOUSE, or after IN of SHOW."""
    message = "SQL compilation error:\nObject does not exist, or operation cannot be performed."
    return failure(2043, "02000", message)


def already_exists(name: str) -> ProgrammingError:
    """Returns Snowflake's error for CREATE of an existing object."""
    return failure(2002, "42710", f"SQL compilation error:\nObject '{name}' already exists.")


def is_lock_conflict(error: Exception) -> bool:
    """Returns True if DuckDB refused a statement because of changes of another transaction."""
    return isinstance(error, duckdb.TransactionException) and "conflict" in str(error).lower()


def translate(error: Exception) -> ProgrammingError:
    """Returns any error of DuckDB, fakesnow or the stand-in as a ProgrammingError."""
    if isinstance(error, ProgrammingError):
        if column := NO_COLUMN.search(str(error.msg)):
            return failure(904, "42000", f"SQL compilation error:\ninvalid identifier '{column[1].upper()}'")
        return not_emulated(str(error.msg)) if error.errno == NOT_IMPLEMENTED else error
    if isinstance(error, Error):
        return failure(error.errno or NOT_EMULATED, error.sqlstate or "0A000", error.msg or str(error))
    text = str(error)
    if isinstance(error, duckdb.ConstraintException):
        return failure(100072, "22000", f"NULL result in a non-nullable column\n{text}")
    if isinstance(error, (duckdb.DataError, duckdb.InvalidInputException)):
        return failure(100038, "22018", text)
    return not_emulated(f"this statement, or the statement is invalid: {type(error).__name__}: {text}")
