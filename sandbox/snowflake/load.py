"""What one COPY loads: target, columns, format and files."""

from typing import NamedTuple

from sandbox.snowflake.csv_format import CsvFormat
from sandbox.snowflake.lake import LakeFile
from sandbox.snowflake.tables import Table


class Column(NamedTuple):
    """A target column with its DuckDB type."""

    name: str
    type: str
    nullable: bool


class Load(NamedTuple):
    """The files are local copies; their rows are read as text and cast."""

    table: Table
    columns: list[Column]
    format: CsvFormat
    files: list[LakeFile]

    def source(self, *files: LakeFile) -> str:
        """Return SQL that reads the given files, or all: the columns as text, and `__file`."""
        paths = [file.path for file in files or self.files]
        return self.format.reader(paths, [column.name for column in self.columns])

    def text(self, column: Column) -> str:
        """Return SQL for a column's text, null where the format says so."""
        return self.format.value(column.name)

    def insert(self) -> str:
        """Return SQL that loads all files."""
        names = ", ".join(f'"{column.name}"' for column in self.columns)
        values = ", ".join(f"CAST({self.text(column)} AS {column.type})" for column in self.columns)
        return f"INSERT INTO {self.table.sql} ({names}) SELECT {values} FROM {self.source()}"
