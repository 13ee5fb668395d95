"""Kept details of artists and albums, by day. Ids with fresh details are not requested again."""

import logging
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import NamedTuple

import polars as pl
from msgspec import Struct

from pipeline.errors import Code, ConfigurationError
from pipeline.lake.layout import DETAILS_PREFIX, details_key, parse_details_key
from pipeline.lake.raw_files import CONTENT_TYPE, decode_raw_file, encode_raw_file
from pipeline.lake.store import Lake
from pipeline.transform.details import KINDS, Details, decode_details, details_frame

log = logging.getLogger(__name__)

FRESH = timedelta(days=7)
"""Maximum age of kept details that are reused."""

ERRORS_OF_ONE_FILE = (Code.LAKE_DENIED, Code.LAKE_KEY_MISSING)
"""Errors after which a details file is skipped, like a damaged one; any other error fails the run."""


class DetailsEnvelope(Struct, frozen=True):
    """First line of kept details.

    `ids`: requested, and either known or unknown to Spotify. `unreadable`: requested, but this release cannot
    read the response. The next run requests them again, and a later release may read the bodies kept here.
    """

    run_id: str
    kind: str
    fetched_at: datetime
    ids: list[str]
    code_version: str
    unreadable: list[str] = []


class _DetailsFile(NamedTuple):
    ids: set[str]
    rows: pl.DataFrame


def write_details(lake: Lake, envelope: DetailsEnvelope, bodies: list[bytes], day: date) -> None:
    """Writes the responses of a run for one kind, under the day on which the run started."""
    key = details_key(envelope.kind, day, envelope.run_id)
    lake.write(key, encode_raw_file(envelope, bodies), CONTENT_TYPE)


class KeptDetails:
    """All kept details: keys are listed once, files are read when needed.

    For each kind, only the files of the last call are cached: dates are published in order, and a year of
    details would not fit into memory.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._cached: dict[str, dict[str, _DetailsFile]] = {kind: {} for kind in KINDS}

    def fresh_ids(self, kind: str, day: date) -> set[str]:
        """Ids that need no request on a day: with details, or unknown to Spotify."""
        return set[str]().union(*(file.ids for file in self._between(kind, day - FRESH, day)))

    def known_ids(self, kind: str, day: date) -> set[str]:
        """The fresh ids that have details."""
        return set(_merged(kind, self._between(kind, day - FRESH, day))[KINDS[kind].id])

    def known(self, first: date, last: date) -> Details:
        """Details for playlists that were read from `first` to `last`; a kind without files is left out."""
        since = first - FRESH - timedelta(days=1)  # a run across midnight keeps details under its first day
        found = {kind: self._between(kind, since, last) for kind in KINDS}
        return {kind: _merged(kind, files) for kind, files in found.items() if files}

    def _between(self, kind: str, since: date, until: date) -> list[_DetailsFile]:
        keys = [key for found, day, key in self._keys if found == kind and since <= day <= until]
        cached = self._cached[kind]
        self._cached[kind] = {key: cached.get(key) or self._read(kind, key) for key in keys}
        return list(self._cached[kind].values())

    @cached_property
    def _keys(self) -> list[tuple[str, date, str]]:
        """Kind, day and key, oldest first."""
        parsed = [(parse_details_key(key), key) for key in self.lake.keys(DETAILS_PREFIX)]
        return sorted((*found, key) for found, key in parsed if found)

    def _read(self, kind: str, key: str) -> _DetailsFile:
        try:
            envelope, bodies = decode_raw_file(self.lake.read(key), DetailsEnvelope)
            rows = [row for body in bodies for row in decode_details(kind, body)]
        except ValueError as error:
            return self._skipped(kind, key, error)
        except ConfigurationError as error:
            if error.code not in ERRORS_OF_ONE_FILE:
                raise
            return self._skipped(kind, key, error)
        key_column, requested = KINDS[kind].id, {*envelope.ids, *envelope.unreadable}
        known = [row for row in rows if row[key_column] in requested]
        return _DetailsFile({*envelope.ids, *(row[key_column] for row in known)}, details_frame(kind, known))

    def _skipped(self, kind: str, key: str, error: Exception) -> _DetailsFile:
        log.warning(
            "%s%s is left out, because it cannot be read as kept details: %s", self.lake.url, key, error
        )
        return _DetailsFile(set(), details_frame(kind, []))


def _merged(kind: str, files: list[_DetailsFile]) -> pl.DataFrame:
    """The rows of all files; the last row of each id wins."""
    rows = [details_frame(kind, []), *(file.rows for file in files)]
    return pl.concat(rows).unique(KINDS[kind].id, keep="last", maintain_order=True)
