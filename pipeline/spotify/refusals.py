"""What an answer of the Web API means for the run. Source: Web API reference, and observed answers."""

import re
from collections.abc import Mapping

import requests
from spotipy.exceptions import SpotifyException, SpotifyOauthError

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
from pipeline.spotify.http import MAX_BODY_BYTES, ResponseTooLarge, ResponseTooSlow
from pipeline.spotify.quotes import OAUTH_CODE

RETRY_AFTER_CAP_S = 60
"""A longer Retry-After is a day's quota, not a window."""
SPOTIFY_OWNED = "37i9dQ"
"""How ids of Spotify's own playlists start."""

APP_WIDE = ("premium", "registered", "allow-list", "allowlist")
"""What a 403 says that is about the app, not about what was asked for."""

BAD_REQUEST, UNAUTHORIZED, FORBIDDEN, NOT_FOUND = 400, 401, 403, 404
REQUEST_TIMEOUT, TOO_MANY, SERVER_ERROR = 408, 429, 500


NOT_YOURS = (
    "Spotify gives this app the playlist's name but not its entries: since 2026 apps in development mode "
    "read only playlists that their user owns or collaborates on. Make the user a collaborator, "
    "or use an app with extended quota"
)


NO_USER = (
    "Spotify gives this app the playlist's name but not its entries, and the SpotifyCredentials block has no "
    "refresh_token: authorise a user who owns the playlist or collaborates on it, "
    "python -m blocks.authorize_spotify"
)


def explained(error: Exception, asked: str) -> PipelineError:
    """The error by what the run does next; `asked` is "playlist <id>", or what else was asked for."""
    if isinstance(error, SpotifyOauthError):
        return _no_token(error)
    if isinstance(error, SpotifyException):
        return _refused(error, asked)
    return _unread(error, asked)


def _unread(error: Exception, asked: str) -> PipelineError:
    if isinstance(error, requests.TooManyRedirects | requests.exceptions.InvalidURL):
        return ConfigurationError(
            f"{asked}: Spotify's address leads elsewhere ({type(error).__name__}), where no token is sent: "
            "correct api_url and accounts_url of the SpotifyCredentials block",
            Code.SPOTIFY_ADDRESS,
        )
    if isinstance(error, ResponseTooLarge):
        return PlaylistUnavailable(
            f"{asked}: Spotify's response is larger than {MAX_BODY_BYTES // 2**20} MiB and was not read. "
            "If this lasts, the Web API has changed",
            Code.SPOTIFY_UNREADABLE,
        )
    if isinstance(error, ResponseTooSlow):
        return Transient(f"{asked}: Spotify's {error}", Code.SPOTIFY_UNAVAILABLE)
    if isinstance(error, requests.RequestException):
        return Transient(
            f"{asked}: no answer from Spotify ({type(error).__name__})", Code.SPOTIFY_UNAVAILABLE
        )
    return Transient(
        f"{asked}: an answer that cannot be read ({type(error).__name__})", Code.SPOTIFY_UNREADABLE
    )


def _no_token(error: SpotifyOauthError) -> PipelineError:
    response = getattr(error.__context__, "response", None)  # spotipy drops the status
    status = UNAUTHORIZED if response is None else response.status_code
    if response is not None and status == TOO_MANY:
        return _too_many(error.error, response.headers)
    if status >= SERVER_ERROR:
        return Transient(f"Spotify answered {status} when asked for a token", Code.SPOTIFY_UNAVAILABLE)
    if error.error == "invalid_grant":
        return ConfigurationError(
            "Spotify refuses the refresh token: it is revoked, or older than six months. "
            "Authorise again: python -m blocks.authorize_spotify",
            Code.SPOTIFY_REFRESH_TOKEN,
        )
    if not OAUTH_CODE.fullmatch(str(error.error)):
        return ConfigurationError(
            f"The token endpoint answered {status}, {error.error}: that is not Spotify's answer. "
            "Correct accounts_url of the SpotifyCredentials block, or let a proxy or firewall pass it",
            Code.SPOTIFY_ADDRESS,
        )
    return ConfigurationError(
        f"Spotify refuses the client id or secret ({error.error}): "
        "correct them in the SpotifyCredentials block",
        Code.SPOTIFY_CLIENT,
    )


def _refused(error: SpotifyException, asked: str) -> PipelineError:
    status, text = error.http_status, str(error.msg).strip().rsplit("\n", 1)[-1].strip()
    if status == UNAUTHORIZED:
        return _unauthorized(text)
    if status == TOO_MANY:
        return _too_many(error.reason, error.headers or {})
    if status >= SERVER_ERROR or status == REQUEST_TIMEOUT:
        return Transient(f"{asked}: Spotify answered {status}", Code.SPOTIFY_UNAVAILABLE)
    if status == FORBIDDEN and any(word in text.lower() for word in APP_WIDE):
        return ConfigurationError(
            f"Spotify refuses the app ({text}): "
            "its owner needs Premium, and its users must be on its allow list",
            Code.SPOTIFY_APP,
        )
    reason, code = _reason(status, asked)
    return SpotifyRefused(f"{asked}: {reason} ({status}, {text})", code, status)


def _reason(status: int, asked: str) -> tuple[str, Code]:
    kind, _, playlist_id = asked.partition(" ")
    if kind != "playlist":
        return "Spotify does not give them to this app", Code.SPOTIFY_REFUSED
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
            f"Spotify wants a user's token ({text}): add a refresh_token to the SpotifyCredentials block",
            Code.SPOTIFY_NO_USER,
        )
    return TokenExpired(f"401 {text}", Code.SPOTIFY_TOKEN)


def _too_many(reason: object, headers: Mapping[str, str]) -> PipelineError:
    after = headers.get("Retry-After", "").strip()
    seconds = float(after) if re.fullmatch(r"\d{1,9}(\.\d+)?", after, re.ASCII) else None
    if reason == "QUOTA_EXCEEDED" or seconds is None or seconds > RETRY_AFTER_CAP_S:
        when = f"in {seconds:g} s" if seconds and seconds > RETRY_AFTER_CAP_S else "tomorrow"
        return QuotaExceeded(f"Spotify's quota for this app is used up: run again {when}", Code.SPOTIFY_QUOTA)
    return RateLimited(f"Spotify asks to wait {seconds:g} s", Code.SPOTIFY_RATE_LIMITED, seconds)
