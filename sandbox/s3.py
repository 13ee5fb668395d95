"""`python -m sandbox.s3`: moto's S3 on loopback until SIGTERM or SIGINT."""

import logging
import signal
import sys
import threading

from moto.server import ThreadedMotoServer


def main() -> None:
    """Serves on a free port and prints its address once ready."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"listening on {host}:{port}\n")
    sys.stdout.flush()
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    stopped.wait()
    server.stop()


if __name__ == "__main__":
    main()
