"""The redirect of Spotify's consent page, received on 127.0.0.1.

Other requests come there too: favicons, port scans, old tabs, connections that send nothing. None of them
ends the wait, and none blocks it: each connection has a thread of its own, and a time limit.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Empty, Queue
from threading import Thread
from typing import ClassVar, NamedTuple
from urllib.parse import parse_qs, urlsplit

PATH = "/callback"
CONNECTION_S = 10
"""Seconds that a connection may keep silent."""
OAUTH_ERRORS = frozenset(
    {
        "access_denied",
        "invalid_client",
        "invalid_grant",
        "invalid_request",
        "invalid_scope",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unsupported_grant_type",
        "unsupported_response_type",
    }
)
"""The codes of RFC 6749: whatever else a response calls an error is not quoted, it could be a secret."""


class Redirect(NamedTuple):
    """What the page sent: a code, or OAuth's word for the refusal."""

    code: str | None
    error: str | None


class Listener(ThreadingHTTPServer):
    """Waits for the one redirect that has our state."""

    daemon_threads = True
    allow_reuse_address = False  # a port in use must be noticed

    def __init__(self, port: int, state: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.state = state
        self.received: Queue[Redirect] = Queue()

    def wait(self, within_s: float) -> Redirect | None:
        """The redirect, or None after so many seconds."""
        try:
            return self.received.get(timeout=within_s)
        except Empty:
            return None


@contextmanager
def listening(port: int, state: str) -> Iterator[Listener]:
    """A listener that answers until it is left; raises OSError for a port that cannot be used."""
    with Listener(port, state) as listener:
        Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
        try:
            yield listener
        finally:
            listener.shutdown()


def oauth_error(code: object) -> str:
    """An OAuth error code, or `unknown error`."""
    return code if isinstance(code, str) and code in OAUTH_ERRORS else "unknown error"


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    timeout: ClassVar[float] = CONNECTION_S

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        redirect = Redirect(query.get("code"), query.get("error"))
        if parts.path != PATH:
            self._answer(HTTPStatus.NOT_FOUND, "Nothing is here.")
        elif not secrets.compare_digest(query.get("state", "").encode(), self.server.state.encode()):
            self._answer(HTTPStatus.BAD_REQUEST, "This is not the page that was opened last.")
        elif not (redirect.code or redirect.error):
            self._answer(HTTPStatus.BAD_REQUEST, "Neither a code nor an error came.")
        else:
            self._answer(HTTPStatus.OK, "Received. Look at the terminal; this page can be closed.")
            self.server.received.put(redirect)

    def _answer(self, status: HTTPStatus, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: the address holds the code."""
