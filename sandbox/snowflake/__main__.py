"""`python -m sandbox.snowflake`: serves the stand-in on loopback until SIGTERM or SIGINT."""

from typing import Annotated

from cyclopts import App, Parameter

from sandbox.serving import serve
from sandbox.snowflake.server.app import MAX_LOCK_WAIT, create_app

app = App(name="python -m sandbox.snowflake", version_flags=[])


@app.default
def main(
    *,
    s3_endpoint: Annotated[
        str, Parameter(help="URL of the S3 that stages refer to, e.g. http://127.0.0.1:5000.")
    ],
    port: Annotated[int, Parameter(help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    idle_abort: Annotated[
        float, Parameter(help="Seconds after which an idle transaction that blocks another is rolled back.")
    ] = 5.0,
    max_lock_wait: Annotated[
        float, Parameter(help="Seconds that a statement waits for a lock at most, whatever LOCK_TIMEOUT is.")
    ] = MAX_LOCK_WAIT,
    pipe_delay: Annotated[
        float, Parameter(help="Seconds between the event of a new file and its loading by pipes.")
    ] = 0.0,
) -> None:
    """Serves the stand-in for Snowflake on loopback until SIGTERM or SIGINT.

    The line `listening on 127.0.0.1:PORT` is printed once it is ready. The account is in memory, empty at the
    start.
    """
    account = create_app(s3_endpoint, idle_abort, max_lock_wait, pipe_delay)
    serve(account, port, timeout_graceful_shutdown=2, timeout_keep_alive=75)


if __name__ == "__main__":
    app()
