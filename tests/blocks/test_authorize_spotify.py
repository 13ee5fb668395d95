"""A user's consent by one command, against the stand-in's consent page."""

import socket
import threading
import webbrowser
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import pytest
import requests
from pydantic import SecretStr

from blocks import SpotifyCredentials
from blocks.authorize_spotify import authorize
from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET
from sandbox.spotify.server import create_app
from sandbox.spotify.serving import running
from sandbox.spotify.sources import Synthetic

Visit = Callable[[str], None]


@pytest.fixture
def spotify() -> Iterator[str]:
    with running(create_app(Synthetic(), today=lambda: date(2026, 11, 20))) as url:
        yield url


@pytest.fixture
def block(prefect_api: dict[str, str], spotify: str) -> str:
    del prefect_api
    SpotifyCredentials(
        client_id=CLIENT_ID,
        client_secret=SecretStr(CLIENT_SECRET),
        api_url=f"{spotify}/v1",
        accounts_url=spotify,
    ).save("consent", overwrite=True)
    return "consent"


def stored(block: str) -> Any:  # noqa: ANN401 - the block as it was saved
    return SpotifyCredentials.load(block)


def with_browser(monkeypatch: pytest.MonkeyPatch, visit: Visit) -> list[str]:
    """A browser that does what `visit` does, and the links that it was sent to."""
    opened: list[str] = []

    def browse(url: str, *_: object) -> bool:
        opened.append(url)
        threading.Thread(target=visit, args=(url,)).start()
        return True

    monkeypatch.setattr(webbrowser, "open", browse)
    return opened


def follow(url: str) -> None:
    requests.get(url, timeout=10)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_consent_is_stored_in_the_block(
    block: str, spotify: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = with_browser(monkeypatch, follow)
    before = datetime.now(UTC)

    assert authorize(block, free_port()) == 0
    found = stored(block)
    assert found.refresh_token is not None
    assert before <= found.authorized_at <= datetime.now(UTC)
    assert opened[0] in capsys.readouterr().out
    granted = requests.post(
        f"{spotify}/api/token",
        data={"grant_type": "refresh_token", "refresh_token": found.refresh_token.get_secret_value()},
        auth=(CLIENT_ID, CLIENT_SECRET),
        timeout=10,
    )
    assert granted.ok


def test_a_user_who_refuses_changes_nothing(
    block: str, spotify: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    requests.patch(f"{spotify}/sandbox/settings", json={"user_agrees": False}, timeout=10).raise_for_status()
    opened = with_browser(monkeypatch, follow)

    assert authorize(block, free_port()) == 1
    assert len(opened) == 1
    assert "the block is as it was" in capsys.readouterr().err
    assert stored(block).refresh_token is None


def test_a_redirect_with_another_state_is_refused(
    block: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def forge(url: str) -> None:
        parts = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()} | {"state": "forged"}
        follow(urlunsplit(parts._replace(query=urlencode(query))))

    opened = with_browser(monkeypatch, forge)

    assert authorize(block, free_port()) == 1
    assert len(opened) == 1
    assert "the block is as it was" in capsys.readouterr().err
    assert stored(block).refresh_token is None
