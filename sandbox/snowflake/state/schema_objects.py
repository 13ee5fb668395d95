"""Value types for names, options, stages, tables and columns."""

from typing import Any, NamedTuple

Name = tuple[str, str, str]  # database, schema, object
Options = dict[str, Any]

# The load history is in the database of the table, so that it is rolled back together with the data.
# DuckDB never reuses a table_oid, so a recreated table has no history.
HISTORY = "_fs_information_schema._loaded_files"


class Stage(NamedTuple):
    """An external stage; `file_format`: options of the stage, FORMAT_NAME is resolved when COPY uses them."""

    url: str
    file_format: Options

    @property
    def base(self) -> str:
        """The URL with a trailing slash."""
        return f"{self.url.rstrip('/')}/"


class Column(NamedTuple):
    """A column with its DuckDB type; `source`: field or metadata column to load; empty: the same name."""

    name: str
    type: str
    nullable: bool
    source: str = ""


class Table(NamedTuple):
    """A table that exists."""

    database: str
    schema: str
    name: str
    oid: int

    @property
    def sql(self) -> str:
        """The qualified name, quoted."""
        return f'"{self.database}"."{self.schema}"."{self.name}"'

    @property
    def history(self) -> str:
        """The qualified name of the load history."""
        return f'"{self.database}".{HISTORY}'
