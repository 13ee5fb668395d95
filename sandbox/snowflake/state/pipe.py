"""A pipe: its COPY, its queue, and the files that it has seen."""

import datetime as dt
import re
import time
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import uuid4

from sqlglot import exp

from sandbox.snowflake.state.schema_objects import Name, Options, Stage


class Definition(NamedTuple):
    """What a pipe copies: `sources` are the fields and metadata of its SELECT, None without one."""

    target: Any
    sources: list[str] | None
    stage: Stage
    stage_name: Name
    path: str  # in the stage
    file_format: Options
    pattern: str | None

    @property
    def table(self) -> exp.Table:
        """The table that is loaded."""
        found: exp.Table = self.target.this if isinstance(self.target, exp.Schema) else self.target
        return found

    @property
    def last_field(self) -> int:
        """The highest number n of $n in the SELECT."""
        return max([int(source[1:]) for source in self.sources or [] if source[0] == "$"], default=1)

    def matches(self, url: str) -> bool:
        """Whether a file is the pipe's; the pattern sees its path in the stage."""
        if not url.startswith(f"{self.stage.base}{self.path}"):
            return False
        return self.pattern is None or bool(re.fullmatch(self.pattern, url.removeprefix(self.stage.base)))


@dataclass(frozen=True)
class Event:
    """A file was put into the bucket."""

    url: str
    received_at: dt.datetime
    arrived: float = field(default_factory=time.monotonic)


@dataclass(eq=False)
class Pipe:
    """One CREATE PIPE; a recreated pipe starts empty, with another id."""

    name: Name
    sql: str
    definition: Definition
    comment: str | None
    owner: str
    created_on: dt.datetime
    id: str = field(default_factory=lambda: uuid4().hex)
    paused: bool = False
    memory: dict[str, dt.datetime] = field(default_factory=dict)  # when each URL was queued
    queue: list[Event] = field(default_factory=list)
    forwarded: Event | None = None
    ingested: tuple[str, dt.datetime] | None = None

    def relative(self, url: str) -> str:
        """Returns a file's path in the stage."""
        return url.removeprefix(self.definition.stage.base)
