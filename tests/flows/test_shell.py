"""The flows from a shell: exit status, messages, and what their import costs."""

import subprocess
import sys
from datetime import UTC, datetime

import pytest

from sandbox.spotify.catalogue import CHARTS, EMPTY
from tests.flows.conftest import Pipeline


def shell(pipeline: Pipeline, module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    blocks = [option for name, block in pipeline.blocks.items() for option in (f"--{name}", block)]
    used = blocks if module == "flows.ingest" else blocks[2:]
    return subprocess.run(
        [sys.executable, "-m", module, *arguments, *used],
        env=pipeline.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.faults
def test_ingest_and_backfill_from_a_shell(pipeline: Pipeline) -> None:
    pipeline.show()
    today = str(datetime.now(UTC).date())
    done = shell(pipeline, "flows.ingest", CHARTS[0], EMPTY, "--snapshot-date", today)
    assert done.returncode == 0, done.stderr
    assert "Completed: Playlists: 2 loaded" in done.stderr
    again = shell(pipeline, "flows.backfill", "--start-date", today, "--end-date", today)
    assert again.returncode == 0, again.stderr
    assert pipeline.place.count("songs") == 50


@pytest.mark.faults
def test_a_failed_run_ends_with_another_status_and_no_traceback(pipeline: Pipeline) -> None:
    pipeline.show()
    done = shell(pipeline, "flows.ingest", EMPTY, "0000000000000000000000")

    assert done.returncode == 1
    assert "Failed: Playlists: 1 loaded, 1 failed" in done.stderr
    assert "Traceback" not in done.stderr + done.stdout


def test_importing_the_flows_is_light() -> None:
    heavy = ("prefect_snowflake", "snowflake.connector", "prefect_aws", "altair", "sandbox", "moto")
    code = f"import sys, flows.ingest; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"
