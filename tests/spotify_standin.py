"""A running stand-in for Spotify, with spotipy clients and access to its controls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import requests
import spotipy
from spotipy.cache_handler import MemoryCacheHandler

from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, SCOPE
from sandbox.spotify.shapes import Shape

TIMEOUT_S = 5
REDIRECT_URI = "http://127.0.0.1:9/callback"  # no server listens there
Client = Any  # spotipy.Spotify, which has no types
_spotipy: Any = spotipy
_cache: Any = MemoryCacheHandler


@dataclass(frozen=True)
class Standin:
    """A running stand-in at `http://127.0.0.1:<port>`."""

    url: str

    def app_client(self, client_id: str = CLIENT_ID, secret: str = CLIENT_SECRET) -> Client:
        """Returns a spotipy client with a token of the app."""
        return self._client(
            _spotipy.SpotifyClientCredentials(
                client_id, secret, cache_handler=_cache(), requests_timeout=TIMEOUT_S
            )
        )

    def user_client(self, refresh_token: str = REFRESH_TOKEN) -> Client:
        """Returns a spotipy client with a refresh token of the user."""
        stored = {"refresh_token": refresh_token, "access_token": "", "expires_at": 0, "scope": SCOPE}
        keys = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": REDIRECT_URI}
        return self._client(
            _spotipy.SpotifyOAuth(
                **keys, scope=SCOPE, cache_handler=_cache(stored), requests_timeout=TIMEOUT_S
            )
        )

    def _client(self, manager: Any) -> Client:  # any of spotipy's auth managers
        manager.OAUTH_TOKEN_URL = f"{self.url}/api/token"
        client = _spotipy.Spotify(auth_manager=manager, retries=0, status_retries=0)
        client.prefix = f"{self.url}/v1/"
        return client

    def token(self, **form: str) -> requests.Response:
        """Sends a request to the token endpoint."""
        auth = (CLIENT_ID, CLIENT_SECRET)
        return requests.post(f"{self.url}/api/token", data=form, auth=auth, timeout=TIMEOUT_S)

    def bearer(self, *, user: bool = False) -> str:
        """Returns a valid access token, of the app or of its user."""
        form = {"grant_type": "client_credentials"}
        if user:
            form = {"grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}
        return str(self.token(**form).json()["access_token"])

    def log(self) -> list[dict[str, Any]]:
        """Returns the log of requests."""
        seen: list[dict[str, Any]] = self.get("/sandbox/requests").json()
        return seen

    def get(self, path: str, token: str | None = None) -> requests.Response:
        """Sends GET, with a bearer token if given."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return requests.get(self.url + path, headers=headers, timeout=TIMEOUT_S)

    def put(self, path: str, value: object) -> requests.Response:
        """Sends PUT to a control under /sandbox."""
        return requests.put(self.url + path, json=value, timeout=TIMEOUT_S)

    def set(self, **settings: object) -> requests.Response:
        """Changes settings."""
        return requests.patch(f"{self.url}/sandbox/settings", json=settings, timeout=TIMEOUT_S)

    def delete(self, path: str) -> requests.Response:
        """Sends DELETE to a control under /sandbox."""
        return requests.delete(self.url + path, timeout=TIMEOUT_S)


OF_SHAPE: dict[Shape, dict[str, Any]] = {
    "items": {"app_class": "restricted"},
    "tracks": {"old_shape": True},
    "both": {},
}
"""Shape of responses → settings of the stand-in."""
Start = Callable[..., Standin]  # the fixture that starts stand-ins
