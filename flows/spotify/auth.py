"""The access token of a run: fetched once, shared by all threads, never on disk."""

import logging
from threading import Lock
from typing import TYPE_CHECKING, Any

from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOAuth

from flows.errors import Transient
from flows.spotify.session import open_session

if TYPE_CHECKING:
    from blocks import SpotifyCredentials

for _name in ("client", "oauth2", "cache_handler"):
    # At DEBUG spotipy writes out tokens and the client's secret; what matters is said by our own errors.
    # A filter, because dictConfig enables disabled loggers again.
    logging.getLogger(f"spotipy.{_name}").addFilter(lambda _record: False)

REDIRECT_URI = "http://127.0.0.1:8888/callback"
"""Loopback by its IP literal, as Spotify demands; only the authorisation itself listens there."""
TIMEOUT_S = 30


class AccessToken:
    """An auth manager for spotipy, never interactive: a refresh token or the app's own credentials."""

    def __init__(self, credentials: "SpotifyCredentials") -> None:
        common: dict[str, Any] = {
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret.get_secret_value(),
            "cache_handler": MemoryCacheHandler(),
            "requests_session": open_session(credentials.accounts_url),
            "requests_timeout": TIMEOUT_S,
        }
        self._credentials = credentials
        self._manager: Any = (
            SpotifyOAuth(redirect_uri=REDIRECT_URI, open_browser=False, **common)
            if credentials.refresh_token
            else SpotifyClientCredentials(**common)
        )
        self._manager.OAUTH_TOKEN_URL = f"{credentials.accounts_url}/api/token"
        self._lock = Lock()
        self._token: str | None = None

    def get_access_token(self, *, as_dict: bool = False) -> str:
        """The token in use; spotipy calls this before each request."""
        del as_dict
        with self._lock:
            if self._token is None:
                self._token = self._fetch_readable()
            return self._token

    def drop(self, token: str) -> None:
        """Forgets a token that Spotify no longer takes, unless another thread has replaced it already."""
        with self._lock:
            if self._token == token:
                self._token = None

    def _fetch_readable(self) -> str:
        try:
            return self._fetch()
        except (KeyError, TypeError, AttributeError) as error:
            message = f"Spotify's token endpoint gave an answer that cannot be read ({error!r})"
            raise Transient(message) from error

    def _fetch(self) -> str:
        if self._credentials.refresh_token is None:
            return str(self._manager.get_access_token(as_dict=False, check_cache=False))
        refresh_token = self._credentials.refresh_token.get_secret_value()
        answer = self._manager.refresh_access_token(refresh_token)
        if answer.get("refresh_token", refresh_token) != refresh_token:
            self._credentials.keep_refresh_token(answer["refresh_token"])
        return str(answer["access_token"])
