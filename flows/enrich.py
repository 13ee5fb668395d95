"""What the entries of playlists do not say: whole artists and albums, asked for once in some days."""

import logging
from datetime import UTC, datetime

from flows.errors import PipelineError
from flows.keep import Keeper
from flows.lake.details import DetailsEnvelope, KeptDetails, write_details
from flows.lake.snapshots import Kept, read_snapshot
from flows.receipt import DetailsLine
from flows.spotify.details import DetailsReader
from flows.transform.details import KINDS, wanted_ids
from flows.transform.tables import snapshot_rows

log = logging.getLogger(__name__)


def keep_details(keeper: Keeper, kept: list[Kept]) -> list[DetailsLine]:
    """Keeps details of the artists and albums of kept snapshots.

    Never fails the run: what cannot be had (refused, quota or budget used up) stays null, and is counted.
    """
    wanted: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for one in kept:
        for kind, ids in _wanted(keeper, one).items():
            wanted[kind].update(ids)
    return [_enrich(keeper, kind, sorted(ids)) for kind, ids in wanted.items()]


def _wanted(keeper: Keeper, kept: Kept) -> dict[str, set[str]]:
    try:
        return wanted_ids(snapshot_rows(read_snapshot(keeper.lake, kept.key)).songs)
    except PipelineError as error:
        log.debug("nothing to enrich, publishing will say why: %s", error)
        return {}


def _enrich(keeper: Keeper, kind: str, wanted: list[str]) -> DetailsLine:
    fetched, cached, reason = 0, 0, None
    try:
        known = KeptDetails(keeper.lake).ids(kind, keeper.started_at.date())
        unknown = [one for one in wanted if one not in known]
        cached = len(wanted) - len(unknown)
        reader = DetailsReader(keeper.client, kind)
        reader.read(unknown)
        _keep(keeper, kind, reader)
        fetched, reason = len(reader.ids), reader.stopped
    except PipelineError as error:
        reason = str(error)
    line = DetailsLine(kind, len(wanted), cached, fetched, reason)
    if line.missing:
        log.warning("%s of %s %s stay without details: %s", line.missing, line.wanted, kind, reason)
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
