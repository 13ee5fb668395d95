"""The pipeline's Spotify client, connected to the stand-in; it records its waits instead of sleeping."""

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
    """A running stand-in with clients; `slept`: seconds that each wait of a client would have taken."""

    standin: Standin
    slept: list[float] = field(default_factory=list)

    def credentials(self, *, user: bool = True, secret: str = CLIENT_SECRET) -> SpotifyCredentials:
        """Credentials of the stand-in's app, by default with the user's refresh token."""
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
        """Sets the faults of the stand-in."""
        self.standin.put("/sandbox/faults", list(faults)).raise_for_status()

    def fired(self) -> list[int]:
        """Number of times that each fault was applied."""
        return [fault["fired"] for fault in self.standin.get("/sandbox/faults").json()]

    def requested(self) -> list[str]:
        """Path, paging parameters and status of each request so far, without requests for tokens."""
        seen = self.standin.get("/sandbox/requests").json()
        return [_short(one) for one in seen if one["path"] != "/api/token"]

    def tokens_fetched(self) -> int:
        """Number of requests for a token so far."""
        seen = self.standin.get("/sandbox/requests").json()
        return sum(one["path"] == "/api/token" for one in seen)


def _short(seen: dict[str, str]) -> str:
    parameters = [part for part in seen["query"].split("&") if part.startswith(("offset=", "limit="))]
    path = seen["path"].removeprefix("/v1/playlists/")
    return f"{path}{'?' if parameters else ''}{'&'.join(sorted(parameters))} {seen['status']}"


class Start(Protocol):
    """Starts a stand-in with a shape of responses and a source, by default the synthetic playlists."""

    def __call__(self, shape: Shape = "both", source: Source | None = None) -> Spotify:
        """Returns the running stand-in, which stops after the test."""
        ...
