"""`python -m blocks authorize`: a user's consent, stored in the block as a refresh token."""

import secrets
import sys
import webbrowser
from datetime import UTC, datetime
from typing import Annotated, Any

import requests
from cyclopts import App, Parameter
from cyclopts.validators import Number
from pydantic import SecretStr
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.exceptions import SpotifyOauthError
from spotipy.oauth2 import SpotifyOAuth

from blocks.prefect_api import PrefectFailed, connected
from blocks.redirect import PATH, Redirect, listening, oauth_error
from blocks.spotify import SpotifyCredentials
from pipeline.spotify.http import TOKEN_PATH, open_session

SCOPE = "playlist-read-private playlist-read-collaborative"
TIMEOUT_S = 30
CONSENT_S = 600
"""Seconds in which the user has to agree."""

app = App(name="python -m blocks authorize", version_flags=[])


class NotAuthorised(Exception):
    """There is no new refresh token; says why, and what to do."""


@app.default
def authorize(
    block: Annotated[str, Parameter(help="SpotifyCredentials block.")] = "spotify",
    port: Annotated[
        int,
        Parameter(help="Port of the redirect URI on 127.0.0.1.", validator=Number(gte=1, lte=65535)),
    ] = 8888,
) -> int:
    """Opens Spotify's consent page, waits for the redirect and stores the refresh token in the block.

    In Spotify's developer dashboard, the app must have the redirect URI http://127.0.0.1:8888/callback; with
    --port 9000 it is http://127.0.0.1:9000/callback.
    """
    try:
        with connected({}):
            _authorize(block, port)
    except PrefectFailed as error:
        sys.stderr.write(f"not authorised: {error}\n")
        return 1
    except NotAuthorised as error:
        sys.stderr.write(f"not authorised, the block is as it was: {error}\n")
        return 1
    sys.stdout.write(f"block {block!r} is authorised; do it again before six months are over\n")
    return 0


def _redirect_uri(port: int) -> str:
    return f"http://127.0.0.1:{port}{PATH}"


def _authorize(block: str, port: int) -> None:
    credentials = _load(block)
    manager = _manager(credentials, port)
    credentials.refresh_token = SecretStr(_redeemed(manager, _consent(manager, port)))
    credentials.authorized_at = datetime.now(UTC)
    credentials.save(block, overwrite=True)


def _load(block: str) -> Any:  # noqa: ANN401 - Prefect's `load` may also be awaitable
    try:
        return SpotifyCredentials.load(block)
    except (ValueError, RuntimeError):
        raise NotAuthorised(
            f"there is no block {block!r}, or it cannot be read: run python -m blocks register"
        ) from None


def _manager(credentials: SpotifyCredentials, port: int) -> Any:  # noqa: ANN401 - spotipy has no types
    """The library's authorisation: it knows the addresses and the form of the requests."""
    manager: Any = SpotifyOAuth(
        client_id=credentials.client_id,
        client_secret=credentials.client_secret.get_secret_value(),
        redirect_uri=_redirect_uri(port),
        scope=SCOPE,
        state=secrets.token_urlsafe(16),
        cache_handler=MemoryCacheHandler(),
        requests_session=open_session(credentials.accounts_url),
        requests_timeout=TIMEOUT_S,
    )
    manager.OAUTH_AUTHORIZE_URL = f"{credentials.accounts_url}/authorize"
    manager.OAUTH_TOKEN_URL = credentials.accounts_url + TOKEN_PATH
    return manager


def _consent(manager: Any, port: int) -> str:  # noqa: ANN401 - spotipy has no types
    """The code that Spotify's page sends to 127.0.0.1 once the user has agreed."""
    try:
        with listening(port, manager.state) as listener:
            url = manager.get_authorize_url()
            sys.stdout.write(
                f"The app must have the redirect URI {_redirect_uri(port)}\n"
                f"If no browser opens, follow this link within {CONSENT_S // 60} minutes:\n{url}\n"
            )
            sys.stdout.flush()
            webbrowser.open(url)
            redirect = listener.wait(CONSENT_S)
    except OSError as error:
        raise NotAuthorised(f"port {port} cannot be used ({error.strerror}): choose another --port") from None
    return _code(redirect, port)


def _code(redirect: Redirect | None, port: int) -> str:
    if redirect is None:
        raise NotAuthorised(
            f"Spotify's page did not come back within {CONSENT_S // 60} minutes: run it again; "
            f"the app must have the redirect URI {_redirect_uri(port)}"
        )
    if not redirect.code:
        raise NotAuthorised(f"Spotify sent no code ({oauth_error(redirect.error)}): run it again and agree")
    return redirect.code


def _redeemed(manager: Any, code: str) -> str:  # noqa: ANN401 - spotipy has no types
    """The refresh token for a code."""
    try:
        manager.get_access_token(code=code, as_dict=False, check_cache=False)
        token = manager.cache_handler.get_cached_token()["refresh_token"]
    except SpotifyOauthError as error:
        raise NotAuthorised(
            f"Spotify refuses the code ({oauth_error(error.error)}): check client id and secret, run it again"
        ) from None
    except requests.TooManyRedirects:
        raise NotAuthorised("the token endpoint leads elsewhere: correct accounts_url of the block") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        token = None
    except requests.RequestException as error:
        raise NotAuthorised(f"no answer from Spotify ({type(error).__name__}): run it again") from None
    if not isinstance(token, str) or not token:
        raise NotAuthorised("Spotify's answer has no refresh token: check accounts_url, run it again")
    return token


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
