"""The pipes of an account: which take a file that arrives, and what waits to be loaded."""

import datetime as dt
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Annotated

import msgspec

from sandbox.snowflake.state.pipe import Event, Pipe
from sandbox.snowflake.state.schema_objects import Name

MEMORY = dt.timedelta(days=14)


class Settings(msgspec.Struct, forbid_unknown_fields=True):
    """Simulated faults; `hold` and `twice` are regular expressions that are searched in keys.

    delay: seconds between a file's event and its loading. paused: events arrive, nothing is loaded.
    hold: events that do not arrive as long as this is set. twice: events that arrive once more.
    ahead_days: how far the clock of the pipes' memory is ahead.
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
    """The pipes of an account; `lock` guards them, and what they remember.

    `schemas`: those that are there. `state`: the execution state of a pipe.
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
        """The time that the memory goes by."""
        return dt.datetime.now(dt.UTC) + dt.timedelta(days=self.settings.ahead_days)

    def alive(self) -> list[Pipe]:
        """Returns the pipes whose schema still exists."""
        known = list(self.by_name)
        existing = self.schemas()
        with self.lock:
            for name in known:
                if name[:2] not in existing:
                    self.by_name.pop(name, None)
            return list(self.by_name.values())

    def set(self, settings: Settings) -> None:
        """Replaces the settings; events that are no longer held arrive."""
        with self.lock:
            self.settings = settings
            self.repeated.clear()
            events, self.held = self.held, []
        self.receive(events)

    def receive(self, events: list[Event]) -> None:
        """Forwards each event to the pipes that watch its place, unless they know the file."""
        watching = [pipe for pipe in self.alive() if any(pipe.definition.matches(one.url) for one in events)]
        # a stopped pipe drops what arrives, a paused one collects it
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
        """Queues a new file. The memory goes by path only, as in Snowflake, not by content."""
        pipe.forwarded = event
        known = pipe.memory.get(event.url)
        if known is None or self.now() - known >= MEMORY:
            pipe.memory[event.url] = self.now()
            pipe.queue.append(event)

    def due(self) -> list[tuple[Pipe, Event]]:
        """Returns what may be loaded now: the newest first, because pipes guarantee no order."""
        with self.lock:
            idle = not any(pipe.queue for pipe in self.by_name.values())
        if self.settings.paused or idle:
            return []
        latest = time.monotonic() - self.settings.delay
        running = [pipe for pipe in self.alive() if pipe.queue and self.state(pipe) == "RUNNING"]
        with self.lock:
            found = [(pipe, event) for pipe in running for event in pipe.queue if event.arrived <= latest]
        return sorted(found, key=lambda each: each[1].arrived, reverse=True)

    def finish(self, pipe: Pipe, event: Event, *, loaded: bool) -> None:
        """Takes a file off the queue."""
        with self.lock:
            pipe.queue.remove(event)
            if loaded:
                pipe.ingested = (event.url, dt.datetime.now(dt.UTC))
