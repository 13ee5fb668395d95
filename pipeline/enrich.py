"""What the entries of playlists do not say: whole artists and albums, requested once in some days."""

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
                found = wanted_ids(snapshot_rows(snapshot))
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
        for path, count in line.nulled.items():
            log.warning("%s values of %s are unusable: they stay null", count, path)
        lines.append(line)
    return lines


def _enrich(reader: DetailsReader, details: KeptDetails, run: Run, wanted: list[str]) -> DetailsLine:
    kind, day = reader.kind, run.started_at.date()
    line = DetailsLine(kind, len(wanted))
    try:
        settled, told = details.ids(kind, day).intersection(wanted), details.told(kind, day)
        line = replace(line, cached=len(settled & told), unknown=len(settled - told))
        reader.read([one for one in wanted if one not in settled])
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
    """The line with what is left, and with the reasons, each with its number."""
    left_out = line.missing - line.unknown - line.unreadable
    reasons = [
        (line.unknown, "that Spotify does not know"),
        (line.unreadable, f"whose response cannot be read [{Code.SPOTIFY_UNREADABLE}]"),
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
