"""HTTP sessions: proxies are used except for loopback, redirects are never followed."""

from collections.abc import Iterator

import pytest
import requests
from starlette.requests import Request
from starlette.responses import RedirectResponse

from pipeline.errors import ConfigurationError
from pipeline.spotify.http import http_session
from tests.serving import running
from tests.spotify import Spotify

PROXY = "http://127.0.0.1:9"


@pytest.fixture
def _proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, PROXY)
    for name in ("NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.usefixtures("_proxied")
def test_the_proxy_from_the_environment_is_used() -> None:
    assert http_session("https://api.spotify.com/v1").proxies["https"] == PROXY


@pytest.mark.usefixtures("_proxied")
@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "localhost"])
def test_loopback_requests_use_no_proxy(host: str) -> None:
    assert http_session(f"http://{host}:8080/v1").proxies == {}


@pytest.fixture
def redirecting() -> Iterator[tuple[str, list[str]]]:
    """A server that redirects every request to itself; yields its URL and the paths requested."""
    seen: list[str] = []

    async def redirect(scope: dict[str, object], receive: object, send: object) -> None:
        request = Request(scope, receive)  # type: ignore[arg-type]
        seen.append(request.url.path)
        await RedirectResponse("/stolen", 307)(scope, receive, send)  # type: ignore[arg-type]

    with running(redirect) as url:  # type: ignore[arg-type]
        yield url, seen


def test_no_redirect_is_followed(redirecting: tuple[str, list[str]]) -> None:
    url, seen = redirecting
    with pytest.raises(requests.TooManyRedirects):
        http_session(url).post(f"{url}/api/token", data={"secret": "s"}, timeout=5)
    assert seen == ["/api/token"]


@pytest.mark.parametrize("user", [True, False], ids=["user's token", "app's token"])
def test_a_token_endpoint_that_redirects_is_a_wrong_address(spotify: Spotify, *, user: bool) -> None:
    spotify.fail({"path": "/api/token", "status": 307, "headers": {"Location": "/api/stolen"}})
    with pytest.raises(ConfigurationError, match="correct api_url and accounts_url of the Spotify"):
        spotify.client(user=user).authorise()
    assert spotify.fired() == [1]
    assert [seen["path"] for seen in spotify.standin.log()] == ["/api/token"]
