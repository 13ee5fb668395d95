"""SpotifyCredentials: only https or loopback URLs, and no secret in a repr."""

import pytest
from pydantic import SecretStr, ValidationError

from blocks import SpotifyCredentials


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://api.example.org/v1", True),
        ("http://127.0.0.1:80/v1", True),
        ("http://[::1]:80/v1", True),
        ("http://localhost:80/v1", True),
        ("http://api.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
        ("ftp://127.0.0.1/v1", False),
        ("//api.example.org", False),
        ("http://evil.example\\@127.0.0.1/v1", False),
        ("https://canary:canary@api.example.org/v1", False),
        ("http://canary@127.0.0.1/v1", False),
        ("https://api.example.org/v1\n", False),
        ("https://api.example.org/v1?key=canary", False),
        ("https://api.example.org/v1#canary", False),
        ("https://api.example.org:canary/v1", False),
        ("https://", False),
        ("https:evil", False),
        ("https:///v1", False),
    ],
)
def test_urls_must_be_https_or_loopback(url: str, allowed: bool) -> None:
    def create() -> SpotifyCredentials:
        return SpotifyCredentials(client_id="i", client_secret=SecretStr("s"), api_url=url, accounts_url=url)

    if allowed:
        assert create().api_url == url
    else:
        with pytest.raises(ValidationError, match="https") as refused:
            create()
        assert [word for word in ("canary", "evil", "example") if word in str(refused.value)] == []


def test_no_repr_shows_a_secret() -> None:
    block = SpotifyCredentials(
        client_id="i", client_secret=SecretStr("canary"), refresh_token=SecretStr("bird")
    )

    assert "canary" not in repr(block) + str(block) + block.model_dump_json()
    assert "bird" not in repr(block) + str(block) + block.model_dump_json()
