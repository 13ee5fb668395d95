"""Statements from `sql/`: Snowflake binds values; only names of tables, columns and files are substituted."""

import re
from pathlib import Path

from pipeline.errors import Code, ConfigurationError

SQL = Path(__file__).parents[2] / "sql"
_PART = re.compile(r"\$\{(\w+)\}")


def read_sql(name: str, **parts: str) -> str:
    """Text of `sql/<name>.sql` with each `${part}` replaced; create parts with `identifier` or `literal`.

    Other dollar signs belong to Snowflake's syntax.
    """
    path = SQL / f"{name}.sql"
    try:
        return _PART.sub(lambda part: parts[part[1]], path.read_text(encoding="utf-8"))
    except (OSError, KeyError, ValueError) as error:
        raise ConfigurationError(
            f"sql/{name}.sql cannot be used: {error!r}. Deploy the file again", Code.SNOWFLAKE_SQL
        ) from error


def identifier(name: str) -> str:
    """A quoted identifier, in upper case, as Snowflake stores unquoted names."""
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ConfigurationError(
            f"{name!r} is not a valid identifier. Use only letters, digits and _", Code.SNOWFLAKE_SQL
        )
    return f'"{name.upper()}"'


def literal(text: str) -> str:
    """A file name or URL as a string literal, where Snowflake's syntax allows no bind variable."""
    escaped = text.replace("\\", "\\\\").replace("'", "''")
    return f"'{escaped}'"
