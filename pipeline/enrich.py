"""What the entries of playlists do not say: whole artists and albums, requested once in some days."""

import logging
from datetime import UTC, datetime
from threading import Lock

from msgspec.structs import replace

from pipeline.errors import PipelineError
from pipeline.lake.kept_details import DetailsEnvelope, KeptDetails, write_details
from pipeline.lake.store import Lake
from pipeline.records import DetailsLine, Run, Snapshot
from pipeline.spotify.batches import DetailsReader
from pipeline.spotify.client import SpotifyClient
from pipeline.transform.details import KINDS, decode_details, wanted_ids
from pipeline.transform.tables import snapshot_rows

log = logging.getLogger(__name__)

UNKNOWN = "Spotify does not know them"


class WantedIds:
    """Ids of the artists and albums in the snapshots that a run keeps; threads share it."""

    def __init__(self) -> None:
        self.by_kind: dict[str, set[str]] = {kind: set() for kind in KINDS}
        self._one_at_a_time = Lock()

    def add(self, snapshot: Snapshot) -> None:
        """Adds the ids of one snapshot; nothing if it cannot be decoded, for then publishing says why.

        However many threads read playlists, one playlist's rows are in memory at a time.
        """
        with self._one_at_a_time:
            try:
                found = wanted_ids(snapshot_rows(snapshot).songs)
            except PipelineError as error:
                log.debug("nothing to enrich, publishing will say why: %s", error)
                return
            for kind, ids in found.items():
                self.by_kind[kind] |= ids


def keep_details(client: SpotifyClient, lake: Lake, run: Run, wanted: WantedIds) -> list[DetailsLine]:
    """Keeps details of the artists and albums that are wanted.

    Never fails the run: what cannot be had (refused, quota or budget used up) stays null, and is counted.
    """
    details = KeptDetails(lake)
    lines = []
    for kind, ids in wanted.by_kind.items():
        line = _enrich(DetailsReader(client, kind), details, run, sorted(ids))
        if line.missing:
            log.warning("%s of %s %s stay without details: %s", line.missing, line.wanted, kind, line.reason)
        lines.append(line)
    return lines


def _enrich(reader: DetailsReader, details: KeptDetails, run: Run, wanted: list[str]) -> DetailsLine:
    kind, day = reader.kind, run.started_at.date()
    line = DetailsLine(kind, len(wanted))
    try:
        asked = details.ids(kind, day)
        reader.read([one for one in wanted if one not in asked])
        if reader.ids:
            _keep(details.lake, run, reader)
        told = {row[KINDS[kind].id] for body in reader.bodies for row in decode_details(kind, body)}
        return replace(
            line,
            cached=len(details.told(kind, day).intersection(wanted)),
            fetched=len(told.intersection(wanted)),
            reason=reader.stopped or UNKNOWN,
        )
    except PipelineError as error:
        return replace(line, reason=str(error))


def _keep(lake: Lake, run: Run, reader: DetailsReader) -> None:
    envelope = DetailsEnvelope(
        run_id=run.run_id,
        kind=reader.kind,
        fetched_at=datetime.now(UTC),
        ids=reader.ids,
        code_version=run.code_version,
    )
    write_details(lake, envelope, reader.bodies, run.started_at.date())
