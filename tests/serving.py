"""Serves an ASGI app in a thread, on a free port of loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from sandbox.serving import HOST, AnnouncingServer, bind

START_TIMEOUT_S = 10
STOP_TIMEOUT_S = 10
"""Timeout for an app with a lifespan. Tests do not wait for other apps, which stop within 0.2 s."""


@contextmanager
def running(app: ASGIApp, *, lifespan: bool = False) -> Iterator[str]:
    """Serves the app; yields its URL, `http://127.0.0.1:<port>`.

    `lifespan`: the app has a lifespan handler.
    """
    bound, ready = bind(0), threading.Event()
    lifespan_option = "on" if lifespan else "off"
    server = AnnouncingServer(app, ready.set, lifespan=lifespan_option, date_header=False)
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    try:
        if not ready.wait(START_TIMEOUT_S):
            raise TimeoutError(f"the server did not start within {START_TIMEOUT_S} s")
        yield f"http://{HOST}:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = not lifespan  # does not wait for idle clients, but skips the lifespan's shutdown
        if lifespan:
            thread.join(STOP_TIMEOUT_S)
