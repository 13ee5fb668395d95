"""Run the stand-in: `python -m sandbox.snowflake --port 0 --s3-endpoint http://127.0.0.1:5000`."""

import argparse
import contextlib
import socket

import uvicorn

from sandbox.snowflake.server.app import MAX_LOCK_WAIT, create_app


class Server(uvicorn.Server):
    """A server that says where it listens once it is ready."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then print the address."""
        await super().startup(sockets)
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            print(f"listening on {host}:{port}", flush=True)  # noqa: T201 - whoever started it reads it


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.snowflake", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--s3-endpoint", required=True, help="where stages are read, e.g. http://127.0.0.1:5000"
    )
    parser.add_argument("--idle-abort", type=float, default=5.0, metavar="SECONDS")
    parser.add_argument("--max-lock-wait", type=float, default=MAX_LOCK_WAIT, metavar="SECONDS")
    parser.add_argument("--pipe-delay", type=float, default=0.0, metavar="SECONDS")
    options = parser.parse_args()
    app = create_app(options.s3_endpoint, options.idle_abort, options.max_lock_wait, options.pipe_delay)
    config = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=options.port,
        log_level="warning",
        timeout_graceful_shutdown=2,
        timeout_keep_alive=75,
    )
    with contextlib.suppress(KeyboardInterrupt):
        Server(config).run()


if __name__ == "__main__":
    main()
