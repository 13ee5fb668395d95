"""A deadline for a whole response: a read timeout alone never ends one that trickles.

Each read from the socket gets what is left of the deadline, whether it reads headers or the body.
"""

import http.client
import io
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

_request = threading.local()


@contextmanager
def ends_by(until: float) -> Iterator[None]:
    """What this thread reads of a response raises TimeoutError after `until` (seconds of time.monotonic)."""
    _request.until = until
    try:
        yield
    finally:
        del _request.until


class _TimedSocket(io.RawIOBase):
    """The reading end of a socket; wraps SocketIO, which keeps the socket open as long as it is read."""

    def __init__(self, connection: socket.socket, reader: io.RawIOBase) -> None:
        self._connection, self._reader = connection, reader

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - WriteableBuffer of typeshed
        until = getattr(_request, "until", None)
        if until is None:  # not within `ends_by`
            return self._reader.readinto(buffer)
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError("the response was not complete in time")
        timeout = self._connection.gettimeout()
        self._connection.settimeout(left if timeout is None else min(left, timeout))
        try:
            return self._reader.readinto(buffer)
        finally:
            self._connection.settimeout(timeout)

    def close(self) -> None:
        self._reader.close()
        super().close()


class _Response(http.client.HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:  # noqa: ANN401 - passed on
        super().__init__(sock, *args, **options)
        self.fp = io.BufferedReader(_TimedSocket(sock, self.fp.detach()))


class _Connection(HTTPConnection):
    response_class = _Response


class _SecureConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


POOLS = {"http": _Pool, "https": _SecurePool}
"""For urllib3's PoolManager.pool_classes_by_scheme."""
