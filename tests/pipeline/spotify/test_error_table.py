"""The table of errors: fault → outcome → requests made → seconds waited, alone and in the middle of paging.

In every case no secret is in the logs at DEBUG, nor in the traceback.
"""

import json
import logging
import traceback
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from pipeline.errors import ConfigurationError, PipelineError, PlaylistUnavailable, QuotaExceeded
from pipeline.lake.raw_files import RawFile
from pipeline.records import Envelope
from pipeline.spotify import spotipy_adapter
from pipeline.spotify.client import SpotifyClient
from pipeline.spotify.playlists import read_playlist
from sandbox.spotify.accounts import CLIENT_SECRET, REFRESH_TOKEN
from sandbox.spotify.catalogue import MIXTAPE, MIXTAPE_LENGTH
from tests.builders import THE_RUN
from tests.spotify import Spotify, Start
from tests.tiers import enumerated

BUDGET_S = 10.0
SILENCE_S = 2
"""After which a client gives up where one is needed: longer than any response takes on a busy machine."""
REQUESTS = 7
"""Page one, five further pages, and a last look."""
READ_BEFORE = {"alone": 0, "mid-paging": 3}
WHERE: dict[str, dict[str, Any]] = {
    "alone": {"path": rf"/v1/playlists/{MIXTAPE}\?"},
    "mid-paging": {"path": f"/v1/playlists/{MIXTAPE}/items", "after": 2},
}


class Row(NamedTuple):
    """A fault, and what the run does: which error (None: it goes on), requests and seconds it costs."""

    fault: dict[str, Any]
    error: type[PipelineError] | None = None
    says: str = ""
    again: int = 0
    waited: tuple[float, float] = (0, 0)
    token: dict[str, Any] | None = None


def says(status: int, text: str, **further: object) -> dict[str, Any]:
    body: dict[str, object] = {"status": status, "message": text, **further}
    return {"status": status, "body": json.dumps({"error": body})}


def after(seconds: str) -> dict[str, Any]:
    return {"status": 429, "headers": {"Retry-After": seconds}}


def refuses(code: str) -> dict[str, Any]:
    return {"path": "/api/token", "status": 400, "body": json.dumps({"error": code})}


EXPIRED = says(401, "The access token expired")
BACKOFF = (0.5, 1.0)
TABLE = {
    "401 user token": Row(
        says(401, "Valid user authentication required"), ConfigurationError, "refresh_token"
    ),
    "401 expired": Row(EXPIRED, again=1),
    "401 for ever": Row({**EXPIRED, "times": 9}, ConfigurationError, "that it has just issued", again=1),
    "403 not yours": Row(says(403, "Forbidden"), PlaylistUnavailable, "owns or collaborates on"),
    "403 premium": Row(says(403, "Active premium subscription required"), ConfigurationError, "Premium"),
    "403 not listed": Row(says(403, "User not registered"), ConfigurationError, "allow list"),
    "404": Row(says(404, "Resource not found"), PlaylistUnavailable, "deleted, private or a wrong id"),
    "400": Row(says(400, "Invalid base62 id"), PlaylistUnavailable, "wrong id"),
    "429 window": Row(after("7"), again=1, waited=(7, 7)),
    "429 window, over the budget": Row(after("11"), PlaylistUnavailable, "wait budget of 10 s"),
    "429 quota": Row(says(429, "", reason="QUOTA_EXCEEDED"), QuotaExceeded, "run again tomorrow"),
    "429 without Retry-After": Row({"status": 429}, QuotaExceeded, "run again tomorrow"),
    "429 long Retry-After": Row(after("3858"), QuotaExceeded, "run again in 3858 s"),
    "500": Row({"status": 500}, again=1, waited=BACKOFF),
    "502": Row({"status": 502, "kind": "html"}, again=1, waited=BACKOFF),
    "503, twice": Row({"status": 503, "times": 2}, again=2, waited=(1.5, 3)),
    "504": Row({"status": 504, "kind": "empty"}, again=1, waited=BACKOFF),
    "reset": Row({"kind": "reset"}, again=1, waited=BACKOFF),
    "timeout": Row({"kind": "timeout"}, again=1, waited=BACKOFF),
    "cut": Row({"kind": "truncated"}, again=1, waited=BACKOFF),
    "no body": Row({"kind": "empty"}, again=1, waited=BACKOFF),
    "a page": Row({"kind": "html"}, again=1, waited=BACKOFF),
    "expired, and the refresh token too": Row(
        EXPIRED, ConfigurationError, "Authorise again", token=refuses("invalid_grant")
    ),
    "expired, and the secret is wrong": Row(
        EXPIRED, ConfigurationError, "client id or secret", token=refuses("invalid_client")
    ),
}


@pytest.fixture
def spotify(start: Start, caplog: pytest.LogCaptureFixture) -> Iterator[Spotify]:
    """An app of today's class, with its client's logs at DEBUG."""
    with caplog.at_level(logging.DEBUG):
        yield start("items")


CASES = {f"{name}, {place}": (row, place) for name, row in TABLE.items() for place in WHERE}
MID_PAGING = {"401 expired", "403 not yours", "429 window", "429 quota", "503, twice", "cut", "a page"}
"""One row of each outcome; the others are tried there in the long suites."""
ALWAYS = {f"{name}, alone" for name in TABLE} | {f"{name}, mid-paging" for name in MID_PAGING}


@pytest.mark.parametrize("case", enumerated(CASES, ALWAYS))
def test_the_table(
    spotify: Spotify, case: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, place = CASES[case]
    if row.fault.get("kind") == "timeout":
        monkeypatch.setattr(spotipy_adapter, "TIMEOUT_S", SILENCE_S)
    faults = [{**WHERE[place], **row.fault}, *([{**row.token, "after": 1}] if row.token else [])]
    spotify.fail(*faults)
    client = spotify.client(BUDGET_S)
    error, total = read(client)

    assert all(fired >= 1 for fired in spotify.fired())
    asked = len(spotify.requested())
    if row.error is None:
        assert (error, total, asked) == (None, MIXTAPE_LENGTH, REQUESTS + row.again)
    else:
        assert isinstance(error, row.error)
        assert row.says in str(error)
        assert asked == READ_BEFORE[place] + 1 + row.again
    low, high = row.waited
    assert low <= sum(spotify.slept) <= high
    assert len(spotify.slept) == (row.again if high else 0)
    secrets = {CLIENT_SECRET, REFRESH_TOKEN, client._token._token or CLIENT_SECRET}  # noqa: SLF001 - a canary
    written = caplog.text + "".join(traceback.format_exception(error) if error else [])
    assert len(written) > 100
    assert [secret for secret in secrets if secret in written] == []


def read(client: SpotifyClient) -> tuple[PipelineError | None, int]:
    """What reading the playlist raises, and how many entries it has."""
    try:
        kept = read_playlist(client, THE_RUN, MIXTAPE, lambda _snapshot_id: False, RawFile[Envelope])
    except PipelineError as error:
        return error, 0
    return None, kept.envelope.total if kept else 0
