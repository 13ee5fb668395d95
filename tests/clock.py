"""Moves the clock of a run by whole days."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, tzinfo
from typing import Any

import pytest


@contextmanager
def clock_on(day: date) -> Iterator[None]:
    """Moves the clock of `fetched_at`, run id and receipt to the same time on `day` (UTC)."""
    shift = day - datetime.now(UTC).date()

    class Moved(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:
            return datetime.now(tz) + shift

    with pytest.MonkeyPatch.context() as patched:
        for module in ("flows.run", "flows.write_receipt", "pipeline.spotify.playlists", "pipeline.enrich"):
            patched.setattr(f"{module}.datetime", Moved)
        yield
