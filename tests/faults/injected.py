"""Faults that can be injected into a request."""

import signal
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from threading import Event
from typing import Literal, NamedTuple

from tests.faults.processes import FlowProcess

Step = Callable[[socket.socket], bool]
When = Literal["before", "after"]
"""Before the service receives the request, or after it has processed it and before it responds."""

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TRICKLING = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
TRICKLE_INTERVAL_S = 0.2
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
MAX_WAIT_S = 60


class Fault(NamedTuple):
    """Steps before and after the service processes the request, and before later requests to the service.

    A step returns True if the request continues.
    """

    before: Step = lambda _client: True
    after: Step = lambda _client: True
    later: Step = lambda _client: True


def killed(when: When, process: Callable[[], FlowProcess]) -> Fault:
    """Sends SIGKILL to the process that sent the request."""

    def kill(_client: socket.socket) -> bool:
        process().send(signal.SIGKILL)
        return False

    return Fault(before=kill) if when == "before" else Fault(after=kill)


def terminated(process: Callable[[], FlowProcess], *, responsive: bool) -> Fault:
    """Sends SIGTERM to the process that sent the request; then the service responds, or never again."""

    def terminate(client: socket.socket) -> bool:
        process().send(signal.SIGTERM)
        return responsive or _silence(client)

    return Fault(before=terminate) if responsive else Fault(before=terminate, later=_silence)


def _unavailable(client: socket.socket) -> bool:
    client.sendall(UNAVAILABLE)
    return False


def _reset(client: socket.socket) -> bool:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    return False


def _silence(client: socket.socket) -> bool:
    client.settimeout(MAX_WAIT_S)
    client.recv(1)  # blocks until the client closes the connection
    return False


def _lose(_client: socket.socket) -> bool:
    return False


def _trickle(client: socket.socket) -> bool:
    """Sends one byte per `TRICKLE_INTERVAL_S`, below every read timeout, until the client disconnects."""
    client.sendall(TRICKLING)
    stop = Event()
    with suppress(OSError):
        for _ in range(int(MAX_WAIT_S / TRICKLE_INTERVAL_S)):
            client.sendall(b" ")
            stop.wait(TRICKLE_INTERVAL_S)
    return False


TRICKLE = Fault(after=_trickle)
"""The service processes the request, but its response never ends."""
TRICKLE_ALWAYS = Fault(before=_trickle, later=_trickle)
"""No response of the service ends, for this request and later ones."""
FAILURES = {
    "503": Fault(before=_unavailable),
    "reset": Fault(before=_reset),
    "silence": Fault(before=_silence),
    "lost response": Fault(after=_lose),
}
"""Faults of a single request, by name."""
