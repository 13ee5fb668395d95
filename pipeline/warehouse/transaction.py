"""The load: one transaction in one session, so that readers see either the old or the new state."""

import logging
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from pipeline.columns import TABLES, history
from pipeline.errors import Code, StopRun
from pipeline.lake.layout import LoadMode
from pipeline.records import Loaded, Manifest, PlaylistLine, Refresh, Run
from pipeline.warehouse.ledger import find_load, insert_loads
from pipeline.warehouse.lock import take_lock
from pipeline.warehouse.messages import listed
from pipeline.warehouse.row_counts import LoadResults, compare
from pipeline.warehouse.session import Session
from pipeline.warehouse.sql_files import identifier, read_sql

log = logging.getLogger(__name__)

Partitions = Sequence[tuple[str, date]]


class Removed(NamedTuple):
    """Number of partitions of the run that had rows of another run, and of those that refresh="full" deletes.

    Both are None (unknown) if the response to COMMIT was lost.
    """

    replaced: int | None
    deleted: int | None


@dataclass(frozen=True)
class Load:
    """The load of a run.

    `ignore_rank`: if True, it replaces even snapshots that rank higher.
    """

    session: Session
    run: Run
    manifest: Manifest
    mode: LoadMode = "copy"
    refresh: Refresh = "snapshot"
    ignore_rank: bool = False

    def replace(self, fill: Callable[[], LoadResults]) -> Loaded:
        """Replaces the manifest's partitions (refresh="full": all partitions) in one transaction.

        `fill`: inserts the run's rows into the history tables. Raises AccountingError if row counts differ
        from the manifest, and StopRun if another writer holds the lock; nothing is changed then. If the
        response to an earlier COMMIT was lost, the ledger has the run, and nothing is loaded again.
        """
        session, run_id = self.session, self.run.run_id
        take_lock(session)
        try:
            if done := find_load(session, run_id):
                session.rollback()
                superseded = [
                    line.partition for line in self.manifest.partitions if line.partition not in done
                ]
                return self._loaded(superseded, Removed(None, None))
            results = fill()
            compare(session, "load/generated/count_rows", run_id, self.manifest.files)
            higher = self._higher()
            removed = self._delete(higher)
            insert_loads(session, self.run, self.mode, self._in_place(higher), results)
            session.commit()
        except Exception:
            # Not for BaseException: on SIGTERM we must not wait for a response, and the end of the session
            # rolls back, too.
            session.rollback()
            raise
        return self._loaded(higher, removed)

    def _higher(self) -> Partitions:
        """Partitions of this run for which the warehouse has a higher-ranked snapshot."""
        rows = self.session.execute("load/find_winners", (self.run.run_id, self.ignore_rank))
        return [(playlist, day) for playlist, day, run_id in rows if run_id != self.run.run_id]

    def _delete(self, higher: Partitions) -> Removed:
        """Deletes the rows that the run replaces; with refresh="full", all rows of other runs."""
        if self.refresh == "full":
            return self._delete_all_others(higher)
        values = (self.run.run_id, self.ignore_rank)
        winners = read_sql("load/find_winners")
        # `playlists` comes last, because the statements for the other tables read the partitions from it.
        for table in reversed(TABLES):
            name = identifier(history(table))
            self.session.execute("load/delete_replaced", values, table=name, winners=winners)
        return Removed(self.session.rowcount - len(higher), 0)

    def _delete_all_others(self, higher: Partitions) -> Removed:
        if higher:
            message = (
                'refresh="full": the warehouse has snapshots that rank higher than those of this run '
                f"({listed(f'{playlist} of {day}' for playlist, day in higher)}): they were fetched on their "
                "snapshot date, or later. Nothing was changed. Run again without snapshot_date"
            )
            raise StopRun(message, Code.NEWER_LOADED)
        values = (self.run.run_id, self.run.run_id)
        ((deleted, playlists),) = self.session.execute("load/count_others", values)
        log.log(
            logging.WARNING if deleted else logging.INFO,
            'refresh="full" deletes %s partitions (playlist and date) of %s playlists',
            deleted,
            playlists,
        )
        for table in reversed(TABLES):
            self.session.execute("load/delete_all_others", values, table=identifier(history(table)))
        return Removed(self.session.rowcount - deleted, deleted)

    def _in_place(self, higher: Partitions) -> list[PlaylistLine]:
        superseded = set(higher)
        return [line for line in self.manifest.partitions if line.partition not in superseded]

    def _loaded(self, higher: Partitions, removed: Removed) -> Loaded:
        in_place = self._in_place(higher)
        rows: Counter[str] = Counter(dict.fromkeys(TABLES, 0))
        for line in in_place:
            rows.update(line.rows_by_table)
        return Loaded(
            rows_by_table=dict(rows),
            partitions=[line.partition for line in in_place],
            superseded=higher,
            partitions_replaced=removed.replaced,
            partitions_deleted=removed.deleted,
            statements=list(self.session.statements),
        )
