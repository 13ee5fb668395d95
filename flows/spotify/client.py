"""spotipy with one session of our own: bodies as they came, and the only retries there are."""

import random
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import requests
import spotipy
from requests.adapters import HTTPAdapter
from spotipy.exceptions import SpotifyException, SpotifyOauthError
from urllib3.util.retry import Retry

from flows.errors import ConfigurationError, PlaylistUnavailable, Transient
from flows.spotify.answers import RateLimited, TokenExpired, explained, unread
from flows.spotify.auth import AccessToken

if TYPE_CHECKING:
    from blocks import SpotifyCredentials

TIMEOUT_S = 30
BUDGET_S = 300.0
"""Seconds that all waiting of a run may take together."""
PAGE_SIZE = 50
"""What `/items` gives at most."""
THREADS = 8


class SpotifyClient:
    """Answers of the Web API as bytes. Threads share it; the waiting of all counts against one budget."""

    def __init__(
        self,
        credentials: "SpotifyCredentials",
        budget_s: float = BUDGET_S,
        sleep: Callable[[float], None] = time.sleep,
        before_request: Callable[[], None] = lambda: None,
    ) -> None:
        self._token = AccessToken(credentials)
        self._spotify = spotipy.Spotify(
            auth_manager=self._token, requests_session=self._session(), requests_timeout=TIMEOUT_S
        )
        self._before_request = before_request
        self._spotify.prefix = credentials.api_url + "/"
        self._budget = self._budget_s = budget_s
        self._sleep = sleep
        self._lock = threading.Lock()
        self._answer = threading.local()

    def authorise(self) -> None:
        """Fetches the token, once and before any fan-out."""
        self._retried("-", self._token.get_access_token)

    def playlist(self, playlist_id: str) -> bytes:
        """`GET /playlists/{id}`: the playlist and its first entries."""
        return self._get(playlist_id, f"playlists/{playlist_id}")

    def snapshot_id(self, playlist_id: str) -> bytes:
        """`GET /playlists/{id}` with nothing but the snapshot id."""
        return self._get(playlist_id, f"playlists/{playlist_id}", fields="snapshot_id")

    def page(self, playlist_id: str, endpoint: str, offset: int) -> bytes:
        """`GET /playlists/{id}/items` (or the older `tracks`) from an offset."""
        return self._get(playlist_id, f"playlists/{playlist_id}/{endpoint}", limit=PAGE_SIZE, offset=offset)

    def _get(self, playlist_id: str, path: str, **parameters: Any) -> bytes:  # noqa: ANN401 - query values
        def request() -> object:
            self._before_request()
            # spotipy's public methods know no `/tracks` any more, and add parameters of their own.
            return self._spotify._get(path, additional_types="track,episode", **parameters)  # noqa: SLF001

        self._retried(playlist_id, request)
        return bytes(self._answer.last.content)

    def _retried(self, playlist: str, request: Callable[[], object]) -> None:
        attempt, renewed, token = 0, False, ""
        while True:
            try:
                token = self._token.get_access_token()
                answer = request()
            except AttributeError:
                # spotipy expects {"error": {…}} of every refusal and stumbles over {"error": "text"}.
                failure = explained(unread(self._answer.last), playlist)
            except (SpotifyException, SpotifyOauthError, requests.RequestException) as error:
                failure = explained(error, playlist)
            else:
                if answer is not None:
                    return
                failure = Transient(f"playlist {playlist}: Spotify answered with no JSON")
            if isinstance(failure, TokenExpired):
                if renewed:
                    raise ConfigurationError(f"Spotify refuses a token that it has just given: {failure}")
                self._token.drop(token)
                renewed = True
                continue
            if not isinstance(failure, Transient):
                raise failure
            self._wait(playlist, failure, attempt)
            attempt += 1

    def _wait(self, playlist: str, failure: Transient, attempt: int) -> None:
        """Sleeps within the budget of the run; a playlist for which nothing is left fails."""
        backoff = min(2.0**attempt, 30.0) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        seconds = failure.seconds if isinstance(failure, RateLimited) else backoff
        with self._lock:
            if seconds > self._budget:
                where = "" if playlist in str(failure) else f"playlist {playlist}: "
                waited = f"the {self._budget_s:g} s that a run may wait are used up"
                raise PlaylistUnavailable(f"{where}{failure}; {waited}. Run again later")
            self._budget -= seconds
        self._sleep(seconds)

    def _session(self) -> requests.Session:
        session = requests.Session()
        no_retries = Retry(total=0, respect_retry_after_header=False)
        for scheme in ("https://", "http://"):
            session.mount(scheme, HTTPAdapter(max_retries=no_retries, pool_maxsize=THREADS))
        session.hooks["response"].append(self._remember)
        return session

    def _remember(self, response: requests.Response, **_: object) -> None:
        """Keeps this thread's answer: spotipy hands out only the parsed JSON."""
        self._answer.last = response
