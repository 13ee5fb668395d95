"""The credentials of a Spotify app as a Prefect block."""

import ipaddress
from datetime import UTC, datetime
from urllib.parse import urlsplit

from prefect.blocks.core import Block
from pydantic import Field, SecretStr, field_validator


class SpotifyCredentials(Block):
    """A Spotify app, with a user's refresh token (the default way) or for itself (client credentials)."""

    _block_type_name = "Spotify Credentials"
    _block_type_slug = "spotify-credentials"
    _description = "Reads playlists from the Spotify Web API."

    client_id: str = Field(description="Client id of the app, from Spotify's developer dashboard.")
    client_secret: SecretStr = Field(description="Client secret of the app.")
    refresh_token: SecretStr | None = Field(
        default=None,
        description="Lets the app read what a user may read. Lives six months from the authorisation.",
    )
    authorized_at: datetime | None = Field(default=None, description="When the user authorised the app, UTC.")
    api_url: str = Field(default="https://api.spotify.com/v1", description="Where the Web API is.")
    accounts_url: str = Field(
        default="https://accounts.spotify.com", description="Where tokens come from, at /api/token."
    )

    @field_validator("api_url", "accounts_url")
    @classmethod
    def _encrypted(cls, url: str) -> str:
        """Secrets travel over https only, or stay on this machine."""
        parts = urlsplit(url)
        if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
            return url.rstrip("/")
        raise ValueError(f"{url!r} must start with https:// (http:// only for a loopback address)")

    @property
    def rate_limit(self) -> str:
        """Name of the Prefect rate limit that all runs with this app share."""
        return f"spotify-{self.client_id}"

    def days_since_authorization(self, now: datetime) -> int | None:
        """Whole days since the user authorised the app; None where that is not known."""
        if self.refresh_token is None or self.authorized_at is None:
            return None
        authorized_at = self.authorized_at.replace(tzinfo=self.authorized_at.tzinfo or UTC)
        return (now - authorized_at).days

    def keep_refresh_token(self, token: str) -> None:
        """Writes a rotated refresh token back at once: the old one may be worth nothing now."""
        self.refresh_token = SecretStr(token)
        if self._block_document_name:
            self.save(self._block_document_name, overwrite=True)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
