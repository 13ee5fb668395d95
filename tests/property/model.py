"""What the pipeline should do, in the fewest words: playlists, what is kept of them, what readers see."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

Partition = tuple[str, date]


class Look(NamedTuple):
    """A playlist at a moment; an entry is a song's id, or None where there is no song."""

    name: str
    entries: tuple[str | None, ...]
    fetched_at: datetime


class Shown(NamedTuple):
    """What readers see of a partition, and the run that put it there."""

    run_id: str
    look: Look


@dataclass
class Model:
    """The lake's looks, the warehouse's partitions, and the ledger of all that were put in place."""

    kept: dict[Partition, list[Look]] = field(default_factory=dict)
    shown: dict[Partition, Shown] = field(default_factory=dict)
    ledger: dict[tuple[str, Partition], Look] = field(default_factory=dict)

    def keep(self, partition: Partition, look: Look) -> None:
        """Keeps a look beside those of before."""
        self.kept.setdefault(partition, []).append(look)

    def newest(self, partition: Partition) -> Look:
        """The latest look that is kept of a partition."""
        return max(self.kept[partition], key=lambda look: look.fetched_at)

    def outdated(self) -> list[tuple[Partition, Look]]:
        """Looks that are kept beside later ones."""
        return [(part, look) for part, looks in sorted(self.kept.items()) for look in looks[:-1]]

    def has_loaded(self, run_id: str) -> bool:
        """Whether the run has put anything in place."""
        return any(loaded == run_id for loaded, _ in self.ledger)

    def refuses(self, run_id: str, looks: dict[Partition, Look], refresh: str) -> bool:
        """A full refresh wants nothing in its partitions that is newer."""
        anew = refresh == "full" and not self.has_loaded(run_id)
        return anew and any(self._is_newer(partition, looks) for partition in looks)

    def load(self, run_id: str, looks: dict[Partition, Look], refresh: str, *, force: bool) -> None:
        """Puts looks in place: an older one only where forced; a run that has loaded does nothing more."""
        if self.has_loaded(run_id):
            return
        placed = {part: look for part, look in looks.items() if force or not self._is_newer(part, looks)}
        if refresh == "full":
            self.shown.clear()
        self.shown |= {partition: Shown(run_id, look) for partition, look in placed.items()}
        self.ledger |= {(run_id, partition): look for partition, look in placed.items()}

    def _is_newer(self, partition: Partition, looks: dict[Partition, Look]) -> bool:
        there = self.shown.get(partition)
        return there is not None and there.look.fetched_at > looks[partition].fetched_at
