"""Prefect block with the credentials of a Spotify app."""

import re
from datetime import UTC, datetime
from typing import Any, ClassVar

from prefect.blocks.core import Block
from pydantic import ConfigDict, Field, HttpUrl, SecretStr, field_validator

from pipeline.log_filters import mask_secrets_in_logs

mask_secrets_in_logs()  # here, because all code that handles credentials imports this module

ADDRESS = re.compile(
    r"(https://([0-9A-Za-z][0-9A-Za-z.-]*|\[[0-9A-Fa-f:.]+\])|http://(127\.0\.0\.1|\[::1\]|localhost))"
    r"(:[0-9]{1,5})?(/[0-9A-Za-z._~%/-]*)?"
)


class SpotifyCredentials(Block):
    """Credentials of a Spotify app, which reads playlists on behalf of a user or with its own credentials.

    Attributes:
        client_id: Client id of the app.
        client_secret: Client secret of the app.
        refresh_token: Lets the app read playlists as its user. Without it, the app uses client credentials.
        authorized_at: When the user authorised the app, UTC.
        api_url: Base URL of the Web API.
        accounts_url: Base URL of the accounts service, which issues tokens at /api/token.

    Example:
        Load stored credentials:
        ```python
        from blocks import SpotifyCredentials

        spotify_credentials = SpotifyCredentials.load("BLOCK_NAME")
        ```
    """

    _block_type_name = "Spotify Credentials"
    _block_type_slug = "spotify-credentials"
    _description = "Credentials of a Spotify app that reads playlists from the Spotify Web API."
    _documentation_url = HttpUrl("https://developer.spotify.com/documentation/web-api/concepts/apps")
    _logo_url = HttpUrl(
        "https://upload.wikimedia.org/wikipedia/commons/thumb/1/19/Spotify_logo_without_text.svg/"
        "250px-Spotify_logo_without_text.svg.png"
    )

    model_config: ClassVar[ConfigDict] = ConfigDict(hide_input_in_errors=True)

    client_id: str = Field(description="Client id of the app, from Spotify's developer dashboard.")
    client_secret: SecretStr = Field(description="Client secret of the app.")
    refresh_token: SecretStr | None = Field(
        default=None,
        description="Lets the app read playlists as its user. Expires six months after the authorisation.",
    )
    authorized_at: datetime | None = Field(default=None, description="When the user authorised the app, UTC.")
    api_url: str = Field(default="https://api.spotify.com/v1", description="Base URL of the Web API.")
    accounts_url: str = Field(
        default="https://accounts.spotify.com",
        description="Base URL of the accounts service, which issues tokens at /api/token.",
    )

    @field_validator("api_url", "accounts_url")
    @classmethod
    def _encrypted(cls, url: str) -> str:
        """Requires https, or loopback, because secrets are sent there. The error does not quote the URL."""
        if ADDRESS.fullmatch(url):
            return url.rstrip("/")
        raise ValueError(
            "must be https://host[:port][/path], without user, query or fragment "
            "(http:// only for 127.0.0.1, [::1] and localhost)"
        )

    @property
    def rate_limit(self) -> str:
        """Name of the Prefect rate limit that all runs with this app share."""
        return f"spotify-{self.client_id}"

    def days_since_authorization(self, now: datetime) -> int | None:
        """Full days since the user authorised the app; None if unknown."""
        if self.refresh_token is None or self.authorized_at is None:
            return None
        authorized_at = self.authorized_at.replace(tzinfo=self.authorized_at.tzinfo or UTC)
        return (now - authorized_at).days

    def store_refresh_token(self, token: str) -> None:
        """Stores a rotated refresh token immediately, because the old one may be revoked.

        Changes no other field, and does not overwrite a token that another run has stored in the meantime.
        """
        new = SecretStr(token)
        if self._block_document_name:
            stored = self._stored()
            if stored.refresh_token == self.refresh_token:
                stored.refresh_token = new
                stored.save(self._block_document_name, overwrite=True)
        self.refresh_token = new

    def reload_refresh_token(self) -> str | None:
        """The currently stored refresh token: another run may have stored a rotated one."""
        if self._block_document_name:
            self.refresh_token = self._stored().refresh_token
        return self.refresh_token.get_secret_value() if self.refresh_token else None

    def _stored(self) -> Any:  # noqa: ANN401 - Prefect's `load` may also be awaitable
        return type(self).load(str(self._block_document_name))
