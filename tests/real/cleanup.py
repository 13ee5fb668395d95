"""Clean-up of the contract tests: objects of set-up, files of their runs, and commands that remove them."""

import re
from collections.abc import Iterable, Iterator
from itertools import chain, count
from secrets import randbelow
from shlex import quote
from typing import NamedTuple

from pipeline.lake.layout import RUN_ID, LoadMode
from pipeline.warehouse.setup import CONTROL_TABLES, PARTS
from pipeline.warehouse.sql_files import SQL

CREATED = re.compile(
    r"^CREATE (?:OR REPLACE |TRANSIENT )?(PIPE|VIEW|TABLE|STAGE|FILE FORMAT) (?:IF NOT EXISTS )?(\w+)",
    re.MULTILINE,
)
KINDS = ("PIPE", "VIEW", "TABLE", "STAGE", "FILE FORMAT")
"""The order in which objects can be dropped."""
MARK = "7e57"
"""Prefix of the last part of these tests' run ids, to recognise files of killed processes."""
SUFFIXES = 1 << 16
_OF_RUN = re.compile(rf"(?:.*/)?({RUN_ID})(?![0-9a-f])[^/]*")
_numbers = count(randbelow(SUFFIXES))


class Object(NamedTuple):
    """An object of the schema; `name` is in upper case."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def created(loads: Iterable[LoadMode]) -> list[Object]:
    """Objects that set-up creates for load modes, in the order in which they can be dropped."""
    found: dict[Object, None] = {}
    for part in chain.from_iterable(PARTS[load] for load in loads):
        for file in (CONTROL_TABLES, *chain.from_iterable(part.versions.values()), part.lake_file):
            text = (SQL / f"{file}.sql").read_text(encoding="utf-8")
            found |= {Object(kind, name.upper()): None for kind, name in CREATED.findall(text)}
    return sorted(found, key=lambda one: KINDS.index(one.kind))


def new_suffix() -> str:
    """Last part of a run id of these tests, unique within a process."""
    return f"{MARK}{next(_numbers) % SUFFIXES:04x}"


def run_id_in(key: str) -> str | None:
    """Run id at the start of the file name of a key, if any."""
    match = _OF_RUN.fullmatch(key)
    return match[1] if match else None


def is_marked(key: str) -> bool:
    """Returns True if the file name of a key starts with a run id of these tests, from any process."""
    return (run_id_in(key) or "").rpartition("-")[2].startswith(MARK)


def drop_commands(schema: str, objects: Iterable[Object]) -> Iterator[str]:
    """Statements that drop objects of a schema."""
    return (f"DROP {kind} IF EXISTS {schema}.{name};" for kind, name in objects)


def delete_commands(lake_url: str, keys: Iterable[str]) -> Iterator[str]:
    """Commands that delete files one by one: a recursive command could delete files of others."""
    return (f"aws s3 rm {quote(lake_url + key)}" for key in keys)


def lines(first: str, *more: Iterable[str]) -> str:
    """A message with commands below it."""
    return "\n  ".join([first, *chain.from_iterable(more)])
