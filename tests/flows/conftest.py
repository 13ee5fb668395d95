"""Flows run in this process, against a stand-in of Spotify that shows what each test wants."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, date, datetime, tzinfo
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from sandbox.services import Addresses
from sandbox.spotify.recordings import Recordings
from sandbox.spotify.server import create_app
from sandbox.spotify.sources import Synthetic
from tests.parameters import grouped
from tests.places import Place
from tests.serving import running

TODAY = date(2026, 11, 20)


@contextmanager
def clock_on(day: date) -> Iterator[None]:
    """Moves the clock of what a run fetches by whole days, to a day (UTC)."""
    shift = day - datetime.now(UTC).date()

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + shift

    with pytest.MonkeyPatch.context() as patched:
        for module in ("flows.run", "flows.publish", "pipeline.spotify.playlists", "pipeline.enrich"):
            patched.setattr(f"{module}.datetime", Moved)
        yield


@dataclass(frozen=True)
class Pipeline:
    """The flows with blocks for one place; `show` sets what Spotify answers from now on."""

    place: Place
    show: Callable[..., str]
    blocks: dict[str, str]
    environment: dict[str, str]

    def ingest(self, *playlists: str, on: Any = None, **parameters: Any) -> Any:
        """Runs the flow on a day, else on the snapshot date; returns its final state."""
        from flows.ingest import ingest_playlists  # noqa: PLC0415 - imports Prefect

        day = on or parameters.get("snapshot_date")
        with clock_on(day) if day else nullcontext():
            return ingest_playlists(
                list(playlists), return_state=True, **grouped({**self.blocks, **parameters})
            )

    @property
    def confirmed(self) -> dict[str, str]:
        """Parameters of a full refresh."""
        return {"refresh": "full", "confirm_delete": f"{self.place.database}.PLAYLISTS"}

    def backfill(self, *playlists: str, **parameters: Any) -> Any:
        """Runs the flow; returns its final state."""
        from flows.backfill import backfill_playlists  # noqa: PLC0415 - imports Prefect

        blocks = {name: block for name, block in self.blocks.items() if name != "spotify"}
        wanted = list(playlists) or None
        return backfill_playlists(wanted, return_state=True, **grouped({**blocks, **parameters}))


@pytest.fixture
def pipeline(addresses: Addresses, prefect_api: dict[str, str], tmp_path: Path) -> Iterator[Pipeline]:
    """A pipeline with a bucket, a database and a Spotify of its own."""
    from blocks.registration import register  # noqa: PLC0415 - imports Prefect

    place, numbers = Place.create(addresses), count()
    with ExitStack() as stack:

        def show(answers: dict[str, Any] | Path | None = None, today: date = TODAY) -> str:
            """Serves answers by file name, a folder of recordings, or the catalogue; returns the address."""
            if isinstance(answers, dict):
                answers = _write(tmp_path / str(next(numbers)), answers)
            source = Recordings.read(answers) if answers else Synthetic()
            url = stack.enter_context(running(create_app(source, today=lambda: today)))
            variables = place.variables(SPOTIFY_API_URL=f"{url}/v1", SPOTIFY_ACCOUNTS_URL=url)
            register(variables, suffix=f"-{place.name}")
            return url

        names = ("spotify", "lake", "warehouse")
        yield Pipeline(place, show, {name: f"{name}-{place.name}" for name in names}, prefect_api)


def _write(folder: Path, answers: dict[str, Any]) -> Path:
    folder.mkdir()
    for name, answer in answers.items():
        (folder / f"{name}.json").write_text(json.dumps(answer), encoding="utf-8")
    return folder
