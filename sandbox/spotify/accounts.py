"""The token endpoint and the check of bearer tokens."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex

from sandbox.spotify.errors import GrantRefusedError, RefusedError
from sandbox.spotify.objects import Json

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"
REFRESH_TOKEN = "sandbox-refresh"
SCOPE = "playlist-read-private playlist-read-collaborative"
LIFETIME = 3600  # seconds


@dataclass
class Accounts:
    """Tokens; `now` in seconds. With `rotating`, a refresh token works once and brings a new one."""

    now: Callable[[], float]
    lifetime: int = LIFETIME
    rotating: bool = False
    refresh_token: str = REFRESH_TOKEN
    _expiry: dict[str, float] = field(default_factory=dict)
    _of_user: set[str] = field(default_factory=set)

    def grant(self, authorization: str, form: Mapping[str, str]) -> Json:
        """Answer POST /api/token; raises GrantRefusedError."""
        _check_client(authorization)
        match form.get("grant_type"):
            case "client_credentials":
                return self._issue()
            case "refresh_token":
                return self._refresh(form.get("refresh_token", ""))
            case _:
                raise GrantRefusedError(
                    "unsupported_grant_type", "grant_type parameter is missing or unknown"
                )

    def check(self, authorization: str) -> str:
        """Give the valid bearer token of a request; raises RefusedError."""
        token = authorization.removeprefix("Bearer ").strip()
        if not token:
            raise RefusedError(401, "No token provided")
        if token not in self._expiry:
            raise RefusedError(401, "Invalid access token")
        if self._expiry[token] <= self.now():
            raise RefusedError(401, "The access token expired")
        return token

    def is_user(self, token: str) -> bool:
        """Tell whether a token speaks for a user, not only for the app."""
        return token in self._of_user

    def expire_all(self) -> None:
        """Let every access token that was given out expire now."""
        self._expiry = dict.fromkeys(self._expiry, self.now())

    def _issue(self) -> Json:
        token = f"sandbox-access-{token_hex(16)}"
        self._expiry[token] = self.now() + self.lifetime
        return {"access_token": token, "token_type": "Bearer", "expires_in": self.lifetime}

    def _refresh(self, refresh_token: str) -> Json:
        if refresh_token != self.refresh_token:
            raise GrantRefusedError("invalid_grant", "Invalid refresh token")
        answer = {**self._issue(), "scope": SCOPE}
        self._of_user.add(answer["access_token"])
        if self.rotating:
            self.refresh_token = answer["refresh_token"] = f"sandbox-refresh-{token_hex(16)}"
        return answer


def _check_client(authorization: str) -> None:
    try:
        scheme, _, encoded = authorization.partition(" ")
        client_id, _, secret = b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        scheme, client_id, secret = "", "", ""
    if scheme != "Basic" or client_id != CLIENT_ID:
        raise GrantRefusedError("invalid_client", "Invalid client")
    if secret != CLIENT_SECRET:
        raise GrantRefusedError("invalid_client", "Invalid client secret")
