"""`python -m sandbox.spotify`: serve the stand-in on loopback until SIGTERM or SIGINT."""

import argparse
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime
from pathlib import Path

from sandbox.spotify.recordings import Recordings
from sandbox.spotify.server import create_app
from sandbox.spotify.serving import serve
from sandbox.spotify.settings import APP_CLASSES
from sandbox.spotify.sources import Source, Synthetic


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.spotify", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    parser.add_argument("--recordings", type=Path, metavar="DIR", help="serve recorded answers of a folder")
    parser.add_argument("--today", type=date.fromisoformat, metavar="YYYY-MM-DD", help="default: today, UTC")
    parser.add_argument("--app-class", choices=APP_CLASSES, default="extended_new")
    parser.add_argument("--old-shape", action="store_true", help="answer as before 2026")
    return parser.parse_args()


def _source(folder: Path | None) -> Source:
    if folder is None:
        return Synthetic()
    recordings = Recordings.read(folder)
    for line in recordings.remarks:
        sys.stderr.write(f"{line}\n")
    for playlist_id, name in recordings.listing().items():
        sys.stderr.write(f"{playlist_id}  {name}\n")
    return recordings


def _calendar(fixed: date | None) -> Callable[[], date]:
    return lambda: fixed or datetime.now(UTC).date()


def main() -> None:
    """Serve; exit status 2 with one line if there is nothing to serve or the port is taken."""
    options = _options()
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(0)
    )  # uvicorn shuts down first, then passes the signal on
    try:
        source, today = _source(options.recordings), _calendar(options.today)
        app = create_app(source, today=today, app_class=options.app_class, old_shape=options.old_shape)
        with suppress(KeyboardInterrupt):
            serve(app, options.port)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"python -m sandbox.spotify: {error}\n")
        sys.exit(2)


if __name__ == "__main__":
    main()
