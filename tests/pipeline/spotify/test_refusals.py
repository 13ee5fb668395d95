"""Mapping of Spotify error responses to our errors and their messages."""

from typing import NamedTuple

import pytest
import requests

from pipeline.errors import (
    ConfigurationError,
    PipelineError,
    QuotaExceeded,
    RateLimited,
    SpotifyRefused,
    StopRun,
    TokenExpired,
    Transient,
)
from pipeline.spotify.http import ErrorResponse
from pipeline.spotify.quotes import Quote
from pipeline.spotify.refusals import explain_failure, explain_token_refusal

ID, SPOTIFY_OWNED = "sandboxMixtape00000001", "37i9dQZF1DXcBWIGoYBM5M"


class Case(NamedTuple):
    """An error response of Spotify, and the expected error and parts of its message."""

    status: int
    text: str
    error: type[PipelineError]
    parts: list[str]
    playlist: str = ID
    reason: str | None = None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


USER_TOKEN = "Valid user authentication required"
PREMIUM = "Active premium subscription required for the owner of the app."
NOT_LISTED = "User not registered in the Developer Dashboard"
CASES = {
    "app-only token": Case(401, USER_TOKEN, ConfigurationError, ["add a refresh_token", USER_TOKEN]),
    "token expired": Case(401, "The access token expired", TokenExpired, ["The access token expired"]),
    "token unknown": Case(401, "Invalid access token", TokenExpired, ["Invalid access token"]),
    "not yours": Case(403, "Forbidden", SpotifyRefused, [ID, "owns or collaborates on", "403"]),
    "no premium": Case(403, PREMIUM, ConfigurationError, ["Premium", PREMIUM]),
    "not allow-listed": Case(403, NOT_LISTED, ConfigurationError, ["allow list", NOT_LISTED]),
    "owned by Spotify": Case(
        404, "Resource not found", SpotifyRefused, ["Spotify's own playlists are closed"], SPOTIFY_OWNED
    ),
    "not found": Case(
        404,
        "Resource not found",
        SpotifyRefused,
        [ID, "deleted, private or a wrong id; check the link", "404"],
    ),
    "bad id": Case(400, "Invalid base62 id", SpotifyRefused, [ID, "Invalid base62 id"]),
    "rate limit": Case(429, "API rate limit exceeded", RateLimited, ["7 s"], headers={"Retry-After": "7"}),
    "rate limit, at the maximum wait": Case(429, "", RateLimited, ["60 s"], headers={"Retry-After": "60"}),
    "rate limit, no wait": Case(429, "", RateLimited, ["0 s"], headers={"Retry-After": "0"}),
    "above the maximum wait": Case(429, "", QuotaExceeded, ["in 3858 s"], headers={"Retry-After": "3858"}),
    "no Retry-After": Case(429, "", QuotaExceeded, ["quota", "tomorrow"]),
    "Retry-After is not a number": Case(
        429, "", QuotaExceeded, ["tomorrow"], headers={"Retry-After": "soon"}
    ),
    "daily quota": Case(
        429, "", QuotaExceeded, ["quota", "tomorrow"], ID, "QUOTA_EXCEEDED", {"Retry-After": "5"}
    ),
    "500": Case(500, "Server error", Transient, [ID, "500"]),
    "502": Case(502, "", Transient, [ID, "502"]),
    "503": Case(503, "Service unavailable", Transient, [ID, "503"]),
    "504": Case(504, "", Transient, [ID, "504"]),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_an_error_response_is_mapped_to_an_error(case: Case) -> None:
    response = ErrorResponse(case.status, case.headers, Quote(case.text, reason=case.reason))
    error = explain_failure(response, f"playlist {case.playlist}")
    assert type(error) is case.error
    for part in case.parts:
        assert part in str(error)


def test_the_wait_of_a_rate_limit_is_its_retry_after() -> None:
    error = explain_failure(ErrorResponse(429, {"Retry-After": "7"}, Quote("slow")), f"playlist {ID}")
    assert isinstance(error, RateLimited)
    assert error.seconds == 7


NETWORK = [requests.ConnectionError("reset"), requests.ReadTimeout("slow")]


@pytest.mark.parametrize("raised", NETWORK, ids=lambda raised: type(raised).__name__)
def test_a_missing_response_is_transient(raised: requests.RequestException) -> None:
    error = explain_failure(raised, f"playlist {ID}")
    assert type(error) is Transient
    assert ID in str(error)
    assert type(raised).__name__ in str(error)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("invalid_grant", "refuses the refresh token: .* Authorise again"),
        ("invalid_client", r"client id or secret \(invalid_client\): correct them"),
    ],
)
def test_a_refused_token_stops_the_run_with_the_action_to_take(code: str, message: str) -> None:
    error = explain_token_refusal(ErrorResponse(400, {}, Quote(code, oauth_code=code)))
    assert isinstance(error, StopRun)
    assert type(error) is ConfigurationError
    with pytest.raises(ConfigurationError, match=message):
        raise error
