"""HTTP sessions: proxy and CA bundle from the environment, no retries, no redirects.

Each response has a deadline and a size limit. Of an error response, only the quotable part is kept.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from pipeline.spotify.quotes import Quote, quoted, sent_secrets
from pipeline.threads import Unfinished, within
from pipeline.usage import count_usage

DEADLINE_S = 60.0
"""Total time of a response, from sending the request to the last byte."""
MAX_BODY_BYTES = 16 * 2**20
"""Twenty times the size of a page of 50 entries."""
MAX_ERROR_BYTES = 64 * 2**10
"""Limit of an error response; of a larger one, only the size is quoted."""
CHUNK_BYTES = 2**16


class ResponseTooSlow(requests.Timeout):
    """A response was not complete at its deadline."""


class ResponseTooLarge(requests.RequestException):
    """A response is larger than MAX_BODY_BYTES; it was not read."""


class ErrorResponse(requests.RequestException):
    """A response with an error status (400 and above): plain data, without the request and its secrets."""

    def __init__(self, status: int, headers: Mapping[str, str], quote: Quote) -> None:
        super().__init__(f"HTTP {status}: {quote.text}")
        self.status = status
        self.headers = headers
        self.quote = quote


@dataclass
class ClientState:
    """State that the sessions of a client share.

    `secrets`: texts to mask. `clock_ahead_s`: seconds by which the local clock is ahead of the Date of the
    first response; negative if behind, None without a response.
    """

    secrets: set[str] = field(default_factory=set)
    clock_ahead_s: float | None = None


def http_session(url: str, connections: int = 1, client_state: ClientState | None = None) -> requests.Session:
    """A session for one service. Proxy and CA bundle are read from the environment once.

    .netrc is ignored: requests would send its credentials instead of our Authorization header.
    """
    session = requests.Session()
    found = session.merge_environment_settings(url, {}, None, None, None)
    # Plain http is only allowed for loopback, which a proxy cannot reach; it would also see the requests.
    session.proxies = found["proxies"] if url.startswith("https:") else {}
    session.verify, session.trust_env = found["verify"], False
    session.max_redirects = 0  # never send credentials elsewhere: a redirect raises TooManyRedirects
    for scheme in ("https://", "http://"):
        session.mount(scheme, _Adapter(connections, client_state or ClientState()))
    return session


class _Adapter(HTTPAdapter):
    """Reads complete responses within the deadline, and raises ErrorResponse for an error status.

    It does so before requests or spotipy process them: both put response texts into exceptions and logs.
    """

    def __init__(self, connections: int, client_state: ClientState) -> None:
        self._state = client_state
        super().__init__(
            max_retries=Retry(total=0, respect_retry_after_header=False), pool_maxsize=connections
        )

    def send(self, request: requests.PreparedRequest, *_: object, **options: Any) -> requests.Response:  # noqa: ANN401 - passed on
        """Sends a request. Raises the three exceptions above, and those of requests."""
        try:
            response, body = within(DEADLINE_S, lambda: self._exchange(request, options))
        except Unfinished:
            raise ResponseTooSlow(f"response was not complete after {DEADLINE_S:g} s") from None
        if not response.ok:
            raise ErrorResponse(response.status_code, response.headers, self._quote(response, body))
        if body is None:
            raise ResponseTooLarge(f"response larger than {MAX_BODY_BYTES:,} bytes")
        response._content = body  # noqa: SLF001 - as requests does once it has read the body
        return response

    def _exchange(
        self, request: requests.PreparedRequest, options: dict[str, Any]
    ) -> tuple[requests.Response, bytes | None]:
        """The response and its body, which is None if it exceeds its limit."""
        started = time.time()
        count_usage(spotify_requests=1)
        response = super().send(request, **{**options, "stream": True})
        self._note_clock(response, started)
        return response, _read(response, MAX_BODY_BYTES if response.ok else MAX_ERROR_BYTES)

    def _note_clock(self, response: requests.Response, started: float) -> None:
        """Compares Date with both ends of the request: a slow response must not look like a wrong clock."""
        if self._state.clock_ahead_s is not None or not response.ok:
            return
        try:
            date = parsedate_to_datetime(response.headers.get("Date", ""))
            theirs = date.replace(tzinfo=date.tzinfo or UTC).timestamp()
        except (ValueError, TypeError, OverflowError):
            return
        self._state.clock_ahead_s = max(started - theirs, 0.0) or min(time.time() - theirs, 0.0)

    def _quote(self, response: requests.Response, body: bytes | None) -> Quote:
        request, headers = response.request, response.headers
        form = request.body if isinstance(request.body, str) else ""
        secrets = self._state.secrets | sent_secrets(str(request.headers.get("Authorization", "")), form)
        return quoted(body, headers.get("Content-Type", ""), _length(headers, body), secrets)


def _read(response: requests.Response, limit: int) -> bytes | None:
    """The body; None, and the connection is closed, if it exceeds `limit` bytes."""
    chunks, size = [], 0
    for chunk in response.iter_content(CHUNK_BYTES):
        size += len(chunk)
        count_usage(spotify_bytes=len(chunk))
        if size > limit:
            response.close()
            return None
        chunks.append(chunk)
    return b"".join(chunks)


def _length(headers: Mapping[str, str], body: bytes | None) -> str:
    if body is not None:
        return f"{len(body):,} bytes"
    claimed = str(headers.get("Content-Length", ""))
    if claimed.isascii() and claimed.isdigit() and len(claimed) <= 15:  # noqa: PLR2004 - digits of a petabyte
        return f"{int(claimed):,} bytes"
    return f"more than {MAX_ERROR_BYTES:,} bytes"
