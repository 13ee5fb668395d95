"""SQL of one COPY: target table, columns, format and files."""

from typing import NamedTuple

from sandbox.snowflake.copy.csv_format import CsvFormat, text
from sandbox.snowflake.copy.staged_files import StagedFile
from sandbox.snowflake.state.schema_objects import Column, Table

FILE_NAME = "METADATA$FILENAME"
ROW_NUMBER = "METADATA$FILE_ROW_NUMBER"


class Load(NamedTuple):
    """A load of local copies of staged files: fields are read as text and cast.

    `fields`: number of fields of the longest record, read by position ($1, …) for a COPY with a SELECT; 0
    for a COPY without SELECT, which reads exactly the columns in order. `ragged`: some records are shorter,
    and their missing fields are null.
    """

    table: Table
    columns: list[Column]
    format: CsvFormat
    files: list[StagedFile]
    fields: int = 0
    ragged: bool = False

    def source(self, *files: StagedFile) -> str:
        """Returns SQL that reads the given files (default: all): the fields as text, and `__file`."""
        paths = [file.path for file in files or self.files]
        if not self.fields:
            return self.format.reader(paths, [column.name for column in self.columns])
        names = [f"${number}" for number in range(1, self.fields + 1)]
        reader = self.format.reader(paths, names, padded=self.ragged)
        return f'(SELECT *, row_number() OVER () AS "{ROW_NUMBER}" FROM {reader})'

    def field(self, column: Column) -> str:
        """Returns the quoted SQL name of the field that a column is loaded from."""
        name = column.source or column.name
        return '"' + name.replace('"', '""') + '"'

    def text(self, column: Column) -> str:
        """Returns SQL for the text of a column, with NULL_IF of the format applied."""
        if column.source == FILE_NAME:
            return text(self.files[0].key)
        if column.source == ROW_NUMBER:
            return f'CAST("{ROW_NUMBER}" AS VARCHAR)'
        return self.format.value(column.source or column.name)

    def insert(self) -> str:
        """Returns the INSERT that loads all files."""
        names = ", ".join(f'"{column.name}"' for column in self.columns)
        values = ", ".join(f"CAST({self.text(column)} AS {column.type})" for column in self.columns)
        return f"INSERT INTO {self.table.sql} ({names}) SELECT {values} FROM {self.source()}"
