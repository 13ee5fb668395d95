"""`python -m blocks authorize`: a user's consent, with the stand-in's consent page."""

import json
import logging
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from inspect import signature
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from pydantic import SecretStr

from blocks import SpotifyCredentials
from blocks.authorize_spotify import app, authorize
from sandbox.spotify.accounts import CLIENT_ID, CLIENT_SECRET
from sandbox.spotify.server import create_app
from sandbox.spotify.sources import Synthetic
from tests.serving import running

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


def stored(block: str) -> Any:
    return SpotifyCredentials.load(block)


def with_browser(monkeypatch: pytest.MonkeyPatch, visit: Visit) -> list[str]:
    """Replaces the browser by `visit`; returns the URLs that the command opens."""
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
    assert "the block is unchanged" in capsys.readouterr().err
    assert stored(block).refresh_token is None


def test_other_requests_and_idle_connections_do_not_end_the_wait(
    block: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    port, statuses = free_port(), list[int]()
    own = f"http://127.0.0.1:{port}"

    def disturb_then_follow(url: str) -> None:
        with socket.create_connection(("127.0.0.1", port)):  # sends nothing
            state = parse_qs(urlsplit(url).query)["state"][0]
            paths = (
                "/favicon.ico",
                "/callback",
                "/callback?code=forged&state=forged",
                f"/callback?state={state}",
                f"/elsewhere?code=forged&state={state}",
            )
            statuses.extend(requests.get(f"{own}{path}", timeout=10).status_code for path in paths)
            statuses.append(requests.post(f"{own}/callback", timeout=10).status_code)
            follow(url)

    opened = with_browser(monkeypatch, disturb_then_follow)

    assert authorize(block, port) == 0
    assert len(opened) == 1
    assert statuses == [404, 400, 400, 400, 404, 501]
    assert stored(block).refresh_token is not None


def test_the_wait_for_consent_times_out(
    block: str, spotify: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("blocks.authorize_spotify.CONSENT_TIMEOUT_S", 0)
    opened = with_browser(monkeypatch, lambda _: None)
    port = free_port()

    assert f"redirect URI http://127.0.0.1:{port}/callback" in refusal(block, spotify, port, capsys)
    assert len(opened) == 1


def test_an_error_of_the_consent_page_is_quoted_only_if_oauth_defines_it(
    block: str, spotify: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(url: str) -> None:
        state = parse_qs(urlsplit(url).query)["state"][0]
        follow(f"http://127.0.0.1:{port}/callback?error=canary&state={state}")

    port = free_port()
    with_browser(monkeypatch, refuse)
    assert "no code (unknown error)" in refusal(block, spotify, port, capsys)


def test_help_names_the_redirect_uri(capsys: pytest.CaptureFixture[str]) -> None:
    app(["--help"], result_action="return_value")
    shown = "".join(capsys.readouterr().out.split())
    port = signature(authorize).parameters["port"].default
    assert f"http://127.0.0.1:{port}/callback" in shown


def refusal(block: str, spotify: str, port: int, capsys: pytest.CaptureFixture[str]) -> str:
    """Runs the command, which must refuse; returns its one line."""
    assert authorize(block, port) == 1
    assert stored(block).refresh_token is None
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("not authorised, the block is unchanged: ")
    assert spotify not in line
    return line


def fail(spotify: str, **fault: object) -> None:
    fault = {"path": "/api/token", **fault}
    requests.put(f"{spotify}/sandbox/faults", json=[fault], timeout=10).raise_for_status()


def fired(spotify: str) -> list[int]:
    faults = requests.get(f"{spotify}/sandbox/faults", timeout=10).json()
    return [fault["fired"] for fault in faults]


TOKEN = {"access_token": "x", "expires_in": 3600}
UNUSABLE: dict[str, tuple[dict[str, object], str]] = {
    "a page": ({"kind": "html"}, "no refresh token: check accounts_url"),
    "a text": ({"status": 200, "body": '"canary"'}, "no refresh token"),
    "no refresh token": ({"status": 200, "body": json.dumps(TOKEN)}, "no refresh token"),
    "null": ({"status": 200, "body": json.dumps(TOKEN | {"refresh_token": None})}, "no refresh token"),
    "a page with an error": ({"kind": "html", "status": 500}, "refuses the code (unknown error)"),
    "a text with an error": ({"status": 400, "body": '"canary"'}, "refuses the code (unknown error)"),
    "wrong secret": ({"status": 400, "body": '{"error": "invalid_client"}'}, "check client id and secret"),
    "a redirect": (
        {"status": 307, "headers": {"Location": "/x"}},
        "redirects: correct accounts_url",
    ),
    "a reset": ({"kind": "reset"}, "no response from Spotify (ConnectionError)"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_an_unusable_token_response_is_one_message(
    block: str, spotify: str, case: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fault, problem = UNUSABLE[case]
    fail(spotify, **fault)
    with_browser(monkeypatch, follow)

    line = refusal(block, spotify, free_port(), capsys)
    assert problem in line
    assert "canary" not in line
    assert fired(spotify) == [1]


def test_a_port_in_use_is_one_message(
    block: str, spotify: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = with_browser(monkeypatch, follow)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert f"port {port} cannot be used" in refusal(block, spotify, port, capsys)
    assert opened == []


@pytest.mark.usefixtures("prefect_api")
def test_a_missing_block_is_one_message_and_exit_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert app(["--block", "nowhere"], result_action="return_value") == 1
    printed = capsys.readouterr().err
    assert "the block 'nowhere' does not exist or cannot be read: run python -m blocks register" in printed
    assert "Traceback" not in printed


def test_an_impossible_port_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        app(["--port", "65536"])
    assert ended.value.code
    assert "65535" in capsys.readouterr().err


def test_a_netrc_file_does_not_replace_the_client_secret(
    block: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with_browser(monkeypatch, follow)

    assert authorize(block, free_port()) == 0


def test_no_secret_is_logged(
    block: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with_browser(monkeypatch, follow)
    with caplog.at_level(logging.DEBUG):
        assert authorize(block, free_port()) == 0

    assert "/api/token" in caplog.text
    token = stored(block).refresh_token.get_secret_value()
    assert [
        secret for secret in (CLIENT_SECRET, token, "sandbox-code-", "Basic ") if secret in logged(caplog)
    ] == []


def logged(caplog: pytest.LogCaptureFixture) -> str:
    """Logged messages, without the callback URLs that the browser of the tests logs in this process."""
    messages = [record.getMessage() for record in caplog.records]
    return "\n".join(message for message in messages if "/callback?" not in message)


def test_the_command_silences_only_the_loggers_of_spotipy() -> None:
    code = (
        "import logging; logging.basicConfig(level=10); import blocks.authorize_spotify; "
        "logging.getLogger('spotipy.oauth2').debug('canary'); logging.getLogger('other').debug('heard')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    assert "heard" in done.stderr
    assert "canary" not in done.stderr
