"""spotipy with one session of our own: bodies as they came, and the only retries there are."""

import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import quote

import requests
import spotipy
from spotipy.exceptions import SpotifyException, SpotifyOauthError

from pipeline.errors import (
    Code,
    ConfigurationError,
    PipelineError,
    PlaylistUnavailable,
    StopRun,
    TokenExpired,
    Transient,
)
from pipeline.spotify.credentials import AppCredentials
from pipeline.spotify.http import Exchanged, open_session
from pipeline.spotify.refusals import explained
from pipeline.spotify.token import AccessToken
from pipeline.spotify.waits import BUDGET_S, Waits
from pipeline.threads import THREADS
from pipeline.transform.pages import is_json

TIMEOUT_S = 30
MAX_CLOCK_AHEAD_S = 60
PAGE_SIZE = 50
"""What `/items` gives at most."""


class SpotifyClient:
    """Answers of the Web API as bytes. Threads share it; the waiting of all counts against one budget."""

    def __init__(
        self,
        credentials: AppCredentials,
        budget_s: float = BUDGET_S,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        before_request: Callable[[Waits], None] = lambda _waits: None,
    ) -> None:
        self._exchanged = Exchanged()
        self._token = AccessToken(credentials, exchanged=self._exchanged)
        session = open_session(credentials.api_url, THREADS, self._exchanged)
        session.hooks["response"].append(self._remember)
        self._spotify = spotipy.Spotify(
            auth_manager=self._token, requests_session=session, requests_timeout=TIMEOUT_S
        )
        self.for_user = credentials.refresh_token is not None
        self._before_request = before_request
        self._spotify.prefix = credentials.api_url + "/"
        self._waits = Waits(budget_s, sleep, clock)
        self._answer = threading.local()

    @property
    def clock_ahead_s(self) -> float | None:
        """Seconds by which the local clock is ahead of Spotify's (negative: behind); None if unknown."""
        return self._exchanged.clock_ahead_s

    def authorise(self) -> None:
        """Fetches the token, once and before any fan-out."""
        self._retried("token", lambda: True)

    def playlist(self, playlist_id: str) -> bytes:
        """`GET /playlists/{id}`: the playlist and its first entries."""
        return self._get_playlist(playlist_id)

    def snapshot_id(self, playlist_id: str) -> bytes:
        """`GET /playlists/{id}` with nothing but the snapshot id."""
        return self._get_playlist(playlist_id, fields="snapshot_id")

    def page(self, playlist_id: str, endpoint: str, offset: int) -> bytes:
        """`GET /playlists/{id}/items` (or the older `tracks`) from an offset."""
        return self._get_playlist(playlist_id, f"/{endpoint}", limit=PAGE_SIZE, offset=offset)

    def several(self, kind: str, ids: list[str]) -> bytes:
        """`GET /artists?ids=` or `GET /albums?ids=`."""
        return self._get(kind, kind, ids=",".join(ids))

    def one(self, kind: str, spotify_id: str) -> bytes:
        """`GET /artists/{id}` or `GET /albums/{id}`."""
        return self._get(kind, f"{kind}/{quote(spotify_id, safe='')}")

    def _get_playlist(self, playlist_id: str, path: str = "", **parameters: Any) -> bytes:  # noqa: ANN401 - query values
        return self._get(
            f"playlist {playlist_id}",
            f"playlists/{playlist_id}{path}",
            additional_types="track,episode",
            **parameters,
        )

    def _get(self, asked: str, path: str, **parameters: Any) -> bytes:  # noqa: ANN401 - query values
        def request() -> object:
            self._before_request(self._waits)
            # spotipy's public methods know no `/tracks` any more, and add parameters of their own.
            return self._spotify._get(path, **parameters)  # noqa: SLF001

        self._retried(asked, request)
        return bytes(self._answer.last.content)

    def _retried(self, asked: str, request: Callable[[], object]) -> None:
        attempt, renewed = 0, False
        while True:
            began = self._waits.hold()
            failure = self._attempt(asked, request)
            if failure is None:
                self._check_clock()
                return
            if isinstance(failure, TokenExpired) and not renewed:
                renewed = True
            elif isinstance(failure, TokenExpired):
                raise self._waits.stop(
                    ConfigurationError(
                        f"Spotify refuses a token that it has just given: {failure.message}",
                        Code.SPOTIFY_TOKEN,
                    )
                )
            elif isinstance(failure, Transient):
                self._waits.wait(asked, failure, attempt, began)
                attempt += 1
            else:
                raise self._waits.stop(failure) if isinstance(failure, StopRun) else failure

    def _attempt(self, asked: str, request: Callable[[], object]) -> PipelineError | None:
        """None once the answer is there, otherwise what went wrong; an aged token is forgotten."""
        self._answer.last = None
        try:
            self._token.get_access_token()
            answer = request()  # spotipy takes the token again, which may age meanwhile
        except PipelineError as error:
            return error
        except RecursionError:
            return PlaylistUnavailable(
                f"{asked}: Spotify's answer is nested too deeply to be read", Code.SPOTIFY_UNREADABLE
            )
        except (SpotifyException, SpotifyOauthError, requests.RequestException) as error:
            failure = explained(error, asked)
        else:
            if answer:
                return None
            return Transient(f"{asked}: Spotify answered with no JSON", Code.SPOTIFY_UNREADABLE)
        if isinstance(failure, TokenExpired):
            self._token.drop(str(self._answer.last.request.headers["Authorization"]).partition(" ")[2])
        return failure

    def _check_clock(self) -> None:
        """Refuses to go on with a clock that is ahead: snapshots would be dated in the future."""
        ahead = self.clock_ahead_s
        if ahead is not None and ahead > MAX_CLOCK_AHEAD_S:
            message = (
                f"The clock of this machine is {ahead:,.0f} s ahead of Spotify's. "
                "The run would date its snapshots wrongly, so it kept none. Set the clock and run again"
            )
            raise self._waits.stop(ConfigurationError(message, Code.CLOCK_SKEWED))

    def _remember(self, response: requests.Response, **_: object) -> None:
        """Keeps this thread's answer: spotipy hands out only the parsed JSON.

        What it parses is never looked at here, so it is only told whether the answer is JSON.
        """
        self._answer.last = response
        if response.ok:
            response.json = partial(is_json, response.content)  # type: ignore[method-assign]
