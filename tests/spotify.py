"""Spotify's stand-in on loopback, and clients of it that never sleep."""

from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from pydantic import SecretStr

from blocks import SpotifyCredentials
from pipeline.spotify.client import SpotifyClient
from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from sandbox.spotify.shapes import Shape
from sandbox.spotify.sources import Source
from tests.spotify_standin import Standin

TODAY = date(2026, 11, 21)


@dataclass
class Spotify:
    """A stand-in, a client of it, and the seconds that the client would have slept."""

    standin: Standin
    slept: list[float] = field(default_factory=list)

    def credentials(self, *, user: bool = True, secret: str = CLIENT_SECRET) -> SpotifyCredentials:
        """The stand-in's app, with a user's refresh token or for itself."""
        return SpotifyCredentials(
            client_id=CLIENT_ID,
            client_secret=SecretStr(secret),
            refresh_token=SecretStr(REFRESH_TOKEN) if user else None,
            api_url=f"{self.standin.url}/v1",
            accounts_url=self.standin.url,
        )

    def client(
        self, budget_s: float = 300.0, *, user: bool = True, secret: str = CLIENT_SECRET
    ) -> SpotifyClient:
        """A new client."""
        return SpotifyClient(
            self.credentials(user=user, secret=secret), budget_s, self.slept.append, lambda: sum(self.slept)
        )

    def fail(self, *faults: dict[str, object]) -> None:
        """Scripts faults."""
        self.standin.put("/sandbox/faults", list(faults)).raise_for_status()

    def fired(self) -> list[int]:
        """How often each fault happened."""
        return [fault["fired"] for fault in self.standin.get("/sandbox/faults").json()]

    def requested(self) -> list[str]:
        """Path, query and status of each request so far, those for tokens left out."""
        seen = self.standin.get("/sandbox/requests").json()
        return [_short(one) for one in seen if one["path"] != "/api/token"]

    def tokens_fetched(self) -> int:
        """Requests for a token so far."""
        seen = self.standin.get("/sandbox/requests").json()
        return sum(one["path"] == "/api/token" for one in seen)


def _short(seen: dict[str, str]) -> str:
    parameters = [part for part in seen["query"].split("&") if part.startswith(("offset=", "limit="))]
    path = seen["path"].removeprefix("/v1/playlists/")
    return f"{path}{'?' if parameters else ''}{'&'.join(sorted(parameters))} {seen['status']}"


class Start(Protocol):
    """Starts a stand-in of a shape, of the synthetic playlists or of a source of one's own."""

    def __call__(self, shape: Shape = "both", source: Source | None = None) -> Spotify:
        """Gives the running stand-in; it stops after the test."""
        ...
