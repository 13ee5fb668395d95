"""The access token of a run: shared by all threads, replaced when it expires, never written to disk."""

import json
import logging
import re
import time
from collections.abc import Callable
from threading import Lock
from typing import Any

from pipeline.errors import Code, Transient
from pipeline.spotify.credentials import AppCredentials
from pipeline.spotify.http import ClientState, ErrorResponse
from pipeline.spotify.refusals import explain_token_refusal
from pipeline.spotify.spotipy_adapter import refresh_token, request_app_token

log = logging.getLogger(__name__)

WAITS_S = (0.5, 1.0, 2.0)
"""Waits between attempts to store a new refresh token. They are short, because other threads are blocked."""


class AccessToken:
    """Fetches access tokens without interaction, with a user's refresh token or the app's own credentials.

    `scope`: scopes that the user consented to, separated by spaces; None before a token is fetched, or if
    Spotify sends none.
    """

    def __init__(
        self,
        credentials: AppCredentials,
        sleep: Callable[[float], None] = time.sleep,
        client_state: ClientState | None = None,
    ) -> None:
        self._credentials = credentials
        self._state = client_state or ClientState()
        self._refresh_token = (
            credentials.refresh_token.get_secret_value() if credentials.refresh_token else None
        )
        self._state.secrets |= {credentials.client_secret.get_secret_value(), self._refresh_token or ""}
        self._sleep = sleep
        self._lock = Lock()
        self._token: str | None = None
        self.scope: str | None = None

    def get(self) -> str:
        """The current token, which is fetched first if there is none."""
        with self._lock:
            if self._token is None:
                self._token = self._fetch()
            return self._token

    def drop(self, token: str) -> None:
        """Discards a token that Spotify no longer accepts, unless another thread has already replaced it."""
        with self._lock:
            if self._token == token:
                self._token = None

    def _fetch(self) -> str:
        try:
            response = _decoded(self._request())
        except ErrorResponse as refused:
            raise explain_token_refusal(refused) from None
        self._store_rotated(response.get("refresh_token"))  # first: the rest of the response may be unusable
        token = response.get("access_token")
        if not _is_token(token) or not isinstance(response.get("expires_in"), int | float):
            raise Transient(
                "Spotify's token endpoint returned no usable access_token or expires_in",
                Code.SPOTIFY_UNREADABLE,
            )
        self._state.secrets.add(str(token))
        scope = response.get("scope")
        self.scope = scope if isinstance(scope, str) else None
        return str(token)

    def _request(self) -> bytes:
        if not self._refresh_token:
            return request_app_token(self._credentials, self._state)
        try:
            return refresh_token(self._credentials, self._refresh_token, self._state)
        except ErrorResponse as refused:
            if refused.quote.oauth_code != "invalid_grant" or not self._use_stored_token():
                raise
        return refresh_token(self._credentials, self._refresh_token, self._state)

    def _use_stored_token(self) -> bool:
        """Uses the stored refresh token if another run has rotated it; returns False if none has."""
        try:
            stored = self._credentials.reload_refresh_token()
        except Exception as error:  # noqa: BLE001 - the run must report Spotify's refusal instead
            log.warning("the block could not be read again (%s)", type(error).__name__)
            return False
        if not stored or stored == self._refresh_token:
            return False
        self._refresh_token = stored
        self._state.secrets.add(stored)
        return True

    def _store_rotated(self, new: object) -> None:
        """Stores a new refresh token: the old one may be invalid."""
        if self._refresh_token and _is_token(new) and new != self._refresh_token:
            self._refresh_token = str(new)
            self._state.secrets.add(str(new))
            self._store(str(new))

    def _store(self, token: str) -> None:
        """Stores a rotated refresh token; if that fails, the run continues with the token in memory."""
        failure = self._write(token)
        for wait in WAITS_S:
            if failure is None:
                return
            self._sleep(wait)
            failure = self._write(token)
        if failure is not None:
            log.error(
                "Spotify has replaced the refresh token, and the new one could not be stored (%s): "
                "this run continues, the next one will fail. Authorise again: python -m blocks authorize",
                type(failure).__name__,
            )

    def _write(self, token: str) -> Exception | None:
        try:
            self._credentials.store_refresh_token(token)
        except Exception as error:  # noqa: BLE001 - after any error, only this run has the valid token
            return error
        return None


def _decoded(body: bytes) -> dict[str, Any]:
    try:
        response = json.loads(body)
    except (ValueError, RecursionError):
        response = None
    if not isinstance(response, dict):
        raise Transient(
            "Spotify's token endpoint returned a response that is not a JSON object", Code.SPOTIFY_UNREADABLE
        )
    return response


def _is_token(value: object) -> bool:
    """True for printable ASCII, as OAuth requires; False for null, numbers and empty text."""
    return isinstance(value, str) and re.fullmatch(r"[\x21-\x7e]+", value) is not None
