"""Checks everything that a run uses, changes nothing: `python -m flows preflight [PLAYLIST…] [--json]`."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from prefect import State, flow, get_run_logger
from prefect.artifacts import create_table_artifact
from prefect.states import Completed, Failed

from flows.connections import login_of
from flows.parameters import IngestBlockNames, Playlists
from flows.prefect_checks import API, FoundBlocks, block_check, check_prefect
from flows.prefect_errors import cause
from flows.rate_limit import RateLimit
from flows.run import ends_failed, start_run
from flows.run_name import name_preflight
from flows.shell import run_from_shell
from pipeline.lake.layout import TABLES_PREFIX, LoadMode
from pipeline.markdown import as_text as as_markdown_text
from pipeline.preflight.checks import CHECK_S, Checklist, Line
from pipeline.preflight.lake_checks import check_lake
from pipeline.preflight.listing import checks_summary, lines_as_json, lines_as_text
from pipeline.preflight.spotify_checks import BUDGET_S, check_spotify
from pipeline.records import Run
from pipeline.spotify.client import SpotifyClient
from pipeline.threads import within

if TYPE_CHECKING:
    from prefect_snowflake import SnowflakeConnector

    from pipeline.warehouse.session import Session

ARTIFACT_TIMEOUT_S = 10.0


@flow(name="preflight", persist_result=False, validate_parameters=False)  # `ends_failed` validates
@ends_failed
def preflight(
    playlists: Playlists = [],  # noqa: B006 - never changed
    *,
    load: LoadMode = "copy",
    json: bool = False,
    blocks: IngestBlockNames = IngestBlockNames(),
) -> State[None]:
    """Checks everything that a run uses. Prints one line per check; a failed check states what to do.

    Changes nothing: writes no files, statements change no rows, and a COPY is rolled back.

    Args:
        playlists: The playlists to check, one per item, as for an ingest. Default: the list in the Prefect
            variable `daily_playlists`.
        load: `copy`: check the requirements of COPY INTO. `snowpipe`: check the pipes, too.
        json: Print the checks as JSON instead of text.
        blocks: Names of the Prefect blocks. The defaults are those that `python -m blocks register` writes.
    """
    run = start_run()
    name_preflight(run)
    lines = find_lines(run, playlists, load, blocks)
    sys.stdout.write(lines_as_json(lines) if json else lines_as_text(lines))
    _show(lines)
    message = checks_summary(lines)
    return (Failed if any(line.is_red for line in lines) else Completed)(message=message)


def find_lines(run: Run, playlists: Sequence[str], load: LoadMode, blocks: IngestBlockNames) -> list[Line]:
    """Runs all checks: Prefect first, then Spotify, lake and warehouse concurrently."""
    checks = Checklist()
    found = check_prefect(checks, blocks, playlists)
    checks.check_at_once(
        [
            partial(_check_spotify, found, run, blocks),
            partial(_check_lake, found, run, blocks),
            partial(_check_warehouse, found, run, blocks, load),
        ]
    )
    return checks.lines


def _check_spotify(found: FoundBlocks, run: Run, blocks: IngestBlockNames, checks: Checklist) -> None:
    if not found.spotify:
        return checks.skip("Spotify", block_check(blocks.spotify))
    (credentials,) = found.spotify
    days = credentials.days_since_authorization(datetime.now(UTC))
    client = SpotifyClient(credentials, BUDGET_S, before_request=RateLimit(credentials.rate_limit).take)
    return check_spotify(checks, client, run, found.playlists, days)


def _check_lake(found: FoundBlocks, run: Run, blocks: IngestBlockNames, checks: Checklist) -> None:
    if not found.lake:
        return checks.skip("lake", block_check(blocks.lake))
    return check_lake(checks, found.lake[0], run.run_id)


def _check_warehouse(
    found: FoundBlocks, run: Run, blocks: IngestBlockNames, load: LoadMode, checks: Checklist
) -> None:
    from pipeline.preflight.owner_checks import check_owner  # noqa: PLC0415 - imports Snowflake
    from pipeline.preflight.warehouse_checks import check_warehouse  # noqa: PLC0415

    if not found.warehouse or not found.lake:
        missing = blocks.lake if found.warehouse else blocks.warehouse
        return checks.skip("warehouse", block_check(missing))
    loader, owner = found.warehouse[0], (found.admin or found.warehouse)[0]
    owns = loader.credentials.role == owner.credentials.role
    lake = found.lake[0]
    is_set_up = check_warehouse(checks, _session(loader, run), lake, load, owns=owns)
    if found.admin or not is_set_up:
        check_owner(checks, _session(owner, run), owner.warehouse, lake.url + TABLES_PREFIX)
    return None


def _session(connector: "SnowflakeConnector", run: Run) -> "Session":
    from pipeline.warehouse.session import Session  # noqa: PLC0415 - imports the connector

    return Session(login_of(connector), run.run_id).limited(CHECK_S)


def _show(lines: Sequence[Line]) -> None:
    rows = [
        {"check": line.check, "status": line.status, "text": as_markdown_text(line.text)} for line in lines
    ]
    try:
        within(
            ARTIFACT_TIMEOUT_S,
            partial(create_table_artifact, rows, key="preflight", description=checks_summary(lines)),
        )
    except Exception as error:  # noqa: BLE001 - the checks are complete, whatever the error is
        why = cause(error, ARTIFACT_TIMEOUT_S)
        get_run_logger().warning("the artifact of the checks could not be created: %s", why)


def run_preflight_from_shell(options: Sequence[str] | None = None) -> None:
    """`python -m flows preflight`. If Prefect's API fails, prints that check and skips all others."""
    run_from_shell(preflight, "flows preflight", options, _print_without_api)


def _print_without_api(message: str, options: Sequence[str]) -> None:
    checks = Checklist()
    checks.lines.append(Line(API, "wrong", " ".join(message.split())))
    for name in ("blocks", "Spotify", "lake", "warehouse"):
        checks.skip(name, API)
    shown = lines_as_json if "--json" in options else lines_as_text
    sys.stdout.write(shown(checks.lines))


if __name__ == "__main__":
    run_preflight_from_shell()
