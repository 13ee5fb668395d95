"""Client of the Web API: one method per endpoint. All retries of its requests happen here."""

import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TypeVar
from urllib.parse import quote

import requests

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
from pipeline.spotify.http import ClientState, ErrorResponse
from pipeline.spotify.links import MINE
from pipeline.spotify.refusals import UNAUTHORIZED, explain_failure
from pipeline.spotify.spotipy_adapter import WebApi
from pipeline.spotify.token import AccessToken
from pipeline.spotify.waits import BUDGET_S, Waits
from pipeline.transform.pages import is_json

T = TypeVar("T")

MAX_CLOCK_AHEAD_S = 60
PAGE_SIZE = 50
"""Maximum page size: entries of `/items`, playlists of `/me/playlists`."""


class SpotifyClient:
    """Returns responses of the Web API as bytes. Thread-safe: all threads share one waiting budget."""

    def __init__(
        self,
        credentials: AppCredentials,
        budget_s: float = BUDGET_S,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
        before_request: Callable[[Waits], None] = lambda _waits: None,
    ) -> None:
        self._state = ClientState()
        self._token = AccessToken(credentials, client_state=self._state)
        self._web_api = WebApi(credentials.api_url, self._state)
        token = credentials.refresh_token
        self.for_user = token is not None and token.get_secret_value() != ""
        self._before_request = before_request
        self._waits = Waits(budget_s, sleep, clock)

    @property
    def clock_ahead_s(self) -> float | None:
        """Seconds by which the local clock is ahead of Spotify's (negative: behind); None if unknown."""
        return self._state.clock_ahead_s

    @property
    def scope(self) -> str | None:
        """Scopes of the access token, separated by spaces; None without a token, or if Spotify sends none."""
        return self._token.scope

    def authorise(self) -> None:
        """Fetches the access token. Call it once, before threads start."""
        self._retried("token", self._token.get)

    def playlist(self, playlist_id: str) -> bytes:
        """`GET /playlists/{id}`: the playlist and its first entries."""
        return self._get_playlist(playlist_id)

    def snapshot_id(self, playlist_id: str) -> bytes:
        """`GET /playlists/{id}` with only the snapshot id."""
        return self._get_playlist(playlist_id, fields="snapshot_id")

    def page(self, playlist_id: str, endpoint: str, offset: int) -> bytes:
        """`GET /playlists/{id}/items` (or the older `tracks`) from an offset."""
        return self._get_playlist(playlist_id, f"/{endpoint}", limit=PAGE_SIZE, offset=offset)

    def my_playlists(self, offset: int) -> bytes:
        """`GET /me/playlists` from an offset: playlists that the user owns or follows."""
        return self._get(MINE, "me/playlists", {"limit": PAGE_SIZE, "offset": offset})

    def me(self) -> bytes:
        """`GET /me`: the user."""
        return self._get(MINE, "me", {})

    def several(self, kind: str, ids: list[str]) -> bytes:
        """`GET /artists?ids=` or `GET /albums?ids=`."""
        return self._get(kind, kind, {"ids": ",".join(ids)})

    def one(self, kind: str, spotify_id: str) -> bytes:
        """`GET /artists/{id}` or `GET /albums/{id}`."""
        return self._get(kind, f"{kind}/{quote(spotify_id, safe='')}", {})

    def _get_playlist(self, playlist_id: str, path: str = "", **parameters: str | int) -> bytes:
        return self._get(
            f"playlist {playlist_id}",
            f"playlists/{playlist_id}{path}",
            {"additional_types": "track,episode", **parameters},
        )

    def _get(self, subject: str, path: str, parameters: Mapping[str, object]) -> bytes:
        return self._retried(subject, partial(self._request, subject, path, parameters))

    def _request(self, subject: str, path: str, parameters: Mapping[str, object]) -> bytes:
        """One request, after its slot of the rate limit, with the current token."""
        self._before_request(self._waits)
        token = self._token.get()
        try:
            body = self._web_api.get(token, path, parameters)
        except ErrorResponse as refused:
            if refused.status == UNAUTHORIZED:
                self._token.drop(token)
            raise
        return _checked(subject, body)

    def _retried(self, subject: str, request: Callable[[], T]) -> T:
        attempt, renewed = 0, False
        while True:
            started = self._waits.wait_for_pause()
            try:
                result = request()
            except (PipelineError, requests.RequestException) as error:
                failure = error if isinstance(error, PipelineError) else explain_failure(error, subject)
            else:
                self._check_clock()
                return result
            if isinstance(failure, TokenExpired):
                if renewed:
                    raise self._waits.stop(_refused_again(failure))
                renewed = True
            elif isinstance(failure, Transient):
                self._waits.wait(subject, failure, attempt, started)
                attempt += 1
            else:
                raise self._waits.stop(failure) if isinstance(failure, StopRun) else failure

    def _check_clock(self) -> None:
        """Stops the run if the local clock is ahead: its snapshots would be dated in the future."""
        ahead = self.clock_ahead_s
        if ahead is not None and ahead > MAX_CLOCK_AHEAD_S:
            message = (
                f"The clock of this machine is {ahead:,.0f} s ahead of Spotify's. "
                "Snapshots would be misdated, so none was kept. Set the clock (NTP) and run again"
            )
            raise self._waits.stop(ConfigurationError(message, Code.CLOCK_SKEWED))


def _checked(subject: str, body: bytes) -> bytes:
    """Returns the body if it is JSON; callers decode the fields that they need."""
    try:
        complete = is_json(body)
    except ValueError:
        complete = False
    except RecursionError:
        message = f"{subject}: Spotify's response is nested too deeply to be read"
        raise PlaylistUnavailable(message, Code.SPOTIFY_UNREADABLE) from None
    if not complete:
        raise Transient(f"{subject}: Spotify's response is not JSON", Code.SPOTIFY_UNREADABLE)
    return body


def _refused_again(failure: TokenExpired) -> ConfigurationError:
    return ConfigurationError(
        f"Spotify refuses an access token that it has just issued: {failure.message}", Code.SPOTIFY_TOKEN
    )
