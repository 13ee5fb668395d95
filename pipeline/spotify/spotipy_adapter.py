"""Adapter for spotipy: the only module that uses its internals.

Callers pass a token and receive the bytes of a response. A failed request raises ErrorResponse or another
exception of requests. spotipy does not retry: it does so only in sessions that it opens itself.
"""

import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import requests
import spotipy
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOAuth

from pipeline.spotify.credentials import AppCredentials
from pipeline.spotify.http import ClientState, http_session
from pipeline.threads import THREADS

TIMEOUT_S = 30
"""Timeout of requests for connecting and for each read."""
TOKEN_PATH = "/api/token"  # noqa: S105 - where tokens come from
CALLBACK = "http://127.0.0.1:8888/callback"
"""SpotifyOAuth requires a redirect URI, but a refresh does not send it."""

for _name in ("spotipy.client", "spotipy.oauth2", "spotipy.cache_handler"):
    # They log tokens, codes, the client secret and complete responses. A filter, because a later logging
    # configuration resets levels; at import, because spotipy is used nowhere else.
    logging.getLogger(_name).addFilter(lambda _record: False)


class WebApi:
    """GET requests to the Web API. Thread-safe."""

    def __init__(self, url: str, client_state: ClientState) -> None:
        self._prefix = f"{url}/"
        self._session = http_session(url, THREADS, client_state)
        self._session.hooks["response"].append(_keep_body)

    def get(self, token: str, path: str, parameters: Mapping[str, object]) -> bytes:
        """The unchanged body, whether or not it is JSON."""
        # One object per request: a spotipy object has one token for all threads, or an auth manager.
        spotify = spotipy.Spotify(auth=token, requests_session=self._session, requests_timeout=TIMEOUT_S)
        spotify.prefix = self._prefix  # not a parameter of the constructor
        try:
            # Its public methods no longer support `/tracks`, and add other parameters.
            body: bytes | None = spotify._get(path, **parameters)  # noqa: SLF001
        finally:
            del spotify._session  # noqa: SLF001 - the destructor would close the shared session
        return body or b""  # spotipy returns None for every ValueError, such as requests' InvalidURL


def _keep_body(response: requests.Response, **_: object) -> None:
    """Makes spotipy return bytes: it returns the result of `json()`, and we decode only what we need."""
    response.json = partial(bytes, response.content)  # type: ignore[method-assign]


class Consent(NamedTuple):
    """A request for a user's consent; `state`: a random text that the redirect repeats."""

    redirect_uri: str
    scope: str
    state: str


def consent_url(app: AppCredentials, consent: Consent) -> str:
    """URL of Spotify's page on which a user consents."""
    manager = _user_manager(app, requests.Session(), **consent._asdict())
    manager.OAUTH_AUTHORIZE_URL = f"{app.accounts_url}/authorize"  # a constant of the class
    return str(manager.get_authorize_url())


def redeem_code(app: AppCredentials, consent: Consent, code: str) -> bytes:
    """The token endpoint's response to the code from the consent page's redirect."""

    def send(session: requests.Session) -> None:
        manager = _user_manager(app, session, **consent._asdict())
        manager.get_access_token(code=code, as_dict=False, check_cache=False)

    return _token_response(app, ClientState(), send)


def refresh_token(app: AppCredentials, token: str, client_state: ClientState) -> bytes:
    """The token endpoint's response to a user's refresh token."""
    return _token_response(
        app,
        client_state,
        lambda session: _user_manager(app, session, redirect_uri=CALLBACK).refresh_access_token(token),
    )


def request_app_token(app: AppCredentials, client_state: ClientState) -> bytes:
    """The token endpoint's response to the app's own credentials."""
    return _token_response(
        app,
        client_state,
        lambda session: _app_manager(app, session).get_access_token(as_dict=False, check_cache=False),
    )


def _token_response(
    app: AppCredentials, client_state: ClientState, send: Callable[[requests.Session], object]
) -> bytes:
    """The body, even if spotipy cannot use it: it may still contain a new refresh token."""
    bodies: list[bytes] = []
    with http_session(app.accounts_url, client_state=client_state) as session:
        session.hooks["response"].append(lambda response, **_: bodies.append(response.content))
        try:
            send(session)
        except (requests.JSONDecodeError, KeyError, TypeError, AttributeError, RecursionError):
            # spotipy raises these if a body is not JSON, is not an object, or lacks a field.
            if not bodies:
                raise
    return bodies[0]


def _user_manager(app: AppCredentials, session: requests.Session, **options: str) -> Any:  # noqa: ANN401 - untyped
    return _configured(SpotifyOAuth, app, session, open_browser=False, **options)


def _app_manager(app: AppCredentials, session: requests.Session) -> Any:  # noqa: ANN401 - untyped
    return _configured(SpotifyClientCredentials, app, session)


def _configured(kind: Any, app: AppCredentials, session: requests.Session, **options: object) -> Any:  # noqa: ANN401 - untyped
    manager = kind(
        client_id=app.client_id,
        client_secret=app.client_secret.get_secret_value(),
        cache_handler=MemoryCacheHandler(),  # spotipy's default writes tokens to a file
        requests_session=session,
        requests_timeout=TIMEOUT_S,
        **options,
    )
    manager.OAUTH_TOKEN_URL = app.accounts_url + TOKEN_PATH  # a constant of the class
    return manager
