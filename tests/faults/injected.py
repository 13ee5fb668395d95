"""What can happen to a request."""

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
"""Before the service gets the request, or after it has done what was asked, before its answer leaves."""

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
TRICKLING = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000000\r\n\r\n"
TRICKLE_EVERY_S = 0.2
RESET_AT_CLOSE = struct.pack("ii", 1, 0)
PATIENCE_S = 60


class Fault(NamedTuple):
    """What happens before and after a service gets a request, and to later ones; each says if it goes on."""

    before: Step = lambda _client: True
    after: Step = lambda _client: True
    later: Step = lambda _client: True


def killed(when: When, process: Callable[[], FlowProcess]) -> Fault:
    """SIGKILL to the process that asks."""

    def kill(_client: socket.socket) -> bool:
        process().send(signal.SIGKILL)
        return False

    return Fault(before=kill) if when == "before" else Fault(after=kill)


def terminated(process: Callable[[], FlowProcess], *, answered: bool) -> Fault:
    """SIGTERM to the process that asks; then the request goes on, or nothing more is heard of the service."""

    def terminate(client: socket.socket) -> bool:
        process().send(signal.SIGTERM)
        return answered or _silence(client)

    return Fault(before=terminate) if answered else Fault(before=terminate, later=_silence)


def _unavailable(client: socket.socket) -> bool:
    client.sendall(UNAVAILABLE)
    return False


def _reset(client: socket.socket) -> bool:
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
    return False


def _silence(client: socket.socket) -> bool:
    client.settimeout(PATIENCE_S)
    client.recv(1)  # nothing comes: the client gives up and leaves
    return False


def _lose(_client: socket.socket) -> bool:
    return False


def _trickle(client: socket.socket) -> bool:
    """A byte each `TRICKLE_EVERY_S`, which passes every read timeout, until the client has left."""
    client.sendall(TRICKLING)
    stop = Event()
    with suppress(OSError):
        for _ in range(int(PATIENCE_S / TRICKLE_EVERY_S)):
            client.sendall(b" ")
            stop.wait(TRICKLE_EVERY_S)
    return False


TRICKLE = Fault(after=_trickle)
"""The service has done what it was asked; its response never ends."""
TRICKLE_ALWAYS = Fault(before=_trickle, later=_trickle)
"""No response of the service ends any more."""
FAILURES = {
    "503": Fault(before=_unavailable),
    "reset": Fault(before=_reset),
    "silence": Fault(before=_silence),
    "lost answer": Fault(after=_lose),
}
"""What a request may meet once, by name."""
