"""Error responses that echo the request, on every endpoint: no secret is quoted or logged."""

import logging
import traceback
from base64 import b64encode
from collections.abc import Callable
from itertools import product
from typing import get_args

import pytest

from pipeline.errors import PipelineError
from pipeline.spotify.client import SpotifyClient
from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN
from sandbox.spotify.catalogue import MIXTAPE
from sandbox.spotify.echoes import Echo
from tests.spotify import Spotify

PLAYLIST = f"/v1/playlists/{MIXTAPE}"
ENDPOINTS: dict[str, tuple[str, Callable[[SpotifyClient], object]]] = {
    "token by refresh": ("/api/token", SpotifyClient.authorise),
    "token by client credentials": ("/api/token", SpotifyClient.authorise),
    "playlist": (rf"{PLAYLIST}\?", lambda client: client.playlist(MIXTAPE)),
    "items page": (f"{PLAYLIST}/items", lambda client: client.page(MIXTAPE, "items", 50)),
    "tracks page": (f"{PLAYLIST}/tracks", lambda client: client.page(MIXTAPE, "tracks", 50)),
    "snapshot id": ("fields=snapshot_id", lambda client: client.snapshot_id(MIXTAPE)),
    "artists, a batch": (r"/v1/artists\?ids=", lambda client: client.several("artists", [MIXTAPE])),
    "artists, one": ("/v1/artists/", lambda client: client.one("artists", MIXTAPE)),
}
CASES = [*product([400, 401, 403, 500], [kind for kind in get_args(Echo) if kind != "huge"]), (403, "huge")]


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_no_secret_of_an_echoed_request_is_quoted_or_logged(
    spotify: Spotify, endpoint: str, caplog: pytest.LogCaptureFixture
) -> None:
    path, request = ENDPOINTS[endpoint]
    for status, kind in CASES:
        caplog.clear()
        client = spotify.client(budget_s=2, user="client credentials" not in endpoint)
        spotify.fail({"path": path, "kind": "echo", "status": status, "echo_as": kind, "times": 9})
        with caplog.at_level(logging.DEBUG), pytest.raises(PipelineError) as failed:
            request(client)

        assert sum(spotify.fired()) >= 1
        message = str(failed.value)
        written = "\n".join([message, caplog.text, *traceback.format_exception(failed.value)])
        token = client._token._token or CLIENT_SECRET  # noqa: SLF001 - the secret to search for
        assert [text for text in spellings(token) if text in written] == [], (status, kind)
        assert len(message) < 700
        assert message.isprintable()


def spellings(token: str) -> list[str]:
    """The secrets, plain and in base64 at each of the three byte offsets."""
    basic = b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    plain = [CLIENT_SECRET, REFRESH_TOKEN, token, basic]
    shifted = [b64encode(f"{'x' * offset}{text}".encode()).decode() for text in plain for offset in range(3)]
    return [*plain, *(text[4:-4] for text in shifted)]


def test_an_html_response_is_described_by_type_and_size(spotify: Spotify) -> None:
    spotify.fail({"path": PLAYLIST, "kind": "echo", "echo_as": "huge"})
    with pytest.raises(PipelineError, match=r"\(403, text/html, 5,242,880 bytes\)"):
        spotify.client().playlist(MIXTAPE)
    assert spotify.fired() == [1]


def test_an_html_response_of_the_token_endpoint_is_a_wrong_address(spotify: Spotify) -> None:
    spotify.fail({"path": "/api/token", "kind": "echo", "echo_as": "huge"})
    with pytest.raises(
        PipelineError, match=r"returned 403, text/html, 5,242,880 bytes: .*\[SPOTIFY_ADDRESS]"
    ):
        spotify.client().authorise()
    assert spotify.fired() == [1]
