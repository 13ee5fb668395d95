"""Errors as the connector expects them: never an HTTP 500, which it would retry for minutes."""

import duckdb
from snowflake.connector.errors import Error, ProgrammingError

NOT_EMULATED = 2  # Snowflake's own "Unsupported feature"
NOT_IMPLEMENTED = 9999  # fakesnow's


def failure(errno: int, sqlstate: str, message: str) -> ProgrammingError:
    """Returns the error that Snowflake reports under `errno`."""
    return ProgrammingError(msg=message, errno=errno, sqlstate=sqlstate)


def not_emulated(what: str) -> ProgrammingError:
    """Returns the error for anything that Snowflake knows and this stand-in does not."""
    return failure(NOT_EMULATED, "0A000", f"The Snowflake stand-in does not emulate {what}.")


def does_not_exist(kind: str, name: str) -> ProgrammingError:
    """Returns Snowflake's error for an object that is missing or hidden."""
    message = f"SQL compilation error:\n{kind} '{name}' does not exist or not authorized."
    return failure(2003, "02000", message)


def already_exists(name: str) -> ProgrammingError:
    """Returns Snowflake's error for a second CREATE."""
    return failure(2002, "42710", f"SQL compilation error:\nObject '{name}' already exists.")


def is_lock_conflict(error: Exception) -> bool:
    """Whether DuckDB refused a statement because of another transaction's changes."""
    return isinstance(error, duckdb.TransactionException) and "conflict" in str(error).lower()


def translate(error: Exception) -> ProgrammingError:
    """Returns any other failure, DuckDB's or fakesnow's, as a ProgrammingError."""
    if isinstance(error, ProgrammingError):
        return not_emulated(str(error.msg)) if error.errno == NOT_IMPLEMENTED else error
    if isinstance(error, Error):
        return failure(error.errno or NOT_EMULATED, error.sqlstate or "0A000", error.msg or str(error))
    text = str(error)
    if isinstance(error, duckdb.ConstraintException):
        return failure(100072, "22000", f"NULL result in a non-nullable column\n{text}")
    if isinstance(error, (duckdb.DataError, duckdb.InvalidInputException)):
        return failure(100038, "22018", text)
    return not_emulated(f"this statement, or it is wrong: {type(error).__name__}: {text}")
