"""The pipes of an account: forwards events to their queues, and selects the files to load."""

import datetime as dt
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated

import msgspec

from sandbox.snowflake.state.pipe import Event, Pipe
from sandbox.snowflake.state.schema_objects import Name

LOAD_METADATA_RETENTION = dt.timedelta(days=14)


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """Simulated faults; `hold` and `twice` are regular expressions, searched in the URL of a file.

    delay: seconds between the event of a file and its load. paused: events arrive, no file is loaded.
    hold: these events arrive only after the setting is removed. twice: these events arrive twice.
    ahead_days: days by which the clock of the load metadata is ahead.
    """

    delay: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    paused: bool = False
    hold: str | None = None
    twice: str | None = None
    ahead_days: float = 0.0

    def __post_init__(self) -> None:
        for pattern in (self.hold, self.twice):
            re.compile(pattern or "")


class Pipes:
    """The pipes of an account; `lock` protects them, their queues and their load metadata.

    `schemas`: returns the existing schemas. `state`: returns the execution state of a pipe.
    """

    def __init__(
        self,
        schemas: Callable[[], set[tuple[str, str]]],
        state: Callable[[Pipe], str],
        settings: Settings,
    ) -> None:
        self.schemas = schemas
        self.state = state
        self.defaults = settings
        self.settings = settings
        self.by_name: dict[Name, Pipe] = {}
        self.held: list[Event] = []
        self.repeated: list[str] = []
        self.received: Event | None = None
        self.lock = threading.Lock()

    def now(self) -> dt.datetime:
        """The clock of the load metadata."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(days=self.settings.ahead_days)

    def existing(self) -> list[Pipe]:
        """Returns the pipes whose schema still exists."""
        known = list(self.by_name)
        schemas = self.schemas()
        with self.lock:
            for name in known:
                if name[:2] not in schemas:
                    self.by_name.pop(name, None)
            return list(self.by_name.values())

    def set(self, settings: Settings) -> None:
        """Replaces the settings; held events arrive, unless the new settings hold them again."""
        with self.lock:
            self.settings = settings
            self.repeated.clear()
            events, self.held = self.held, []
        self.receive(events)

    def receive(self, events: list[Event]) -> None:
        """Queues each event in every pipe that loads the file, unless its load metadata contains the file."""
        watching = [
            pipe for pipe in self.existing() if any(pipe.definition.matches(one.url) for one in events)
        ]
        # A stopped pipe discards events, a paused pipe queues them.
        pipes = [pipe for pipe in watching if self.state(pipe) in {"RUNNING", "PAUSED"}]
        with self.lock:
            for event in self._arriving(events):
                self.received = event
                for pipe in pipes:
                    if pipe.definition.matches(event.url):
                        self._queue(pipe, event)

    def _arriving(self, events: list[Event]) -> Iterator[Event]:
        for event in events:
            if self.settings.hold and re.search(self.settings.hold, event.url):
                self.held.append(event)
                continue
            yield event
            if self.settings.twice and re.search(self.settings.twice, event.url):
                self.repeated.append(event.url)
                yield event

    def _queue(self, pipe: Pipe, event: Event) -> None:
        """Queues a new file; like Snowflake, identifies it by its path and not by its content."""
        pipe.forwarded = event
        queued_at = pipe.load_metadata.get(event.url)
        if queued_at is None or self.now() - queued_at >= LOAD_METADATA_RETENTION:
            pipe.load_metadata[event.url] = self.now()
            pipe.queue.append(event)

    def due(self) -> list[tuple[Pipe, Event]]:
        """Returns the files to load now, newest first, because real pipes guarantee no order."""
        with self.lock:
            idle = not any(pipe.queue for pipe in self.by_name.values())
        if self.settings.paused or idle:
            return []
        latest = time.monotonic() - self.settings.delay
        running = [pipe for pipe in self.existing() if pipe.queue and self.state(pipe) == "RUNNING"]
        with self.lock:
            found = [(pipe, event) for pipe in running for event in pipe.queue if event.arrived <= latest]
        return sorted(found, key=lambda each: each[1].arrived, reverse=True)

    def finish(self, pipe: Pipe, event: Event, *, loaded: bool) -> None:
        """Removes a file from the queue."""
        with self.lock:
            pipe.queue.remove(event)
            if loaded:
                pipe.ingested = (event.url, dt.datetime.now(dt.UTC))
