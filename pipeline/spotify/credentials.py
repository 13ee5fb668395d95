"""What the client needs of a Spotify app's credentials; the Prefect block SpotifyCredentials has it."""

from typing import Protocol

from pydantic import SecretStr

SCOPE = "playlist-read-private playlist-read-collaborative"
"""What a user is asked to agree to. Without it Spotify lists neither private nor collaborative playlists."""


class AppCredentials(Protocol):
    """A Spotify app, for itself or for the user whose refresh token it has."""

    client_id: str
    client_secret: SecretStr
    refresh_token: SecretStr | None
    api_url: str
    accounts_url: str

    def keep_refresh_token(self, token: str) -> None:
        """Stores a rotated refresh token at once: the old one may be worth nothing now."""

    def reload_refresh_token(self) -> str | None:
        """The refresh token as it is stored now: another run may have rotated it."""
