"""A proxy in front of each service: numbers the requests and injects a fault into one of them."""

import socket
import socketserver
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler
from time import monotonic
from urllib.parse import urlsplit

from sandbox.services import Addresses
from tests.faults.injected import MAX_WAIT_S, Fault
from tests.faults.labels import Label, Request, kind_of


class Traffic:
    """Requests to all services, in order of arrival, and the fault to inject."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._open = 0
        self.reset()

    def reset(self, label: Label | None = None, fault: Fault | None = None, together: int = 1) -> None:
        """Clears the records; the fault will be injected once, into the request with the label.

        `together`: number of runs that wait for each other at their token request.
        """
        with self._changed:
            self._label, self._fault = label, fault
            self._gate = threading.Barrier(together)
            self._counts: Counter[tuple[str, str]] = Counter()
            self.seen: list[Label] = []
            self.fired: list[Label] = []
            self.seconds: dict[Label, float] = {}
            self.sent: Counter[tuple[str, str]] = Counter()
            self.received: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def passing(self, request: Request) -> Iterator[Fault | None]:
        """Numbers a request; yields the fault to inject, if any."""
        kind = kind_of(request)
        with self._changed:
            self._open += 1
            self._counts[request.service, kind] += 1
            label = Label(request.service, kind, self._counts[request.service, kind])
            self.seen.append(label)
            fault = self._fault_of(label)
            self._changed.notify_all()
            start = monotonic()
        try:
            if kind == "token":
                self._gate.wait(MAX_WAIT_S)
            yield fault
        finally:
            with self._changed:
                self._open -= 1
                self.seconds[label] = monotonic() - start
                self._changed.notify_all()

    def count_bytes(self, request: Request, response: bytes) -> None:
        """Adds the sizes of both bodies, by service and kind."""
        place = request.service, kind_of(request)
        with self._changed:
            self.sent[place] += len(request.body)
            self.received[place] += len(response.partition(b"\r\n\r\n")[2])

    def _fault_of(self, label: Label) -> Fault | None:
        if self._fault and label == self._label:
            self.fired.append(label)
            return self._fault
        if self._fault and label.service in {fired.service for fired in self.fired}:
            return Fault(before=self._fault.later)
        return None

    def wait_quiet(self) -> None:
        """Waits until no request is in progress."""
        with self._changed:
            assert self._changed.wait_for(lambda: not self._open, MAX_WAIT_S), "a request is stuck"

    def wait_seen(self, label: Label) -> None:
        """Waits until the request has arrived."""
        with self._changed:
            assert self._changed.wait_for(lambda: label in self.seen, MAX_WAIT_S), f"no {label}"


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    request_queue_size = 128

    def __init__(self, service: str, upstream: str, traffic: Traffic) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        parts = urlsplit(upstream)
        self.upstream = (str(parts.hostname), int(parts.port or 0))
        self.service, self.traffic = service, traffic

    def shutdown_request(self, request: socket.socket | tuple[bytes, socket.socket]) -> None:
        """Closes without a shutdown, which would turn a reset into an orderly end."""
        self.close_request(request)

    def handle_error(self, *_: object) -> None:
        """Ignores errors: a killed client does not read its response."""


class _Handler(BaseHTTPRequestHandler):
    """Forwards one request per connection unchanged."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_: object) -> None:
        """Logs nothing."""

    def do_GET(self) -> None:
        self.close_connection = True
        length = int(self.headers.get("Content-Length", 0))
        body = self.rfile.read(length)
        if len(body) < length:
            return  # the client was killed while sending: no service would process that
        request = Request(
            self.server.service, self.command, self.path, self.headers.get("Content-Encoding", ""), body
        )
        with self.server.traffic.passing(request) as fault:
            if fault and not fault.before(self.connection):
                return
            response = self._forward(body)
            self.server.traffic.count_bytes(request, response)
            if not fault or fault.after(self.connection):
                self.wfile.write(response)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815 - the base class's names

    def _forward(self, body: bytes) -> bytes:
        for name in ("Connection", "Expect"):
            del self.headers[name]
        self.headers["Connection"] = "close"
        head = f"{self.requestline}\r\n{self.headers.as_string()}".replace("\r\n", "\n").replace("\n", "\r\n")
        with socket.create_connection(self.server.upstream, MAX_WAIT_S) as service:
            service.sendall(head.encode("latin-1") + body)
            return b"".join(iter(lambda: service.recv(65536), b""))


@contextmanager
def proxies(addresses: Addresses, traffic: Traffic) -> Iterator[Addresses]:
    """Starts proxies in front of the three services; yields their addresses."""
    upstreams = {"spotify": addresses.spotify, "s3": addresses.s3, "snowflake": addresses.snowflake}
    with ExitStack() as stack:
        yield Addresses(
            **{
                service: stack.enter_context(serving(service, url, traffic))
                for service, url in upstreams.items()
            }
        )


@contextmanager
def serving(service: str, upstream: str, traffic: Traffic) -> Iterator[str]:
    """Starts a proxy in front of one service; yields its address."""
    with _Server(service, upstream, traffic) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
