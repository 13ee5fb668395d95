"""Run the stand-in: in a thread for tests, or until a signal."""

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from starlette.types import ASGIApp

HOST = "127.0.0.1"
PATIENCE = 10  # seconds


class Announcing(uvicorn.Server):
    """A server that tells when it is ready."""

    def __init__(self, app: ASGIApp, ready: Callable[[], None]) -> None:
        super().__init__(
            uvicorn.Config(app, log_level="warning", access_log=False, lifespan="off", date_header=False)
        )
        self.ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then tell."""
        await super().startup(sockets)
        self.ready()


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind((HOST, port))
    return bound


def serve(app: ASGIApp, port: int) -> None:
    """Serve until SIGTERM or SIGINT, print the address once ready; raises OSError for a port in use."""
    bound = _bind(port)

    def announce() -> None:
        sys.stdout.write(f"listening on {HOST}:{bound.getsockname()[1]}\n")
        sys.stdout.flush()

    Announcing(app, announce).run([bound])


@contextmanager
def running(app: ASGIApp) -> Iterator[str]:
    """Serve in a thread on a free port; gives the base URL, `http://127.0.0.1:<port>`."""
    bound, ready = _bind(0), threading.Event()
    server = Announcing(app, ready.set)
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    try:
        if not ready.wait(PATIENCE):
            raise TimeoutError(f"the stand-in did not start within {PATIENCE} s")
        yield f"http://{HOST}:{bound.getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True  # waits for no idle client
        thread.join(PATIENCE)
        bound.close()
