"""The flows from a shell: exit status, messages, and what their import costs."""

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


def test_the_exit_status_of_a_shell_says_how_a_run_ended(
    pipeline: Pipeline, capsys: pytest.CaptureFixture[str]
) -> None:
    """The failed run as a process; the completed one in this process, by the same command."""
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
def test_without_a_prefect_api_there_is_one_message_at_once(
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
    assert monotonic() - start < 30  # alone it takes five; others may keep this machine busy


@pytest.mark.parametrize("status", [503, 0], ids=["503", "silence"])
def test_an_api_that_is_only_healthy_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """Alone it would take minutes: Prefect's client retries six times, by itself."""
    import flows.shell  # noqa: PLC0415 - imports Prefect

    monkeypatch.setattr(flows.shell, "START_S", 0.5)
    done = Event()
    with sick_api(status, done) as (url, posts):
        monkeypatch.setenv("PREFECT_API_URL", url)
        start = monotonic()
        text = from_shell(monkeypatch, CHARTS[0])
        done.set()
    assert posts
    assert monotonic() - start < 15
    assert re.fullmatch(rf"Prefect's API at {url} did not start the run .* \[PREFECT_UNAVAILABLE\]", text)


@contextmanager
def sick_api(status: int, done: Event) -> Iterator[tuple[str, list[str]]]:
    """An API that passes its health check, and answers each POST with a status, or not at all."""
    posts: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = {"/api/health": True, "/api/admin/version": prefect.__version__}
            self.answer(200 if self.path in known else 404, json.dumps(known.get(self.path)).encode())

        def do_POST(self) -> None:
            posts.append(self.path)
            if not status:
                done.wait(60)
            self.answer(status or 503, b"")

        def answer(self, code: int, body: bytes) -> None:
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/api", posts
        server.shutdown()


@pytest.mark.parametrize(
    ("arguments", "says"),
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
def test_a_wrong_option_is_refused_with_the_right_form(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], says: str
) -> None:
    text = from_shell(monkeypatch, CHARTS[0], *arguments)
    assert says in text
    assert "pydantic" not in text
    assert len(text.splitlines()) < 5


def test_a_wrong_time_is_refused_with_the_right_form(monkeypatch: pytest.MonkeyPatch) -> None:
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
    """How the command ends: what `sys.exit` is given, a message or the exit status."""
    from flows.ingest import ingest_playlists  # noqa: PLC0415
    from flows.shell import run_from_shell  # noqa: PLC0415 - imports Prefect

    monkeypatch.setattr(sys, "argv", ["flows.ingest", *arguments])
    with pytest.raises(SystemExit) as ended:
        run_from_shell(flow or ingest_playlists, "flows ingest")
    return str(ended.value.code)


def test_importing_the_flows_is_light() -> None:
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
