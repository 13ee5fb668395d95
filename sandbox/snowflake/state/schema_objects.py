"""Names, options, stages, tables and columns, as plain values."""

from typing import Any, NamedTuple

Name = tuple[str, str, str]  # database, schema, object
Options = dict[str, Any]

# what COPY has loaded, in the database of the table, so that it is rolled back with the data;
# DuckDB never uses a table_oid again: a recreated table starts without a history
HISTORY = "_fs_information_schema._loaded_files"


class Stage(NamedTuple):
    """An external stage; `file_format` is the stage's own, resolved when COPY uses it."""

    url: str
    file_format: Options

    @property
    def base(self) -> str:
        """The URL with a slash at its end."""
        return f"{self.url.rstrip('/')}/"


class Column(NamedTuple):
    """A column with its DuckDB type; `source`: the field or metadata that it is loaded from, if another."""

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
