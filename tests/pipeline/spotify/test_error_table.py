"""Table of Spotify faults: outcome, requests and seconds waited, on the first request and in mid-paging.

Every case also checks that neither the DEBUG logs nor the traceback contain a secret.
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
READ_TIMEOUT_S = 2
"""Read timeout for the timeout case: longer than any response takes on a busy machine."""
REQUESTS = 7
"""Page one, five further pages, and page one again to compare the snapshot id."""
READ_BEFORE = {"alone": 0, "mid-paging": 3}
WHERE: dict[str, dict[str, Any]] = {
    "alone": {"path": rf"/v1/playlists/{MIXTAPE}\?"},
    "mid-paging": {"path": f"/v1/playlists/{MIXTAPE}/items", "after": 2},
}


class Row(NamedTuple):
    """A fault and its expected outcome.

    `error`: raised, with `message` in its text; None: the read succeeds. `retries`: further requests.
    `waited`: least and most seconds slept. `token`: a second fault, at the token endpoint.
    """

    fault: dict[str, Any]
    error: type[PipelineError] | None = None
    message: str = ""
    retries: int = 0
    waited: tuple[float, float] = (0, 0)
    token: dict[str, Any] | None = None


def error_response(status: int, text: str, **further: object) -> dict[str, Any]:
    body: dict[str, object] = {"status": status, "message": text, **further}
    return {"status": status, "body": json.dumps({"error": body})}


def rate_limited(seconds: str) -> dict[str, Any]:
    return {"status": 429, "headers": {"Retry-After": seconds}}


def token_refused(code: str) -> dict[str, Any]:
    return {"path": "/api/token", "status": 400, "body": json.dumps({"error": code})}


EXPIRED = error_response(401, "The access token expired")
BACKOFF = (0.5, 1.0)
TABLE = {
    "401 user token": Row(
        error_response(401, "Valid user authentication required"), ConfigurationError, "refresh_token"
    ),
    "401 expired": Row(EXPIRED, retries=1),
    "401 with every token": Row(
        {**EXPIRED, "times": 9}, ConfigurationError, "that it has just issued", retries=1
    ),
    "403 not yours": Row(error_response(403, "Forbidden"), PlaylistUnavailable, "owns or collaborates on"),
    "403 premium": Row(
        error_response(403, "Active premium subscription required"), ConfigurationError, "Premium"
    ),
    "403 not on the allow list": Row(
        error_response(403, "User not registered"), ConfigurationError, "allow list"
    ),
    "404": Row(
        error_response(404, "Resource not found"), PlaylistUnavailable, "deleted, private or a wrong id"
    ),
    "400": Row(error_response(400, "Invalid base62 id"), PlaylistUnavailable, "wrong id"),
    "429 window": Row(rate_limited("7"), retries=1, waited=(7, 7)),
    "429 window, over the budget": Row(rate_limited("11"), PlaylistUnavailable, "wait budget of 10 s"),
    "429 quota": Row(error_response(429, "", reason="QUOTA_EXCEEDED"), QuotaExceeded, "run again tomorrow"),
    "429 without Retry-After": Row({"status": 429}, QuotaExceeded, "run again tomorrow"),
    "429 long Retry-After": Row(rate_limited("3858"), QuotaExceeded, "run again in 3858 s"),
    "500": Row({"status": 500}, retries=1, waited=BACKOFF),
    "502": Row({"status": 502, "kind": "html"}, retries=1, waited=BACKOFF),
    "503, twice": Row({"status": 503, "times": 2}, retries=2, waited=(1.5, 3)),
    "504": Row({"status": 504, "kind": "empty"}, retries=1, waited=BACKOFF),
    "reset": Row({"kind": "reset"}, retries=1, waited=BACKOFF),
    "timeout": Row({"kind": "timeout"}, retries=1, waited=BACKOFF),
    "truncated": Row({"kind": "truncated"}, retries=1, waited=BACKOFF),
    "no body": Row({"kind": "empty"}, retries=1, waited=BACKOFF),
    "HTML instead of JSON": Row({"kind": "html"}, retries=1, waited=BACKOFF),
    "expired, and the refresh token too": Row(
        EXPIRED, ConfigurationError, "Authorise again", token=token_refused("invalid_grant")
    ),
    "expired, and the secret is wrong": Row(
        EXPIRED, ConfigurationError, "client id or secret", token=token_refused("invalid_client")
    ),
}


@pytest.fixture
def spotify(start: Start, caplog: pytest.LogCaptureFixture) -> Iterator[Spotify]:
    """A stand-in with the restrictions of a new app; logs are captured at DEBUG."""
    with caplog.at_level(logging.DEBUG):
        yield start("items")


CASES = {f"{name}, {place}": (row, place) for name, row in TABLE.items() for place in WHERE}
MID_PAGING = {
    "401 expired",
    "403 not yours",
    "429 window",
    "429 quota",
    "503, twice",
    "truncated",
    "HTML instead of JSON",
}
"""One row of each outcome; the long suites run all rows in mid-paging."""
ALWAYS = {f"{name}, alone" for name in TABLE} | {f"{name}, mid-paging" for name in MID_PAGING}


@pytest.mark.parametrize("case", enumerated(CASES, ALWAYS))
def test_a_fault_has_the_outcome_of_its_row(
    spotify: Spotify, case: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, place = CASES[case]
    if row.fault.get("kind") == "timeout":
        monkeypatch.setattr(spotipy_adapter, "TIMEOUT_S", READ_TIMEOUT_S)
    faults = [{**WHERE[place], **row.fault}, *([{**row.token, "after": 1}] if row.token else [])]
    spotify.fail(*faults)
    client = spotify.client(BUDGET_S)
    error, total = read(client)

    assert all(fired >= 1 for fired in spotify.fired())
    requests_made = len(spotify.requested())
    if row.error is None:
        assert (error, total, requests_made) == (None, MIXTAPE_LENGTH, REQUESTS + row.retries)
    else:
        assert isinstance(error, row.error)
        assert row.message in str(error)
        assert requests_made == READ_BEFORE[place] + 1 + row.retries
    low, high = row.waited
    assert low <= sum(spotify.slept) <= high
    assert len(spotify.slept) == (row.retries if high else 0)
    secrets = {CLIENT_SECRET, REFRESH_TOKEN, client._token._token or CLIENT_SECRET}  # noqa: SLF001 - the secret to search for
    written = caplog.text + "".join(traceback.format_exception(error) if error else [])
    assert len(written) > 100
    assert [secret for secret in secrets if secret in written] == []


def read(client: SpotifyClient) -> tuple[PipelineError | None, int]:
    """Reads the playlist; returns the error raised, if any, and the number of entries."""
    try:
        kept = read_playlist(client, THE_RUN, MIXTAPE, lambda _snapshot_id: False, RawFile[Envelope])
    except PipelineError as error:
        return error, 0
    return None, kept.envelope.total if kept else 0
