"""Interface of a Spotify app's credentials; the Prefect block SpotifyCredentials implements it."""

from typing import Protocol

from pydantic import SecretStr

SCOPE = "playlist-read-private playlist-read-collaborative"
"""Scopes that a user consents to. Without them Spotify omits private or collaborative playlists."""


class AppCredentials(Protocol):
    """A Spotify app, with the refresh token of a user if it acts for one."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr | None
    api_url: str
    accounts_url: str

    def store_refresh_token(self, token: str) -> None:
        """Stores a rotated refresh token immediately: the old one may be invalid."""

    def reload_refresh_token(self) -> str | None:
        """The currently stored refresh token: another run may have rotated it."""
