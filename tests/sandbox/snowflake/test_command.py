"""`python -m sandbox.snowflake` as a process."""

import re
import signal
import subprocess
import sys

import pytest
import snowflake.connector

from tests.tiers import enumerated


@pytest.mark.parametrize("how", enumerated(["SIGTERM", "SIGINT"], ["SIGTERM"]))
def test_serves_until_the_signal(how: str) -> None:
    command = [
        sys.executable,
        "-m",
        "sandbox.snowflake",
        "--port",
        "0",
        "--s3-endpoint",
        "http://127.0.0.1:9",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        line = re.fullmatch(r"listening on 127\.0\.0\.1:(\d+)\n", server.stdout.readline())
        assert line
        with snowflake.connector.connect(
            user="sandbox",
            password="p",
            account="sandbox",
            host="127.0.0.1",
            port=int(line[1]),
            protocol="http",
            login_timeout=10,
            platform_detection_timeout_seconds=0.0,
        ) as connection:
            cursor = connection.cursor()
            cursor.execute("SELECT CURRENT_DATABASE()")
            assert cursor.fetchone() == (None,)
        server.send_signal(signal.Signals[how])
        rest, errors = server.communicate(timeout=10)
    assert rest == ""
    assert "Traceback" not in errors
