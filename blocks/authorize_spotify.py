"""`python -m blocks authorize`: authorises the app as a Spotify user; stores the refresh token."""

import json
import secrets
import sys
import webbrowser
from datetime import UTC, datetime
from typing import Annotated, Any

import requests
from cyclopts import App, Parameter
from cyclopts.validators import Number
from pydantic import SecretStr

from blocks.prefect_api import PrefectFailed, connected
from blocks.redirect import PATH, Redirect, listening, oauth_error
from blocks.spotify import SpotifyCredentials
from pipeline.spotify.credentials import SCOPE
from pipeline.spotify.http import ErrorResponse
from pipeline.spotify.spotipy_adapter import Consent, consent_url, redeem_code

CONSENT_TIMEOUT_S = 600
"""Time limit for the user to agree on Spotify's page."""

app = App(name="python -m blocks authorize", version_flags=[])


class NotAuthorised(Exception):
    """No refresh token was received. The message contains the reason and what to do."""


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
        sys.stderr.write(f"not authorised, the block is unchanged: {error}\n")
        return 1
    sys.stdout.write(f"block {block!r} is authorised. Authorise it again within six months\n")
    return 0


def _redirect_uri(port: int) -> str:
    return f"http://127.0.0.1:{port}{PATH}"


def _authorize(block: str, port: int) -> None:
    credentials = _load(block)
    consent = Consent(_redirect_uri(port), SCOPE, state=secrets.token_urlsafe(16))
    code = _code(_redirect(consent_url(credentials, consent), consent.state, port), port)
    credentials.refresh_token = SecretStr(_redeemed(credentials, consent, code))
    credentials.authorized_at = datetime.now(UTC)
    credentials.save(block, overwrite=True)


def _load(block: str) -> Any:  # noqa: ANN401 - Prefect's `load` may also be awaitable
    try:
        return SpotifyCredentials.load(block)
    except (ValueError, RuntimeError):
        raise NotAuthorised(
            f"the block {block!r} does not exist or cannot be read: run python -m blocks register"
        ) from None


def _redirect(url: str, state: str, port: int) -> Redirect | None:
    """The redirect of Spotify's consent page to 127.0.0.1; None after CONSENT_TIMEOUT_S."""
    try:
        with listening(port, state) as listener:
            sys.stdout.write(
                f"The app must have the redirect URI {_redirect_uri(port)}\n"
                f"If no browser opens, follow this link within {CONSENT_TIMEOUT_S // 60} minutes:\n{url}\n"
            )
            sys.stdout.flush()
            webbrowser.open(url)
            return listener.wait(CONSENT_TIMEOUT_S)
    except OSError as error:
        raise NotAuthorised(f"port {port} cannot be used ({error.strerror}): choose another --port") from None


def _code(redirect: Redirect | None, port: int) -> str:
    if redirect is None:
        raise NotAuthorised(
            f"Spotify did not redirect to this command within {CONSENT_TIMEOUT_S // 60} minutes. Run it "
            f"again; the app must have the redirect URI {_redirect_uri(port)}"
        )
    if not redirect.code:
        raise NotAuthorised(f"Spotify sent no code ({oauth_error(redirect.error)}): run it again and agree")
    return redirect.code


def _redeemed(credentials: SpotifyCredentials, consent: Consent, code: str) -> str:
    """The refresh token for a code."""
    try:
        response = json.loads(redeem_code(credentials, consent, code))
    except ErrorResponse as refused:
        error = oauth_error(refused.quote.oauth_code)
        raise NotAuthorised(
            f"Spotify refuses the code ({error}): check client id and secret, run it again"
        ) from None
    except requests.TooManyRedirects:
        raise NotAuthorised("the token endpoint redirects: correct accounts_url of the block") from None
    except requests.RequestException as error:
        raise NotAuthorised(f"no response from Spotify ({type(error).__name__}): run it again") from None
    except (ValueError, RecursionError):
        response = None
    token = response.get("refresh_token") if isinstance(response, dict) else None
    if not isinstance(token, str) or not token:
        raise NotAuthorised("Spotify's response has no refresh token: check accounts_url, run it again")
    return token


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
