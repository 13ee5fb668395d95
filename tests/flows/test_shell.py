"""The flows as commands: exit status, messages, and the modules that their import loads."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

import prefect
import pytest

from sandbox.spotify.catalogue import CHARTS
from tests.flows.conftest import Pipeline

UNKNOWN = "0000000000000000000000"


def test_the_exit_status_is_0_only_for_a_completed_run(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    """The failed run in a process, the completed one in this process, which is faster."""
    today = str(datetime.now(UTC).date())
    blocks = [option for name, block in pipeline.blocks.items() for option in (f"--{name}", block)]
    failed = subprocess.run(
        [sys.executable, "-m", "flows", "ingest", CHARTS[0], UNKNOWN, "--snapshot-date", today, *blocks],
        env=pipeline.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert failed.returncode == 1
    assert "Failed: 1 playlist loaded, 1 failed" in failed.stderr
    assert failed.stderr.rstrip().endswith("[PLAYLISTS_FAILED]")
    assert "Traceback" not in failed.stderr + failed.stdout

    from flows.__main__ import app  # noqa: PLC0415 - its commands import Prefect

    with pytest.raises(SystemExit) as ended:
        app(["backfill", "--start-date", today, "--end-date", today, *blocks[2:]])
    assert ended.value.code == 0
    assert "Completed: 1 playlist loaded" in capsys.readouterr().err
    assert pipeline.place.count("songs") == 50


@pytest.mark.parametrize(
    ("given", "command"),
    [
        ({}, ["flows", "ingest"]),
        *(
            pytest.param({}, [module], marks=pytest.mark.faults)
            for module in ("flows.ingest", "flows.backfill")
        ),
        pytest.param(
            {"PREFECT_API_URL": "http://127.0.0.1:9/api"}, ["flows", "ingest"], marks=pytest.mark.faults
        ),
        pytest.param(
            {"PREFECT_SERVER_EPHEMERAL_ENABLED": "false"}, ["flows", "backfill"], marks=pytest.mark.faults
        ),
    ],
    ids=["no variables", "ingest as a module", "backfill as a module", "no response", "as in the image"],
)
def test_without_a_prefect_api_there_is_one_message_soon(
    tmp_path: Path, given: dict[str, str], command: list[str]
) -> None:
    start = monotonic()
    done = subprocess.run(
        [sys.executable, "-m", *command, CHARTS[0]],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **given},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert "PREFECT_API_URL" in done.stderr
    assert len((done.stdout + done.stderr).splitlines()) < 10, done.stderr
    assert "Traceback" not in done.stderr
    assert monotonic() - start < 30  # it takes five on an idle machine


@pytest.mark.parametrize("status", [503, 0], ids=["503", "no response"])
def test_an_api_that_only_passes_its_health_check_ends_the_command(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    """Without our deadline it would take minutes: Prefect's client retries six times."""
    import flows.shell  # noqa: PLC0415 - imports Prefect

    monkeypatch.setattr(flows.shell, "START_TIMEOUT_S", 0.5)
    done = Event()
    with healthy_api(status, done) as (url, posts):
        monkeypatch.setenv("PREFECT_API_URL", url)
        start = monotonic()
        text = from_shell(monkeypatch, CHARTS[0])
        done.set()
    assert posts
    assert monotonic() - start < 15
    assert re.fullmatch(rf"Prefect's API at {url} did not create the run .* \[PREFECT_UNAVAILABLE\]", text)


@contextmanager
def healthy_api(status: int, done: Event) -> Iterator[tuple[str, list[str]]]:
    """An API that passes its health check and returns `status` to each POST; 0: no response at all."""
    posts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/api/health": True, "/api/admin/version": prefect.__version__}
            self.respond(200 if self.path in known else 404, json.dumps(known.get(self.path)).encode())

        def do_POST(self) -> None:
            posts.append(self.path)
            if not status:
                done.wait(60)
            self.respond(status or 503, b"")

        def respond(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keeps the output of the tests clean."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api", posts
        server.shutdown()


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--snapshot-date", "21.11.2026"], "--snapshot-date must be a date, YYYY-MM-DD, not '21.11.2026'."),
        (["--pipe-minutes", "-1"], "--pipe-minutes must be greater than 0, not '-1'."),
        (["--max-hours", "25"], "--max-hours must be less than or equal to 24, not '25'."),
        (["--load", "x"], 'Choose from: "copy", "snowpipe".'),
        (["--max-hours", "nan"], "--max-hours must be a finite number, not 'nan'."),
        (["--max-hours", "abc"], "--max-hours must be a number, not 'abc'."),
        (["--nope"], "Unknown option"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_a_wrong_option_is_refused_with_the_expected_form(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], problem: str
) -> None:
    text = from_shell(monkeypatch, CHARTS[0], *arguments)
    assert problem in text
    assert "pydantic" not in text
    assert len(text.splitlines()) < 5


def test_a_wrong_time_is_refused_with_the_expected_form(monkeypatch: pytest.MonkeyPatch) -> None:
    from flows.backfill import backfill_playlists  # noqa: PLC0415 - imports Prefect

    text = from_shell(monkeypatch, "--fetched-before", "gestern", flow=backfill_playlists)
    assert "--fetched-before must be a time, YYYY-MM-DD or YYYY-MM-DDTHH:MM:SS, in UTC" in text


def test_the_help_shows_the_form_of_dates(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from_shell(monkeypatch, "--help")
    assert "(YYYY-MM-DD)" in capsys.readouterr().out


@pytest.mark.usefixtures("prefect_api")
def test_a_refusal_is_printed_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert from_shell(monkeypatch, "no-playlist") == "1"
    assert capsys.readouterr().err.splitlines()[-1].startswith("Failed: 'no-playlist' is not a playlist")
    assert "is not a playlist" not in caplog.text


def from_shell(monkeypatch: pytest.MonkeyPatch, *arguments: str, flow: Any = None) -> str:
    """Runs the command; returns the argument of `sys.exit`: a message or the exit status."""
    from flows.ingest import ingest_playlists  # noqa: PLC0415
    from flows.shell import run_from_shell  # noqa: PLC0415 - imports Prefect

    monkeypatch.setattr(sys, "argv", ["flows.ingest", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_from_shell(flow or ingest_playlists, "flows ingest")
    return str(ended.value.code)


def test_importing_the_flows_loads_no_heavy_modules() -> None:
    heavy = (
        "prefect_snowflake",
        "snowflake.connector",
        "prefect_aws",
        "altair",
        "jinja2.loaders",
        "pipeline.insights.report",
        "sandbox",
        "moto",
    )
    code = f"import sys, flows.ingest; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
