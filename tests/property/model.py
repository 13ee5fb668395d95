"""Reference model of the pipeline: kept snapshots, published partitions, and the ledger."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

Partition = tuple[str, date]


class PlaylistState(NamedTuple):
    """State of a playlist when it was fetched; an entry is a song id, or None if it is not a song."""

    name: str
    entries: tuple[str | None, ...]
    fetched_at: datetime


class Published(NamedTuple):
    """The published state of a partition, and the run that loaded it."""

    run_id: str
    state: PlaylistState


@dataclass
class Model:
    """Kept states per partition, published partitions, and the ledger of all loads."""

    kept: dict[Partition, list[PlaylistState]] = field(default_factory=dict)
    published: dict[Partition, Published] = field(default_factory=dict)
    ledger: dict[tuple[str, Partition], PlaylistState] = field(default_factory=dict)

    def keep(self, partition: Partition, state: PlaylistState) -> None:
        """Keeps a state in addition to earlier ones."""
        self.kept.setdefault(partition, []).append(state)

    def best(self, partition: Partition, before: datetime | None = None) -> PlaylistState | None:
        """Highest-ranked kept state of a partition, or of those fetched before a time."""
        states = [state for state in self.kept[partition] if before is None or state.fetched_at < before]
        return max(states, key=partial(_rank, partition), default=None)

    def outranked(self) -> list[tuple[Partition, PlaylistState]]:
        """Kept states of a partition, except the one fetched last."""
        return [(part, state) for part, states in sorted(self.kept.items()) for state in states[:-1]]

    def has_loaded(self, run_id: str) -> bool:
        """Returns True if the run has loaded a partition."""
        return any(loaded == run_id for loaded, _ in self.ledger)

    def refuses(self, run_id: str, states: dict[Partition, PlaylistState], refresh: str) -> bool:
        """Returns True if a full refresh must be refused, because a published state ranks higher."""
        first_load = refresh == "full" and not self.has_loaded(run_id)
        return first_load and any(self._is_outranked(part, state) for part, state in states.items())

    def load(self, run_id: str, states: dict[Partition, PlaylistState], refresh: str, *, undo: bool) -> None:
        """Publishes states; lower-ranked ones only with `undo`. A run that has loaded changes nothing."""
        if self.has_loaded(run_id):
            return
        loaded = {
            part: state for part, state in states.items() if undo or not self._is_outranked(part, state)
        }
        if refresh == "full":
            self.published.clear()
        self.published |= {partition: Published(run_id, state) for partition, state in loaded.items()}
        self.ledger |= {(run_id, partition): state for partition, state in loaded.items()}

    def _is_outranked(self, partition: Partition, state: PlaylistState) -> bool:
        current = self.published.get(partition)
        return current is not None and _rank(partition, current.state) > _rank(partition, state)


def _rank(partition: Partition, state: PlaylistState) -> tuple[bool, datetime]:
    """Fetched on its date ranks first, then the latest."""
    return state.fetched_at.date() == partition[1], state.fetched_at
