"""An S3 that sends one byte at a time: every kind of request ends at its deadline."""

import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import NamedTuple

import boto3
import pytest
from botocore.config import Config

from pipeline.errors import Code, Transient
from pipeline.lake import store
from pipeline.lake.store import Lake

DEADLINE_S = 0.3
INTERVAL_S = 0.02
OK = b"HTTP/1.1 200 OK\r\n"
BODY = OK + b"Content-Length: 100000\r\n\r\n"


class Trickle(socketserver.ThreadingTCPServer):
    """A server that sends `start` at once, then one byte at a time until the test ends."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, start: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.start, self.sent, self.ended = start, 0, threading.Event()


class _Handler(socketserver.StreamRequestHandler):
    server: Trickle

    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(self.server.start)
        while not self.server.ended.wait(INTERVAL_S):
            self.wfile.write(b" ")
            self.server.sent += 1


@contextmanager
def trickling(start: bytes) -> Iterator[tuple[Trickle, Lake]]:
    """A trickling server, and a lake that uses it; the client's read timeout is never reached."""
    with Trickle(start) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        client = boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{server.server_address[1]}",
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(read_timeout=30, retries={"total_max_attempts": 1}),
        )
        try:
            yield server, Lake(client, "the-lake")
        finally:
            server.ended.set()
            server.shutdown()


class Case(NamedTuple):
    """A request, and the part of its response that arrives at once."""

    name: str
    start: bytes
    request: Callable[[Lake], object]


CASES = [
    Case("body of GET", BODY, lambda lake: lake.read("raw/a")),
    Case("headers of GET", OK + b"x-slow: ", lambda lake: lake.read("raw/a")),
    Case("headers of HEAD", OK + b"x-slow: ", lambda lake: lake.exists("raw/a")),
    Case("headers of PUT", OK + b"x-slow: ", lambda lake: lake.write("raw/a", b"bytes", "text/plain")),
    Case("XML of LIST", BODY, lambda lake: list(lake.keys("raw/"))),
    Case("XML of an error", BODY.replace(b"200 OK", b"403 Forbidden"), lambda lake: list(lake.keys("raw/"))),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_trickling_response_ends_at_the_deadline(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "REQUEST_DEADLINE_S", DEADLINE_S)
    monkeypatch.setattr(store, "SLOWEST_BYTES_PER_S", 10**7)
    with trickling(case.start) as (server, lake):
        began = monotonic()
        with pytest.raises(Transient, match=r"no complete response from S3 within 0\.3") as error:
            case.request(lake)
        took = monotonic() - began
        assert server.sent >= 3, "the response did not trickle"
    assert error.value.code == Code.LAKE_UNAVAILABLE
    assert DEADLINE_S <= took < 10 * DEADLINE_S
