"""CSV file format options, and the equivalent DuckDB reader."""

import csv
import itertools
from pathlib import Path
from typing import Any, Literal, NamedTuple

from sandbox.snowflake import errors
from sandbox.snowflake.state.schema_objects import Options

MAX_RECORD_BYTES = 128 * 2**20
MIN_BUFFER_BYTES = 2 * 2**20
UNTERMINATED = "Value with unterminated quote found."

# Options that CsvFormat evaluates.
EVALUATED = {
    "SKIP_HEADER",
    "FIELD_DELIMITER",
    "FIELD_OPTIONALLY_ENCLOSED_BY",
    "NULL_IF",
    "EMPTY_FIELD_AS_NULL",
    "COMPRESSION",
    "ESCAPE_UNENCLOSED_FIELD",
    "COMMENT",
}
# Options of which only these values are emulated.
EMULATED_VALUES: dict[str, set[Any]] = {
    "TYPE": {"CSV"},
    "ENCODING": {"UTF8", "UTF-8"},
    "COMPRESSION": {"GZIP", "AUTO", "NONE"},
    "RECORD_DELIMITER": {"\n", "\\N"},
    "ERROR_ON_COLUMN_COUNT_MISMATCH": {"TRUE"},
    "ESCAPE": {"NONE"},
    "ESCAPE_UNENCLOSED_FIELD": {"NONE"},
    "FIELD_OPTIONALLY_ENCLOSED_BY": {'"', "NONE"},
    "TRIM_SPACE": {"FALSE"},
    "MULTI_LINE": {"TRUE"},
    "PARSE_HEADER": {"FALSE"},
    "REPLACE_INVALID_CHARACTERS": {"FALSE"},
    "DATE_FORMAT": {"AUTO"},
    "TIME_FORMAT": {"AUTO"},
    "TIMESTAMP_FORMAT": {"AUTO"},
}


class CsvFormat(NamedTuple):
    """The evaluated options; defaults as in Snowflake."""

    skip_header: int = 0
    delimiter: str = ","
    quote: str = ""
    null_if: tuple[str, ...] = ("\\N",)
    empty_is_null: bool = True
    compression: str = "AUTO"
    backslash_is_text: bool = False  # ESCAPE_UNENCLOSED_FIELD = NONE; the default escapes with a backslash

    @classmethod
    def of(cls, options: Options) -> "CsvFormat":
        """Returns the format; raises for an option or a value that is not emulated."""
        for name, value in options.items():
            if name not in EVALUATED and name not in EMULATED_VALUES:
                raise errors.not_emulated(f"the file format option {name}")
            if name in EMULATED_VALUES and str(value).upper() not in EMULATED_VALUES[name]:
                raise errors.not_emulated(f"{name} = {value!r}")
        quote = options.get("FIELD_OPTIONALLY_ENCLOSED_BY", "NONE")
        nulls = options.get("NULL_IF", ["\\N"])
        return cls(
            skip_header=int(options.get("SKIP_HEADER", 0)),
            delimiter=str(options.get("FIELD_DELIMITER", ",")),
            quote="" if str(quote).upper() == "NONE" else quote,
            null_if=tuple(nulls) if isinstance(nulls, list) else (str(nulls),),
            empty_is_null=bool(options.get("EMPTY_FIELD_AS_NULL", True)),
            compression=str(options.get("COMPRESSION", "AUTO")).upper(),
            backslash_is_text="ESCAPE_UNENCLOSED_FIELD" in options,
        )

    def reader(self, paths: list[Path], columns: list[str], *, padded: bool = False) -> str:
        """Returns SQL that reads the files: `columns` as text, and the path as `__file`.

        `padded`: records may have fewer fields; missing fields are null.
        """
        longest = max((path.stat().st_size for path in paths), default=0)
        buffer = min(max(longest, MIN_BUFFER_BYTES), MAX_RECORD_BYTES)
        names = ", ".join(f"{text(name)}: 'VARCHAR'" for name in columns)
        # An empty field is null only if it is not enclosed. `nullstr` cannot be disabled, so it gets a value
        # that no file contains.
        null = "" if self.empty_is_null else "\x01never"
        return (
            f"read_csv([{', '.join(text(str(path)) for path in paths)}], header=false, auto_detect=false, "
            f"skip={self.skip_header}, delim={text(self.delimiter)}, quote={text(self.quote)}, "
            f"escape={text(self.quote)}, columns={{{names}}}, nullstr={text(null)}, "
            f"allow_quoted_nulls=false, hive_partitioning=false, strict_mode=true, compression='none', "
            f"filename='__file', max_line_size={buffer}, buffer_size={2 * buffer}"
            + (", null_padding=true, parallel=false)" if padded else ")")
        )

    def lengths(self, path: Path, url: str) -> set[int]:
        """Returns the distinct numbers of fields of records; raises Snowflake's error for a malformed one."""
        csv.field_size_limit(MAX_RECORD_BYTES)
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.quote else csv.QUOTE_NONE
        found, line = set(), 0
        with path.open(encoding="utf-8", errors="replace", newline="") as file:
            lines = itertools.islice(file, self.skip_header, None)
            rows = csv.reader(
                lines, delimiter=self.delimiter, quotechar=self.quote or None, quoting=quoting, strict=True
            )
            try:
                for row in rows:
                    found.add(len(row))
                    line = rows.line_num
            except csv.Error as error:
                what = UNTERMINATED if "end of data" in str(error) else f"Malformed record: {error}"
                place = f"\n  File '{url}', line {line + self.skip_header + 1}"
                raise errors.failure(100016, "22000", what + place) from error
        return found - {0}

    def value(self, column: str) -> str:
        """Returns SQL for a column with NULL_IF applied, which also applies to enclosed fields."""
        name = '"' + column.replace('"', '""') + '"'
        for null in self.null_if:
            name = f"nullif({name}, {text(null)})"
        return name


def text(value: str) -> str:
    """Returns a SQL string literal."""
    return "'" + value.replace("'", "''") + "'"
