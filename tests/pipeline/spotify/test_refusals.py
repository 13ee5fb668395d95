"""What an answer means for the run: which error, and what its message says."""

from typing import NamedTuple

import pytest
import requests
from spotipy.exceptions import SpotifyException, SpotifyOauthError

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
from pipeline.spotify.refusals import explained

ID, SPOTIFYS = "sandboxMixtape00000001", "37i9dQZF1DXcBWIGoYBM5M"


class Answer(NamedTuple):
    """An answer of Spotify, and what it means."""

    status: int
    text: str
    error: type[PipelineError]
    says: list[str]
    playlist: str = ID
    reason: str | None = None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


USER_TOKEN = "Valid user authentication required"
PREMIUM = "Active premium subscription required for the owner of the app."
NOT_LISTED = "User not registered in the Developer Dashboard"
ANSWERS = {
    "app-only token": Answer(401, USER_TOKEN, ConfigurationError, ["add a refresh_token", USER_TOKEN]),
    "token aged out": Answer(401, "The access token expired", TokenExpired, ["The access token expired"]),
    "token unknown": Answer(401, "Invalid access token", TokenExpired, ["Invalid access token"]),
    "not yours": Answer(403, "Forbidden", SpotifyRefused, [ID, "owns or collaborates on", "403"]),
    "no premium": Answer(403, PREMIUM, ConfigurationError, ["Premium", PREMIUM]),
    "not allow-listed": Answer(403, NOT_LISTED, ConfigurationError, ["allow list", NOT_LISTED]),
    "Spotify's own": Answer(
        404, "Resource not found", SpotifyRefused, ["Spotify's own playlists are closed"], SPOTIFYS
    ),
    "gone": Answer(
        404,
        "Resource not found",
        SpotifyRefused,
        [ID, "deleted, private or a wrong id; check the link", "404"],
    ),
    "bad id": Answer(400, "Invalid base62 id", SpotifyRefused, [ID, "Invalid base62 id"]),
    "window": Answer(429, "API rate limit exceeded", RateLimited, ["7 s"], headers={"Retry-After": "7"}),
    "window, at the cap": Answer(429, "", RateLimited, ["60 s"], headers={"Retry-After": "60"}),
    "window, at once": Answer(429, "", RateLimited, ["0 s"], headers={"Retry-After": "0"}),
    "above the cap": Answer(429, "", QuotaExceeded, ["in 3858 s"], headers={"Retry-After": "3858"}),
    "no Retry-After": Answer(429, "", QuotaExceeded, ["quota", "tomorrow"]),
    "Retry-After that is no number": Answer(
        429, "", QuotaExceeded, ["tomorrow"], headers={"Retry-After": "soon"}
    ),
    "day's quota": Answer(
        429, "", QuotaExceeded, ["quota", "tomorrow"], ID, "QUOTA_EXCEEDED", {"Retry-After": "5"}
    ),
    "500": Answer(500, "Server error", Transient, [ID, "500"]),
    "502": Answer(502, "", Transient, [ID, "502"]),
    "503": Answer(503, "Service unavailable", Transient, [ID, "503"]),
    "504": Answer(504, "", Transient, [ID, "504"]),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_what_an_answer_means(answer: Answer) -> None:
    url = f"https://api.spotify.com/v1/playlists/{answer.playlist}"
    raised = SpotifyException(
        answer.status, -1, f"{url}:\n {answer.text}", reason=answer.reason, headers=answer.headers
    )
    error = explained(raised, f"playlist {answer.playlist}")
    assert type(error) is answer.error
    for part in answer.says:
        assert part in str(error)


def test_how_long_to_wait_is_what_spotify_says() -> None:
    error = explained(
        SpotifyException(429, -1, "url:\n slow", headers={"Retry-After": "7"}), f"playlist {ID}"
    )
    assert isinstance(error, RateLimited)
    assert error.seconds == 7


NETWORK = [requests.ConnectionError("reset"), requests.ReadTimeout("slow"), AttributeError("'str' object")]


@pytest.mark.parametrize("raised", NETWORK, ids=lambda raised: type(raised).__name__)
def test_no_answer_and_an_unreadable_one_are_transient(raised: Exception) -> None:
    error = explained(raised, f"playlist {ID}")
    assert type(error) is Transient
    assert ID in str(error)
    assert type(raised).__name__ in str(error)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("invalid_grant", "refuses the refresh token: .* Authorise again"),
        ("invalid_client", r"client id or secret \(invalid_client\): correct them"),
    ],
)
def test_a_refused_token_stops_the_run_and_says_what_to_do(code: str, says: str) -> None:
    error = explained(SpotifyOauthError("refused", error=code), f"playlist {ID}")
    assert isinstance(error, StopRun)
    assert type(error) is ConfigurationError
    with pytest.raises(ConfigurationError, match=says):
        raise error
