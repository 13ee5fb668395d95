"""What costs much to set up is lent to one test after another, as long as each gives it back unchanged."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from tests.places import Place


class Lent(Protocol):
    """What a pool lends: it stands at a place."""

    @property
    def place(self) -> Place:
        """Its folder of the bucket and its database."""


L = TypeVar("L", bound=Lent)


@dataclass(frozen=True)
class Pool(Generic[L]):
    """Lends what `create` makes: emptied to the next test, or a new one if a test has changed the schema.

    `is_spoiled`: whether a test changed anything else that the next one relies on.
    """

    create: Callable[[], L]
    is_spoiled: Callable[[L], bool] = lambda _: False
    _idle: list[tuple[L, list[object]]] = field(default_factory=list)

    @contextmanager
    def lend(self) -> Iterator[L]:
        """Lends one: set up, and without rows or files."""
        if not self._idle:
            new = self.create()
            self._idle.append((new, new.place.schema()))
        lent, schema = self._idle.pop()
        yield lent
        if self.is_spoiled(lent) or lent.place.schema() != schema:
            lent.place.drop()
        else:
            lent.place.empty()
            self._idle.append((lent, schema))
