"""Spotify's accounts service: consent of the user, token endpoint, and check of bearer tokens."""

from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from secrets import token_hex
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from sandbox.spotify.errors import GrantRefusedError, RefusedError
from sandbox.spotify.objects import Json
from sandbox.spotify.settings import Settings

CLIENT_ID = "sandbox-client"
CLIENT_SECRET = "sandbox-secret"
REFRESH_TOKEN = "sandbox-refresh"  # valid from the start of the stand-in
SCOPE = "playlist-read-private playlist-read-collaborative"
CODE_LIFETIME_S = 600
DAY_S = 86_400
LOOPBACK = ("127.0.0.1", "::1")


class Consent(NamedTuple):
    """Consent of the user; `at`: seconds of the stand-in's clock."""

    scope: str
    at: float
    redirect_uri: str = ""


@dataclass
class Accounts:
    """Authorization codes and tokens; `now`: clock in seconds."""

    settings: Settings
    now: Callable[[], float]
    _codes: dict[str, Consent] = field(default_factory=dict)
    _refresh: dict[str, Consent] = field(default_factory=dict)
    _expiry: dict[str, float] = field(default_factory=dict)
    _scope_of_user_token: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._refresh[REFRESH_TOKEN] = Consent(SCOPE, self.now())

    def authorize(self, query: Mapping[str, str]) -> str:
        """Handles GET /authorize; returns the URL to redirect to, raises RefusedError."""
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != CLIENT_ID:
            raise RefusedError(400, "INVALID_CLIENT: Invalid client")
        if not _is_safe(redirect_uri):
            raise RefusedError(400, "INVALID_CLIENT: Insecure redirect URI")
        if query.get("response_type") != "code":
            raise RefusedError(400, "response_type must be code")
        result = self._consent(redirect_uri, query.get("scope", ""))
        state = {"state": query["state"]} if "state" in query else {}
        return f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(result | state)}"

    def grant(self, authorization: str, form: Mapping[str, str]) -> Json:
        """Handles POST /api/token; raises GrantRefusedError."""
        _check_client(authorization)
        match form.get("grant_type"):
            case "client_credentials":
                return self._issue()
            case "refresh_token":
                return self._renew(form.get("refresh_token", ""))
            case "authorization_code":
                return self._redeem(form.get("code", ""), form.get("redirect_uri", ""))
            case _:
                raise GrantRefusedError(
                    "unsupported_grant_type", "grant_type parameter is missing or unknown"
                )

    def check(self, authorization: str) -> str:
        """Returns the bearer token of a request; raises RefusedError if it is missing, unknown or expired."""
        token = authorization.removeprefix("Bearer ").strip()
        if not token:
            raise RefusedError(401, "No token provided")
        if token not in self._expiry:
            raise RefusedError(401, "Invalid access token")
        if self._expiry[token] <= self.now():
            raise RefusedError(401, "The access token expired")
        return token

    def is_user(self, token: str) -> bool:
        """Returns True if a token was issued for the user, False if for the app alone."""
        return token in self._scope_of_user_token

    def scopes(self, token: str) -> set[str]:
        """Returns the scopes of a user's token; raises RefusedError for a token of the app alone."""
        if token not in self._scope_of_user_token:
            raise RefusedError(401, "Valid user authentication required")
        return set(self._scope_of_user_token[token].split())

    def expire_all(self) -> None:
        """Expires every access token issued so far."""
        self._expiry = dict.fromkeys(self._expiry, self.now())

    def _consent(self, redirect_uri: str, scope: str) -> dict[str, str]:
        if not self.settings.user_agrees:
            return {"error": "access_denied"}
        code = f"sandbox-code-{token_hex(16)}"
        self._codes[code] = Consent(scope, self.now(), redirect_uri)
        return {"code": code}

    def _redeem(self, code: str, redirect_uri: str) -> Json:
        """Exchanges a code for tokens; a code works once, with the redirect URI that it was issued for."""
        consent = self._codes.pop(code, None)
        if consent is None:
            raise GrantRefusedError("invalid_grant", "Invalid authorization code")
        if consent.at + CODE_LIFETIME_S <= self.now():
            raise GrantRefusedError("invalid_grant", "Authorization code expired")
        if consent.redirect_uri != redirect_uri:
            raise GrantRefusedError("invalid_grant", "Invalid redirect URI")
        return {**self._issue(consent), "refresh_token": self._new_refresh_token(consent)}

    def _renew(self, refresh_token: str) -> Json:
        consent = self._refresh.get(refresh_token)
        if consent is None:
            raise GrantRefusedError("invalid_grant", "Invalid refresh token")
        if consent.at + self.settings.refresh_days * DAY_S <= self.now():
            raise GrantRefusedError("invalid_grant", "Refresh token expired")
        granted = self._issue(consent)
        if self.settings.rotating:
            del self._refresh[refresh_token]
            granted["refresh_token"] = self._new_refresh_token(consent)
        return granted

    def _new_refresh_token(self, consent: Consent) -> str:
        token = f"sandbox-refresh-{token_hex(16)}"
        self._refresh[token] = consent
        return token

    def _issue(self, consent: Consent | None = None) -> Json:
        token, lifetime = f"sandbox-access-{token_hex(16)}", self.settings.token_lifetime
        self._expiry[token] = self.now() + lifetime
        granted: Json = {"access_token": token, "token_type": "Bearer", "expires_in": lifetime}
        if consent:
            self._scope_of_user_token[token] = consent.scope
            granted["scope"] = consent.scope
        return granted


def _is_safe(redirect_uri: str) -> bool:
    """Returns True if Spotify accepts the redirect URI: https, or a loopback IP address (not `localhost`)."""
    try:
        parts = urlsplit(redirect_uri)
    except ValueError:
        return False
    return parts.hostname in LOOPBACK if parts.scheme == "http" else parts.scheme == "https"


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
