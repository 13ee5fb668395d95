"""A pipe: its COPY, its queue and its load metadata."""

import datetime as dt
import re
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

from sqlglot import exp

from sandbox.snowflake.state.schema_objects import Name, Options, Stage


class Definition(NamedTuple):
    """The parsed COPY of a pipe; `sources`: fields and metadata of its SELECT, None without a SELECT."""

    target: Any
    sources: list[str] | None
    stage: Stage
    stage_name: Name
    path: str  # in the stage
    file_format: Options
    pattern: str | None

    @property
    def table(self) -> exp.Table:
        """The target table."""
        found: exp.Table = self.target.this if isinstance(self.target, exp.Schema) else self.target
        return found

    @property
    def last_field(self) -> int:
        """The highest number n of $n in the SELECT."""
        return max([int(source[1:]) for source in self.sources or [] if source[0] == "$"], default=1)

    def matches(self, url: str) -> bool:
        """Returns True if the pipe loads the file; PATTERN is matched with the path relative to the stage."""
        if not url.startswith(f"{self.stage.base}{self.path}"):
            return False
        return self.pattern is None or bool(re.fullmatch(self.pattern, url.removeprefix(self.stage.base)))


@dataclass(frozen=True)
class Event:
    """The event of a new file in the bucket; `arrived`: monotonic clock in seconds."""

    url: str
    received_at: dt.datetime
    arrived: float = field(default_factory=time.monotonic)


@dataclass(eq=False)
class Pipe:
    """Result of one CREATE PIPE; a recreated pipe has a new id and no load metadata."""

    name: Name
    sql: str
    definition: Definition
    comment: str | None
    owner: str
    created_on: dt.datetime
    id: str = field(default_factory=lambda: uuid4().hex)
    paused: bool = False
    load_metadata: dict[str, dt.datetime] = field(default_factory=dict)  # URL → when it was queued
    queue: list[Event] = field(default_factory=list)
    forwarded: Event | None = None
    ingested: tuple[str, dt.datetime] | None = None

    def relative(self, url: str) -> str:
        """Returns the path of a file, relative to the stage."""
        return url.removeprefix(self.definition.stage.base)
