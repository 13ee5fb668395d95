"""`python -m blocks.authorize_spotify`: a user's consent, stored in the block as a refresh token."""

import re
import secrets
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

import httpx
import requests
from cyclopts import App, Parameter
from cyclopts.validators import Number
from pydantic import SecretStr
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.exceptions import SpotifyOauthError
from spotipy.oauth2 import SpotifyOAuth

from blocks.spotify import SpotifyCredentials
from flows.spotify.session import open_session

SCOPE = "playlist-read-private playlist-read-collaborative"
TIMEOUT_S = 30

app = App(name="python -m blocks.authorize_spotify", version_flags=[])


class NotAuthorised(Exception):
    """There is no new refresh token; says why, and what to do."""


@app.default
def authorize(
    block: Annotated[str, Parameter(help="SpotifyCredentials block.")] = "spotify",
    port: Annotated[
        int, Parameter(help="Port of the redirect URI on 127.0.0.1.", validator=Number(gte=1, lte=65535))
    ] = 8888,
) -> int:
    """Opens Spotify's consent page, waits for the redirect and stores the refresh token in the block.

    The app must have the redirect URI http://127.0.0.1:<port>/callback.
    """
    try:
        credentials = _load(block)
        manager = _manager(credentials, port)
        credentials.refresh_token = SecretStr(_redeemed(manager, _consent(manager, port)))
        credentials.authorized_at = datetime.now(UTC)
        _save(credentials, block)
    except NotAuthorised as error:
        sys.stderr.write(f"not authorised, the block is as it was: {error}\n")
        return 1
    sys.stdout.write(f"block {block!r} is authorised; do it again before six months are over\n")
    return 0


def _load(block: str) -> Any:  # noqa: ANN401 - Prefect's `load` may also be awaitable
    try:
        return SpotifyCredentials.load(block)
    except (ValueError, RuntimeError):
        raise NotAuthorised(
            f"there is no block {block!r}, or it cannot be read: run python -m blocks.register"
        ) from None
    except httpx.HTTPError as error:
        raise NotAuthorised(_unreachable("Prefect", error)) from None


def _manager(credentials: SpotifyCredentials, port: int) -> Any:  # noqa: ANN401 - spotipy has no types
    """The library's own authorisation: it listens on 127.0.0.1 and checks the state."""
    manager: Any = SpotifyOAuth(
        client_id=credentials.client_id,
        client_secret=credentials.client_secret.get_secret_value(),
        redirect_uri=f"http://127.0.0.1:{port}/callback",
        scope=SCOPE,
        state=secrets.token_urlsafe(16),
        cache_handler=MemoryCacheHandler(),
        requests_session=open_session(credentials.accounts_url),
        requests_timeout=TIMEOUT_S,
    )
    manager.OAUTH_AUTHORIZE_URL = f"{credentials.accounts_url}/authorize"
    manager.OAUTH_TOKEN_URL = f"{credentials.accounts_url}/api/token"
    return manager


def _consent(manager: Any, port: int) -> str:  # noqa: ANN401 - spotipy has no types
    """The code that Spotify's page sends to 127.0.0.1 once the user has agreed."""
    sys.stdout.write(f"If no browser opens, follow this link:\n{manager.get_authorize_url()}\n")
    sys.stdout.flush()
    try:
        return str(manager.get_authorization_code())
    except OSError as error:
        raise NotAuthorised(f"port {port} cannot be used ({error.strerror}): choose another --port") from None
    except SpotifyOauthError as error:
        raise NotAuthorised(f"Spotify sent no code ({_code(error)}): run it again and agree") from None
    except TypeError:  # spotipy stumbles over a request without a state
        raise NotAuthorised("something else than Spotify's page came first: run it again") from None


def _redeemed(manager: Any, code: str) -> str:  # noqa: ANN401 - spotipy has no types
    """The refresh token for a code."""
    try:
        manager.get_access_token(code=code, as_dict=False, check_cache=False)
        token = manager.cache_handler.get_cached_token()["refresh_token"]
    except SpotifyOauthError as error:
        raise NotAuthorised(
            f"Spotify refuses the code ({_code(error)}): check client id and secret, run it again"
        ) from None
    except requests.TooManyRedirects:
        raise NotAuthorised("the token endpoint leads elsewhere: correct accounts_url of the block") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        token = None
    except requests.RequestException as error:
        raise NotAuthorised(_unreachable("Spotify", error)) from None
    if not isinstance(token, str) or not token:
        raise NotAuthorised("Spotify's answer has no refresh token: check accounts_url, run it again")
    return token


def _save(credentials: Any, block: str) -> None:  # noqa: ANN401 - as it was loaded
    try:
        credentials.save(block, overwrite=True)
    except httpx.HTTPError as error:
        raise NotAuthorised(_unreachable("Prefect", error)) from None


def _unreachable(who: str, error: Exception) -> str:
    return f"no answer from {who} ({type(error).__name__}): run it again"


def _code(error: SpotifyOauthError) -> str:
    """OAuth's short error code; anything longer is a page, or somebody's secret."""
    code = str(getattr(error, "error", ""))
    return code if re.fullmatch(r"[a-z_]{1,40}", code) else type(error).__name__


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
