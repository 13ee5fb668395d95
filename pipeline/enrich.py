"""Enrichment: requests details of artists and albums that entries lack, at most once in seven days."""

import logging
from datetime import UTC, datetime
from threading import Lock

from msgspec.structs import replace

from pipeline.errors import Code, PipelineError
from pipeline.lake.kept_details import DetailsEnvelope, KeptDetails, write_details
from pipeline.lake.store import Lake
from pipeline.records import DetailsLine, Run, Snapshot
from pipeline.spotify.batches import DetailsReader
from pipeline.spotify.client import SpotifyClient
from pipeline.transform.details import KINDS, wanted_ids
from pipeline.transform.responses import snapshot_rows

log = logging.getLogger(__name__)


class WantedIds:
    """Ids of the artists and albums in the snapshots that a run keeps. Thread-safe."""

    def __init__(self) -> None:
        self.by_kind: dict[str, set[str]] = {kind: set() for kind in KINDS}
        self._one_at_a_time = Lock()

    def add(self, snapshot: Snapshot) -> None:
        """Adds the ids of one snapshot. If it cannot be decoded, adds nothing: publishing reports the error.

        Decodes one snapshot at a time, to bound memory.
        """
        with self._one_at_a_time:
            try:
                found = wanted_ids(snapshot_rows(snapshot))
            except PipelineError as error:
                log.debug("nothing to enrich; publishing reports the error: %s", error)
                return
            for kind, ids in found.items():
                self.by_kind[kind] |= ids


def keep_details(client: SpotifyClient, lake: Lake, run: Run, wanted: WantedIds) -> list[DetailsLine]:
    """Requests and keeps details of the wanted artists and albums that the lake does not have yet.

    Never fails the run: details that cannot be read (refused, quota or budget used up) are null and counted.
    """
    details = KeptDetails(lake)
    lines = []
    for kind, ids in wanted.by_kind.items():
        line = _enrich(DetailsReader(client, kind), details, run, sorted(ids))
        if line.missing:
            log.warning("%s of %s %s stay without details: %s", line.missing, line.wanted, kind, line.reason)
        for path, count in line.nulled.items():
            log.warning("%s values of %s are unusable: they stay null", count, path)
        lines.append(line)
    return lines


def _enrich(reader: DetailsReader, details: KeptDetails, run: Run, wanted: list[str]) -> DetailsLine:
    kind, day = reader.kind, run.started_at.date()
    line = DetailsLine(kind, len(wanted))
    try:
        fresh = details.fresh_ids(kind, day).intersection(wanted)
        known = details.known_ids(kind, day)
        line = replace(line, cached=len(fresh & known), unknown=len(fresh - known))
        reader.read([spotify_id for spotify_id in wanted if spotify_id not in fresh])
        if reader.bodies or reader.unknown:
            _keep(details.lake, run, reader)
    except PipelineError as error:
        return _explained(line, str(error))
    line = replace(
        line,
        fetched=len(reader.known),
        unknown=line.unknown + len(reader.unknown),
        unreadable=len(reader.unreadable),
        nulled=dict(reader.nulled),
    )
    return _explained(line, reader.stopped)


def _explained(line: DetailsLine, stopped: str | None) -> DetailsLine:
    """Adds `left_out`, and a `reason` that counts the missing details by cause."""
    left_out = line.missing - line.unknown - line.unreadable
    reasons = [
        (line.unknown, "unknown to Spotify"),
        (line.unreadable, f"with an unreadable response [{Code.SPOTIFY_UNREADABLE}]"),
        (left_out, f"left out: {stopped}"),
    ]
    reason = "; ".join(f"{count} {text}" for count, text in reasons if count)
    return replace(line, left_out=left_out, reason=reason)


def _keep(lake: Lake, run: Run, reader: DetailsReader) -> None:
    envelope = DetailsEnvelope(
        run_id=run.run_id,
        kind=reader.kind,
        fetched_at=datetime.now(UTC),
        ids=sorted(reader.known | reader.unknown),
        unreadable=sorted(reader.unreadable),
        code_version=run.code_version,
    )
    write_details(lake, envelope, reader.bodies, run.started_at.date())
