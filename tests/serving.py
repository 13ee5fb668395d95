"""An ASGI app, served from a thread on a free port of loopback."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.types import ASGIApp

from sandbox.serving import HOST, AnnouncingServer, bind

START_S = 10
STOP_S = 10
"""Within which an app with a lifespan ends; any other ends by itself in 0.2 s, which no test waits for."""


@contextmanager
def running(app: ASGIApp, *, lifespan: bool = False) -> Iterator[str]:
    """Serve the app; yields its URL, `http://127.0.0.1:<port>`.

    `lifespan`: the app starts and stops things of its own.
    """
    bound, ready = bind(0), threading.Event()
    lifespan_option = "on" if lifespan else "off"
    server = AnnouncingServer(app, ready.set, lifespan=lifespan_option, date_header=False)
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True)
    thread.start()
    try:
        if not ready.wait(START_S):
            raise TimeoutError(f"the server did not start within {START_S} s")
        yield f"http://{HOST}:{bound.getsockname()[1]}"
    finally:
        server.should_exit = True
        server.force_exit = not lifespan  # waits for no idle client, and for no lifespan either
        if lifespan:
            thread.join(STOP_S)
