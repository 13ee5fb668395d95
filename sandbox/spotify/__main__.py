"""`python -m sandbox.spotify`: serves the stand-in on loopback until SIGTERM or SIGINT."""

import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from sandbox.serving import serve
from sandbox.spotify.recordings import Recordings
from sandbox.spotify.server import create_app
from sandbox.spotify.settings import AppClass
from sandbox.spotify.sources import Source, Synthetic

app = App(name="python -m sandbox.spotify", version_flags=[], default_parameter=Parameter(negative=()))


@app.default
def main(
    *,
    port: Annotated[int, Parameter(help="Port on 127.0.0.1; 0 selects a free port.")] = 0,
    recordings: Annotated[
        Path | None, Parameter(help="Folder of recorded API responses (*.json) to serve.")
    ] = None,
    today: Annotated[
        date | None, Parameter(help="Fixed date of the playlists, YYYY-MM-DD; by default today in UTC.")
    ] = None,
    app_class: Annotated[AppClass, Parameter(help="Class of Spotify app of every client.")] = "extended_new",
    old_shape: Annotated[bool, Parameter(help="Serve playlists in the shape used before 2026.")] = False,
) -> int:
    """Serves the stand-in for the Spotify Web API on loopback until SIGTERM or SIGINT.

    Prints `listening on 127.0.0.1:PORT` when it is ready. The exit status is 2 if the port is in use or the
    folder contains no usable recording.
    """
    try:
        source, calendar = _source(recordings), _calendar(today)
        served = create_app(source, today=calendar, app_class=app_class, old_shape=old_shape)
        serve(served, port, lifespan="off", date_header=False)
    except (OSError, OverflowError) as error:
        sys.stderr.write(f"python -m sandbox.spotify: {error}\n")
        return 2
    return 0


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


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
