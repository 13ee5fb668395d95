"""What the pipeline should do, in the fewest words: playlists, what is kept of them, what readers see."""

from dataclasses import dataclass, field
from datetime import date, datetime
from functools import partial
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

    def best(self, partition: Partition, before: datetime | None = None) -> Look | None:
        """The winner of what is kept of a partition, or of what was fetched before a time."""
        looks = [look for look in self.kept[partition] if before is None or look.fetched_at < before]
        return max(looks, key=partial(_rank, partition), default=None)

    def beaten(self) -> list[tuple[Partition, Look]]:
        """Looks that are kept beside others of the partition, but for the last to be fetched."""
        return [(part, look) for part, looks in sorted(self.kept.items()) for look in looks[:-1]]

    def has_loaded(self, run_id: str) -> bool:
        """Whether the run has put anything in place."""
        return any(loaded == run_id for loaded, _ in self.ledger)

    def refuses(self, run_id: str, looks: dict[Partition, Look], refresh: str) -> bool:
        """A full refresh wants nothing in its partitions that ranks higher."""
        anew = refresh == "full" and not self.has_loaded(run_id)
        return anew and any(self._is_beaten(part, look) for part, look in looks.items())

    def load(self, run_id: str, looks: dict[Partition, Look], refresh: str, *, undo: bool) -> None:
        """Puts looks in place: those of lower rank only to undo; a run that has loaded does nothing more."""
        if self.has_loaded(run_id):
            return
        placed = {part: look for part, look in looks.items() if undo or not self._is_beaten(part, look)}
        if refresh == "full":
            self.shown.clear()
        self.shown |= {partition: Shown(run_id, look) for partition, look in placed.items()}
        self.ledger |= {(run_id, partition): look for partition, look in placed.items()}

    def _is_beaten(self, partition: Partition, look: Look) -> bool:
        there = self.shown.get(partition)
        return there is not None and _rank(partition, there.look) > _rank(partition, look)


def _rank(partition: Partition, look: Look) -> tuple[bool, datetime]:
    """What was seen on the day itself is true; of equals, the last."""
    return look.fetched_at.date() == partition[1], look.fetched_at
