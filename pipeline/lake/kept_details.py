"""Kept details: what Spotify said of whole artists and albums, by day; fresh ones are not asked for again."""

import logging
from datetime import date, datetime, timedelta
from functools import cache, cached_property
from typing import Any, NamedTuple

from msgspec import Struct

from pipeline.errors import Code, ConfigurationError
from pipeline.lake.layout import DETAILS_PREFIX, details_key, parse_details_key
from pipeline.lake.raw_files import CONTENT_TYPE, decode_raw_file, encode_raw_file
from pipeline.lake.store import Lake
from pipeline.transform.details import KINDS, decode_details

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
    rows: list[dict[str, Any]]


def write_details(lake: Lake, envelope: DetailsEnvelope, bodies: list[bytes], day: date) -> None:
    """Writes what a run was told of one kind, under the day on which it began."""
    key = details_key(envelope.kind, day, envelope.run_id)
    lake.write(key, encode_raw_file(envelope, bodies), CONTENT_TYPE)


class KeptDetails:
    """All details that a lake holds, listed once and read as they are needed."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self._read = cache(self._read_anew)

    def ids(self, kind: str, day: date) -> set[str]:
        """Ids that need not be asked for on a day."""
        return set[str]().union(*(kept.ids for kept in self._between(kind, day - FRESH, day)))

    def told(self, kind: str, day: date) -> set[str]:
        """Those of them of which Spotify said anything."""
        return {row[KINDS[kind].id] for kept in self._between(kind, day - FRESH, day) for row in kept.rows}

    def known(self, first: date, last: date) -> dict[str, list[dict[str, Any]]]:
        """Rows of artists and albums, newest last, for playlists that were read within the days."""
        since = first - FRESH - timedelta(days=1)  # a run over midnight reads after the day it began
        return {
            kind: [row for kept in self._between(kind, since, last) for row in kept.rows] for kind in KINDS
        }

    def _between(self, kind: str, since: date, until: date) -> list[_Kept]:
        keys = [key for found, day, key in self._keys if found == kind and since <= day <= until]
        return [self._read(kind, key) for key in keys]

    @cached_property
    def _keys(self) -> list[tuple[str, date, str]]:
        """Kind, day and key, oldest first."""
        parsed = [(parse_details_key(key), key) for key in self.lake.keys(DETAILS_PREFIX)]
        return sorted((*found, key) for found, key in parsed if found)

    def _read_anew(self, kind: str, key: str) -> _Kept:
        try:
            envelope, bodies = decode_raw_file(self.lake.read(key), DetailsEnvelope)
        except ValueError as error:
            return self._left_out(key, error)
        except ConfigurationError as error:
            if error.code not in ABOUT_ONE_FILE:
                raise
            return self._left_out(key, error)
        key_column, asked = KINDS[kind].id, {*envelope.ids, *envelope.unreadable}
        rows = [row for body in bodies for row in decode_details(kind, body) if row[key_column] in asked]
        return _Kept({*envelope.ids, *(row[key_column] for row in rows)}, rows)

    def _left_out(self, key: str, error: Exception) -> _Kept:
        log.warning("%s%s holds no kept details (%s): they are left out", self.lake.url, key, error)
        return _Kept(set(), [])
