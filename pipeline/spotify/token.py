"""The access token of a run: fetched once, shared by all threads, never on disk."""

import logging
import re
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

import requests
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.exceptions import SpotifyOauthError
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOAuth

from pipeline.errors import Code, Transient
from pipeline.spotify.credentials import AppCredentials
from pipeline.spotify.http import TOKEN_PATH, Exchanged, open_session

log = logging.getLogger(__name__)

REDIRECT_URI = "http://127.0.0.1:8888/callback"
"""Loopback by its IP literal, as Spotify demands; only the authorisation itself listens there."""
TIMEOUT_S = 30
WAITS_S = (0.5, 1.0, 2.0)
"""Between the attempts to store a new refresh token; other threads wait for the token meanwhile."""


class AccessToken:
    """An auth manager for spotipy, never interactive: a refresh token or the app's own credentials."""

    def __init__(
        self,
        credentials: AppCredentials,
        sleep: Callable[[float], None] = time.sleep,
        exchanged: Exchanged | None = None,
    ) -> None:
        self._secrets = (exchanged := exchanged or Exchanged()).secrets
        session = open_session(credentials.accounts_url, exchanged=exchanged)
        session.hooks["response"].append(self._keep_rotated)
        common: dict[str, Any] = {
            "client_id": credentials.client_id,
            "client_secret": credentials.client_secret.get_secret_value(),
            "cache_handler": MemoryCacheHandler(),
            "requests_session": session,
            "requests_timeout": TIMEOUT_S,
        }
        self._credentials = credentials
        self._refresh_token = (
            credentials.refresh_token.get_secret_value() if credentials.refresh_token else None
        )
        self._secrets.update({common["client_secret"], self._refresh_token or ""})
        self._manager: Any = (
            SpotifyOAuth(redirect_uri=REDIRECT_URI, open_browser=False, **common)
            if self._refresh_token
            else SpotifyClientCredentials(**common)
        )
        self._manager.OAUTH_TOKEN_URL = credentials.accounts_url + TOKEN_PATH
        self._sleep = sleep
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
            token = self._fetch()
        except (KeyError, TypeError, AttributeError, RecursionError) as error:
            message = f"Spotify's token endpoint gave an answer that cannot be read ({type(error).__name__})"
            raise Transient(message, Code.SPOTIFY_UNREADABLE) from None
        if not _is_token(token):
            raise Transient(
                "Spotify's token endpoint gave an access token that is no text", Code.SPOTIFY_UNREADABLE
            )
        self._secrets.add(str(token))
        return str(token)

    def _fetch(self) -> object:
        if not self._refresh_token:
            return self._manager.get_access_token(as_dict=False, check_cache=False)
        try:
            return self._refreshed()
        except SpotifyOauthError as error:
            if error.error != "invalid_grant" or not self._take_over():
                raise
        return self._refreshed()

    def _refreshed(self) -> object:
        return self._manager.refresh_access_token(self._refresh_token)["access_token"]

    def _take_over(self) -> bool:
        """Takes the stored refresh token if another run has put a new one there, and tells whether."""
        try:
            stored = self._credentials.reload_refresh_token()
        except Exception as error:  # noqa: BLE001 - Spotify's refusal is what the run must tell
            log.warning("the block could not be read again (%s)", type(error).__name__)
            return False
        if not stored or stored == self._refresh_token:
            return False
        self._refresh_token = stored
        self._secrets.add(stored)
        return True

    def _keep_rotated(self, response: requests.Response, **_: object) -> None:
        """Stores a new refresh token before anything else is read: the rest of the answer may be odd."""
        try:
            new = response.json()["refresh_token"] if response.status_code == requests.codes.ok else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return
        if self._refresh_token and _is_token(new) and new != self._refresh_token:
            self._refresh_token = str(new)
            self._secrets.add(str(new))
            self._store(str(new))

    def _store(self, token: str) -> None:
        """Writes a rotated refresh token back; where that fails, the run goes on with it in memory."""
        failure = self._write(token)
        for wait in WAITS_S:
            if failure is None:
                return
            self._sleep(wait)
            failure = self._write(token)
        if failure is not None:
            log.error(
                "Spotify has replaced the refresh token, and the new one could not be stored (%s): "
                "this run goes on, the next one cannot. Authorise again: python -m blocks authorize",
                type(failure).__name__,
            )

    def _write(self, token: str) -> Exception | None:
        try:
            self._credentials.keep_refresh_token(token)
        except Exception as error:  # noqa: BLE001 - whatever it is, only this run has the token that works
            return error
        return None


def _is_token(value: object) -> bool:
    """Printable ASCII, as OAuth demands of tokens: null, numbers and empty text are none."""
    return isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value) is not None
