"""`python -m blocks.authorize_spotify`: a user's consent, stored in the block as a refresh token."""

import secrets
import sys
from datetime import UTC, datetime
from typing import Annotated, Any

from cyclopts import App, Parameter
from pydantic import SecretStr
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.exceptions import SpotifyBaseException
from spotipy.oauth2 import SpotifyOAuth

from blocks.spotify import SpotifyCredentials

SCOPE = "playlist-read-private playlist-read-collaborative"
TIMEOUT_S = 30

app = App(name="python -m blocks.authorize_spotify", version_flags=[])


@app.default
def authorize(
    block: Annotated[str, Parameter(help="SpotifyCredentials block.")] = "spotify",
    port: Annotated[int, Parameter(help="Port of the redirect URI on 127.0.0.1.")] = 8888,
) -> int:
    """Opens Spotify's consent page, waits for the redirect and stores the refresh token in the block.

    The app must have the redirect URI http://127.0.0.1:<port>/callback.
    """
    credentials: Any = SpotifyCredentials.load(block)
    manager = _manager(credentials, port)
    sys.stdout.write(f"If no browser opens, follow this link:\n{manager.get_authorize_url()}\n")
    sys.stdout.flush()
    try:
        manager.get_access_token(as_dict=False, check_cache=False)
    except SpotifyBaseException as error:
        sys.stderr.write(f"not authorised, the block is as it was: {error}\n")
        return 1
    token = manager.cache_handler.get_cached_token()
    credentials.refresh_token = SecretStr(token["refresh_token"])
    credentials.authorized_at = datetime.now(UTC)
    credentials.save(block, overwrite=True)
    sys.stdout.write(f"block {block!r} is authorised; do it again before six months are over\n")
    return 0


def _manager(credentials: SpotifyCredentials, port: int) -> Any:  # noqa: ANN401 - spotipy has no types
    """The library's own authorisation: it listens on 127.0.0.1 and checks the state."""
    manager: Any = SpotifyOAuth(
        client_id=credentials.client_id,
        client_secret=credentials.client_secret.get_secret_value(),
        redirect_uri=f"http://127.0.0.1:{port}/callback",
        scope=SCOPE,
        state=secrets.token_urlsafe(16),
        cache_handler=MemoryCacheHandler(),
        requests_timeout=TIMEOUT_S,
    )
    manager.OAUTH_AUTHORIZE_URL = f"{credentials.accounts_url}/authorize"
    manager.OAUTH_TOKEN_URL = f"{credentials.accounts_url}/api/token"
    return manager


if __name__ == "__main__":
    sys.exit(app(result_action="return_value"))
