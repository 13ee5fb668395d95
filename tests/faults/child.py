"""What runs in a flow's own process. It is forked from one that has imported everything and done nothing.

Forking is sound there: no thread of Python runs in that process, and Polars and Prefect start theirs when
they are first used, which is after the fork. Waits between attempts are cut short in these processes, so
that no test sleeps; for that, `time.sleep` is replaced before anybody takes hold of it.
"""

import time

_sleep = time.sleep
LONGEST_WAIT_S = 0.2
DEADLINES = 5
"""How many read timeouts a whole request may take, in these processes."""


def _nap(seconds: float) -> None:
    _sleep(min(seconds, LONGEST_WAIT_S))


time.sleep = _nap  # type: ignore[assignment]

import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

# Flows import these when they need them: so they are here before a run is forked, not in each anew.
import boto3.s3.inject
import fastapi.applications
import prefect.task_engine
import prefect_aws
import prefect_snowflake
from snowflake.connector import network

import pipeline.insights.report.find
import pipeline.insights.report.page
import pipeline.lake.store
import pipeline.spotify.spotipy_adapter
import pipeline.warehouse.ledger
import pipeline.warehouse.session
import pipeline.warehouse.setup
import pipeline.warehouse.transaction
from flows.ingest import ingest_playlists
from tests.clock import clock_on


def ingest(parameters: dict[str, Any], log: Path, timeout_s: float | None) -> None:
    """Runs the flow, writing what it says to `log` and its final state beside it."""
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    faulthandler.enable(sys.stderr)
    if timeout_s is not None:
        _shorten_timeouts(timeout_s)
    with clock_on(parameters["snapshot_date"]):  # a suite that runs over midnight stays on its day
        state: Any = ingest_playlists(return_state=True, **parameters)
    log.with_suffix(".json").write_text(json.dumps([state.type.value, state.message]), encoding="utf-8")


def _shorten_timeouts(seconds: float) -> None:
    """How long each client waits for an answer."""
    pipeline.spotify.spotipy_adapter.TIMEOUT_S = seconds  # type: ignore[assignment]
    pipeline.lake.store.CLIENT_CONFIG["read_timeout"] = seconds
    network.DEFAULT_SOCKET_CONNECT_TIMEOUT = seconds  # type: ignore[assignment]
    # The sandbox's blocks give a statement 30 s, a login has 60 s.
    pipeline.warehouse.session.MARGIN_S = DEADLINES * seconds - 30
    pipeline.warehouse.session.LOGIN_TIMEOUT_S = 30
