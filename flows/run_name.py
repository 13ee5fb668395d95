"""Name of a run in Prefect's UI."""

import logging
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from prefect.client.orchestration import get_client

from flows.prefect_errors import cause
from pipeline.markdown import plural
from pipeline.records import Kept, Run
from pipeline.spotify.links import is_mine
from pipeline.threads import within

log = logging.getLogger(__name__)

NAME_TIMEOUT_S = 10.0


def name_ingest(run: Run, playlists: Sequence[str]) -> None:
    """`ingest 2026-11-28: mine and 6 playlists`; the number of playlists in `mine` is not known yet."""
    named = [one for one in playlists if not is_mine(one)]
    mine = ["mine"] if len(named) < len(playlists) else []
    listed = [plural(len(named), "playlist")] if named else []
    _name(run, f"ingest {run.snapshot_date}: {' and '.join(mine + listed)}")


def name_backfill(run: Run, kept: Sequence[Kept]) -> None:
    """`backfill 2026-10-29 to 2026-11-27: 6 playlists`."""
    days = sorted({one.snapshot_date for one in kept}) or [run.snapshot_date]
    dates = " to ".join(map(str, dict.fromkeys([days[0], days[-1]])))
    _name(run, f"backfill {dates}: {plural(len({one.playlist_id for one in kept}), 'playlist')}")


def name_report(run: Run, playlists: Sequence[str], on: date | None) -> None:
    """`report 2026-11-28: 6 playlists`; without a date, `report of the newest snapshots: …`."""
    which = plural(len(playlists), "playlist") if playlists else "all playlists"
    _name(run, f"report {on or 'of the newest snapshots'}: {which}")


def name_preflight(run: Run) -> None:
    """`preflight 2026-11-28`."""
    _name(run, f"preflight {run.snapshot_date}")


def _name(run: Run, name: str) -> None:
    """Sets the name; only warns if Prefect does not accept it in time."""

    def update() -> None:
        with get_client(sync_client=True) as client:
            client.set_flow_run_name(UUID(run.flow_run_id), name)

    try:
        within(NAME_TIMEOUT_S, update)
    except Exception as error:  # noqa: BLE001 - the run does not depend on its name
        log.warning("the run could not be named %r: %s", name, cause(error, NAME_TIMEOUT_S))
