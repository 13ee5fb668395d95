"""What the entries of playlists do not say: whole artists and albums, asked for once in some days."""

import logging
from datetime import UTC, datetime

from msgspec.structs import replace

from pipeline.errors import PipelineError
from pipeline.keep import Keeper
from pipeline.lake.kept_details import DetailsEnvelope, KeptDetails, write_details
from pipeline.lake.snapshots import Kept, read_snapshot
from pipeline.receipt import DetailsLine
from pipeline.spotify.batches import DetailsReader
from pipeline.transform.details import KINDS, decode_details, wanted_ids
from pipeline.transform.tables import snapshot_rows

log = logging.getLogger(__name__)

UNKNOWN = "Spotify does not know them"


def keep_details(keeper: Keeper, kept: list[Kept]) -> list[DetailsLine]:
    """Keeps details of the artists and albums of kept snapshots.

    Never fails the run: what cannot be had (refused, quota or budget used up) stays null, and is counted.
    """
    wanted: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for one in kept:
        for kind, ids in _wanted(keeper, one).items():
            wanted[kind].update(ids)
    details = KeptDetails(keeper.lake)
    return [_enrich(keeper, details, kind, sorted(ids)) for kind, ids in wanted.items()]


def _wanted(keeper: Keeper, kept: Kept) -> dict[str, set[str]]:
    try:
        return wanted_ids(snapshot_rows(read_snapshot(keeper.lake, kept.key)).songs)
    except PipelineError as error:
        log.debug("nothing to enrich, publishing will say why: %s", error)
        return {}


def _enrich(keeper: Keeper, details: KeptDetails, kind: str, wanted: list[str]) -> DetailsLine:
    line, day = DetailsLine(kind, len(wanted), 0, 0), keeper.started_at.date()
    try:
        asked = details.ids(kind, day)
        reader = DetailsReader(keeper.client, kind)
        reader.read([one for one in wanted if one not in asked])
        _keep(keeper, kind, reader)
        told = {row[KINDS[kind].id] for body in reader.bodies for row in decode_details(kind, body)}
        cached = len(details.told(kind, day).intersection(wanted))
        line = replace(
            line, cached=cached, fetched=len(told.intersection(wanted)), reason=reader.stopped or UNKNOWN
        )
    except PipelineError as error:
        line = replace(line, reason=str(error))
    if line.missing:
        log.warning("%s of %s %s stay without details: %s", line.missing, line.wanted, kind, line.reason)
    return line


def _keep(keeper: Keeper, kind: str, reader: DetailsReader) -> None:
    if reader.ids:
        envelope = DetailsEnvelope(
            run_id=keeper.run_id,
            kind=kind,
            fetched_at=datetime.now(UTC),
            ids=reader.ids,
            code_version=keeper.code_version,
        )
        write_details(keeper.lake, envelope, reader.bodies, keeper.started_at.date())
