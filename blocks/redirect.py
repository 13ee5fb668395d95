"""HTTP server on 127.0.0.1 that receives the redirect of Spotify's consent page.

It also receives other requests: favicons, port scans, old tabs, connections that send nothing. They neither
end nor block the wait: each connection has a thread and a timeout.
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
CONNECTION_TIMEOUT_S = 10
"""Time limit of a connection that sends nothing."""
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
"""Error codes of RFC 6749. Other values of `error` are not quoted, because they could contain a secret."""


class Redirect(NamedTuple):
    """Query parameters of the redirect: an authorisation code, or an OAuth error code."""

    code: str | None
    error: str | None


class Listener(ThreadingHTTPServer):
    """Waits for the redirect with our state."""

    daemon_threads = True
    allow_reuse_address = False  # a port in use must raise an error

    def __init__(self, port: int, state: str) -> None:
        super().__init__(("127.0.0.1", port), _Handler)
        self.state = state
        self.received: Queue[Redirect] = Queue()

    def wait(self, within_s: float) -> Redirect | None:
        """The redirect, or None after `within_s` seconds."""
        try:
            return self.received.get(timeout=within_s)
        except Empty:
            return None


@contextmanager
def listening(port: int, state: str) -> Iterator[Listener]:
    """A running listener, which is shut down at the end. Raises OSError if the port cannot be used."""
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
    timeout: ClassVar[float] = CONNECTION_TIMEOUT_S

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        redirect = Redirect(query.get("code"), query.get("error"))
        if parts.path != PATH:
            self._respond(HTTPStatus.NOT_FOUND, "There is no such page.")
        elif not secrets.compare_digest(query.get("state", "").encode(), self.server.state.encode()):
            self._respond(HTTPStatus.BAD_REQUEST, "This redirect is of another attempt. Use the latest link.")
        elif not (redirect.code or redirect.error):
            self._respond(HTTPStatus.BAD_REQUEST, "The redirect has neither a code nor an error.")
        else:
            self._respond(HTTPStatus.OK, "Received. Return to the terminal; you can close this page.")
            self.server.received.put(redirect)

    def _respond(self, status: HTTPStatus, text: str) -> None:
        body = f"{text}\n".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing: the request line contains the code."""
