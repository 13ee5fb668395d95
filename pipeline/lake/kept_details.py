"""Kept details: what Spotify said of whole artists and albums, by day; fresh ones are not asked for again."""

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
"""Genres, labels and follower counts of a week ago are good enough."""

ABOUT_ONE_FILE = (Code.LAKE_DENIED, Code.LAKE_KEY_MISSING)
"""Errors of the lake for which one file of details is left out, as a broken one is."""


class DetailsEnvelope(Struct, frozen=True):
    """First line of kept details.

    `ids`: asked for and settled, whether Spotify knew them or not. `unreadable`: asked for, but the code that
    asked could not read the response: the next run asks again, and later code may read what is kept here.
    """

    run_id: str
    kind: str
    fetched_at: datetime
    ids: list[str]
    code_version: str
    unreadable: list[str] = []


class _Kept(NamedTuple):
    ids: set[str]
    rows: pl.DataFrame


def write_details(lake: Lake, envelope: DetailsEnvelope, bodies: list[bytes], day: date) -> None:
    """Writes what a run was told of one kind, under the day on which it began."""
    key = details_key(envelope.kind, day, envelope.run_id)
    lake.write(key, encode_raw_file(envelope, bodies), CONTENT_TYPE)


class KeptDetails:
    """All details that a lake holds, listed once and read as they are needed.

    Of each kind only what was asked for last is held: dates are published in order, and a year of details
    would not fit into memory.
    """

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._held: dict[str, dict[str, _Kept]] = {kind: {} for kind in KINDS}

    def ids(self, kind: str, day: date) -> set[str]:
        """Ids that need not be asked for on a day."""
        return set[str]().union(*(kept.ids for kept in self._between(kind, day - FRESH, day)))

    def told(self, kind: str, day: date) -> set[str]:
        """Those of them of which Spotify said anything."""
        return set(_together(kind, self._between(kind, day - FRESH, day))[KINDS[kind].id])

    def known(self, first: date, last: date) -> Details:
        """What is known of artists and albums, if anything, for playlists that were read within the days."""
        since = first - FRESH - timedelta(days=1)  # a run over midnight reads after the day it began
        found = {kind: self._between(kind, since, last) for kind in KINDS}
        return {kind: _together(kind, kept) for kind, kept in found.items() if kept}

    def _between(self, kind: str, since: date, until: date) -> list[_Kept]:
        keys = [key for found, day, key in self._keys if found == kind and since <= day <= until]
        held = self._held[kind]
        self._held[kind] = {key: held.get(key) or self._read(kind, key) for key in keys}
        return list(self._held[kind].values())

    @cached_property
    def _keys(self) -> list[tuple[str, date, str]]:
        """Kind, day and key, oldest first."""
        parsed = [(parse_details_key(key), key) for key in self.lake.keys(DETAILS_PREFIX)]
        return sorted((*found, key) for found, key in parsed if found)

    def _read(self, kind: str, key: str) -> _Kept:
        try:
            envelope, bodies = decode_raw_file(self.lake.read(key), DetailsEnvelope)
            rows = [row for body in bodies for row in decode_details(kind, body)]
        except ValueError as error:
            return self._left_out(kind, key, error)
        except ConfigurationError as error:
            if error.code not in ABOUT_ONE_FILE:
                raise
            return self._left_out(kind, key, error)
        key_column, asked = KINDS[kind].id, {*envelope.ids, *envelope.unreadable}
        told = [row for row in rows if row[key_column] in asked]
        return _Kept({*envelope.ids, *(row[key_column] for row in told)}, details_frame(kind, told))

    def _left_out(self, kind: str, key: str, error: Exception) -> _Kept:
        log.warning("%s%s holds no kept details (%s): they are left out", self.lake.url, key, error)
        return _Kept(set(), details_frame(kind, []))


def _together(kind: str, kept: list[_Kept]) -> pl.DataFrame:
    """The last row of each id."""
    rows = [details_frame(kind, []), *(one.rows for one in kept)]
    return pl.concat(rows).unique(KINDS[kind].id, keep="last", maintain_order=True)
