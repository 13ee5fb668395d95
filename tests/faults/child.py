"""Runs a flow in a child process, forked from a process that has only imported modules.

Forking is safe: the parent has no Python threads, and Polars and Prefect start theirs at first use, after the
fork. Waits between attempts are shortened in these processes; therefore `time.sleep` is replaced before any
other module imports it.
"""

import time

_sleep = time.sleep
MAX_SLEEP_S = 0.2
READ_TIMEOUTS_PER_REQUEST = 5
"""Deadline of a request in these processes, as a multiple of the read timeout."""


def _short_sleep(seconds: float) -> None:
    _sleep(min(seconds, MAX_SLEEP_S))


time.sleep = _short_sleep  # type: ignore[assignment]

import faulthandler
import json
import os
import sys
from pathlib import Path
from typing import Any

# Flows import these lazily; imported here, the fork has them already.
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
    """Runs the flow; writes its output to `log`, and its final state to a JSON file with the same stem."""
    with log.open("ab") as file:
        for stream in (sys.stdout, sys.stderr):
            os.dup2(file.fileno(), stream.fileno())
    faulthandler.enable(sys.stderr)
    if timeout_s is not None:
        _shorten_timeouts(timeout_s)
    with clock_on(parameters["snapshot_date"]):  # keeps its date if the suite runs over midnight
        state: Any = ingest_playlists(return_state=True, **parameters)
    log.with_suffix(".json").write_text(json.dumps([state.type.value, state.message]), encoding="utf-8")


def _shorten_timeouts(seconds: float) -> None:
    """Sets the read timeout of each client, and the deadlines derived from it."""
    pipeline.spotify.spotipy_adapter.TIMEOUT_S = seconds  # type: ignore[assignment]
    pipeline.lake.store.CLIENT_CONFIG["read_timeout"] = seconds
    network.DEFAULT_SOCKET_CONNECT_TIMEOUT = seconds  # type: ignore[assignment]
    # Defaults: 30 s per statement (blocks of the sandbox), 60 s per login.
    pipeline.warehouse.session.MARGIN_S = READ_TIMEOUTS_PER_REQUEST * seconds - 30
    pipeline.warehouse.session.LOGIN_TIMEOUT_S = 30
