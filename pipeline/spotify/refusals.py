"""Translates failed requests to errors of the pipeline. Source: Web API reference, observed responses."""

import re

import requests

from pipeline.errors import (
    Code,
    ConfigurationError,
    PipelineError,
    PlaylistUnavailable,
    QuotaExceeded,
    RateLimited,
    SpotifyRefused,
    TokenExpired,
    Transient,
)
from pipeline.spotify.http import MAX_BODY_BYTES, ErrorResponse, ResponseTooLarge, ResponseTooSlow
from pipeline.spotify.links import MINE

RETRY_AFTER_CAP_S = 60
"""A longer Retry-After means that the daily quota is used up, not the limit of a short window."""
SPOTIFY_OWNED = "37i9dQ"
"""First characters of the ids of Spotify's own playlists."""

APP_WIDE = ("premium", "registered", "allow-list", "allowlist")
"""Words in a 403 response that concerns the app, not the requested object."""

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 400, 401, 403, 404
REQUEST_TIMEOUT, TOO_MANY, SERVER_ERROR = 408, 429, 500


NOT_YOURS = (
    "Spotify returns the playlist's name but not its entries to this app: since 2026, apps in development "
    "mode can read only playlists that their user owns or collaborates on. Make the user a collaborator, "
    "or use an app with extended quota"
)


NO_USER = (
    "Spotify returns the playlist's name but not its entries to this app, and the SpotifyCredentials block "
    "has no refresh_token: authorise a user who owns the playlist or collaborates on it, "
    "python -m blocks authorize"
)


NARROW_CONSENT = (
    "Spotify does not list the user's playlists with this consent. Authorise again: "
    "python -m blocks authorize"
)


def explain_failure(error: requests.RequestException, subject: str) -> PipelineError:
    """The error by what the run does next. `subject`: "playlist <id>", or the name of another object."""
    if isinstance(error, ErrorResponse):
        return _refused(error, subject)
    if isinstance(error, requests.TooManyRedirects | requests.exceptions.InvalidURL):
        return ConfigurationError(
            f"{subject}: Spotify's address redirects or is invalid ({type(error).__name__}), so no token was "
            "sent there: correct api_url and accounts_url of the SpotifyCredentials block",
            Code.SPOTIFY_ADDRESS,
        )
    if isinstance(error, ResponseTooLarge):
        return PlaylistUnavailable(
            f"{subject}: Spotify's response is larger than {MAX_BODY_BYTES // 2**20} MiB and was not read. "
            "If this continues, the Web API has changed: report it",
            Code.SPOTIFY_UNREADABLE,
        )
    if isinstance(error, ResponseTooSlow):
        return Transient(f"{subject}: Spotify's {error}", Code.SPOTIFY_UNAVAILABLE)
    return Transient(
        f"{subject}: no response from Spotify ({type(error).__name__})", Code.SPOTIFY_UNAVAILABLE
    )


def explain_token_refusal(refused: ErrorResponse) -> PipelineError:
    """The error for an error response of the token endpoint, by what the run does next."""
    status, quote = refused.status, refused.quote
    if status == TOO_MANY:
        return _too_many(refused)
    if status >= SERVER_ERROR:
        return Transient(f"Spotify's token endpoint returned {status}", Code.SPOTIFY_UNAVAILABLE)
    if quote.oauth_code == "invalid_grant":
        return ConfigurationError(
            "Spotify refuses the refresh token: it is revoked, or older than six months. "
            "Authorise again: python -m blocks authorize",
            Code.SPOTIFY_REFRESH_TOKEN,
        )
    if quote.oauth_code is None:
        return ConfigurationError(
            f"The token endpoint returned {status}, {quote.text}: this response is not from Spotify. "
            "Correct accounts_url of the SpotifyCredentials block, or allow it in the proxy or firewall",
            Code.SPOTIFY_ADDRESS,
        )
    return ConfigurationError(
        f"Spotify refuses the client id or secret ({quote.oauth_code}): "
        "correct them in the SpotifyCredentials block",
        Code.SPOTIFY_CLIENT,
    )


def _refused(refused: ErrorResponse, subject: str) -> PipelineError:
    status, text = refused.status, refused.quote.text
    if status == UNAUTHORIZED:
        return _unauthorized(text)
    if status == TOO_MANY:
        return _too_many(refused)
    if status >= SERVER_ERROR or status == REQUEST_TIMEOUT:
        return Transient(f"{subject}: Spotify returned {status}", Code.SPOTIFY_UNAVAILABLE)
    if status == FORBIDDEN and any(word in text.lower() for word in APP_WIDE):
        return ConfigurationError(
            f"Spotify refuses the app ({text}): "
            "its owner needs Premium, and its users must be on its allow list",
            Code.SPOTIFY_APP,
        )
    reason, code = _reason(status, subject)
    return SpotifyRefused(f"{subject}: {reason} ({status}, {text})", code, status)


def _reason(status: int, subject: str) -> tuple[str, Code]:
    kind, _, playlist_id = subject.partition(" ")
    if kind == MINE and status == FORBIDDEN:
        return NARROW_CONSENT, Code.SPOTIFY_SCOPE
    if kind != "playlist":
        return "Spotify does not return them to this app", Code.SPOTIFY_REFUSED
    if status == FORBIDDEN:
        return NOT_YOURS, Code.SPOTIFY_NOT_YOURS
    if playlist_id.startswith(SPOTIFY_OWNED):
        return "Spotify's own playlists are closed to this class of app", Code.SPOTIFY_CLOSED
    if status in (BAD_REQUEST, NOT_FOUND):
        return "deleted, private or a wrong id; check the link", Code.SPOTIFY_NOT_FOUND
    return "Spotify refuses it", Code.SPOTIFY_REFUSED


def _unauthorized(text: str) -> PipelineError:
    if "user authentication" in text:
        return ConfigurationError(
            f"Spotify requires a user's token ({text}): add a refresh_token to the SpotifyCredentials block",
            Code.SPOTIFY_NO_USER,
        )
    return TokenExpired(f"401 {text}", Code.SPOTIFY_TOKEN)


def _too_many(refused: ErrorResponse) -> PipelineError:
    after = refused.headers.get("Retry-After", "").strip()
    seconds = float(after) if re.fullmatch(r"\d{1,9}(\.\d+)?", after, re.ASCII) else None
    if refused.quote.reason == "QUOTA_EXCEEDED" or seconds is None or seconds > RETRY_AFTER_CAP_S:
        when = f"in {seconds:g} s" if seconds and seconds > RETRY_AFTER_CAP_S else "tomorrow"
        return QuotaExceeded(f"Spotify's quota for this app is used up: run again {when}", Code.SPOTIFY_QUOTA)
    message = f"Spotify's rate limit requires a wait of {seconds:g} s"
    return RateLimited(message, Code.SPOTIFY_RATE_LIMITED, seconds)
