"""`python -m sandbox.snowflake`: serves the stand-in on loopback until SIGTERM or SIGINT."""

from typing import Annotated

from cyclopts import App, Parameter

from sandbox.serving import serve
from sandbox.snowflake.server.app import MAX_LOCK_WAIT_S, create_app

app = App(name="python -m sandbox.snowflake", version_flags=[])


@app.default
def main(
    *,
    s3_endpoint: Annotated[
        str, Parameter(help="URL of the S3 server that stages refer to, e.g. http://127.0.0.1:5000.")
    ],
    port: Annotated[int, Parameter(help="Port on 127.0.0.1; 0 selects a free port.")] = 0,
    idle_abort: Annotated[
        float, Parameter(help="Seconds after which an idle transaction that blocks another is rolled back.")
    ] = 5.0,
    max_lock_wait: Annotated[
        float, Parameter(help="Maximum wait for a lock in seconds, even if LOCK_TIMEOUT is longer.")
    ] = MAX_LOCK_WAIT_S,
    pipe_delay: Annotated[
        float, Parameter(help="Seconds between the event of a new file and its load by pipes.")
    ] = 0.0,
) -> None:
    """Serves the stand-in for Snowflake on loopback until SIGTERM or SIGINT.

    Prints `listening on 127.0.0.1:PORT` when it is ready. The account is in memory and empty at the start.
    """
    served = create_app(s3_endpoint, idle_abort, max_lock_wait, pipe_delay)
    serve(served, port, timeout_graceful_shutdown=2, timeout_keep_alive=75)


if __name__ == "__main__":
    app()
