"""Pool of resources that are slow to set up: tests reuse a resource if its schema is unchanged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from tests.places import Place


class Resource(Protocol):
    """A resource of a pool."""

    @property
    def place(self) -> Place:
        """Folder of the bucket and database of the resource."""


R = TypeVar("R", bound=Resource)


@dataclass(frozen=True)
class Pool(Generic[R]):
    """Resources created by `create`, emptied between tests; a resource with a changed schema is dropped.

    `is_dirty`: returns True if a test has changed anything else that the next test relies on.
    """

    create: Callable[[], R]
    is_dirty: Callable[[R], bool] = lambda _: False
    _idle: list[tuple[R, list[object]]] = field(default_factory=list)

    @contextmanager
    def acquire(self) -> Iterator[R]:
        """Yields a resource that is set up, without rows or files."""
        if not self._idle:
            new = self.create()
            self._idle.append((new, new.place.schema()))
        acquired, schema = self._idle.pop()
        yield acquired
        if self.is_dirty(acquired) or acquired.place.schema() != schema:
            acquired.place.drop()
        else:
            acquired.place.empty()
            self._idle.append((acquired, schema))
