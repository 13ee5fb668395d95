"""Error responses that repeat the request and its credentials, as some proxies and firewalls send them."""

import html
import json
from base64 import b64encode
from typing import Literal
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope

Echo = Literal["message", "page", "error", "description", "url-encoded", "base64", "huge"]
HUGE_BYTES = 5 * 2**20


async def echo(scope: Scope, receive: Receive, status: int, kind: Echo) -> Response:
    """Returns an error response that repeats the request.

    message: in Spotify's error.message, with control characters between the letters. url-encoded, base64: in
    error.message, encoded. error, description: in these fields of an OAuth error. page, huge: as HTML; huge
    has 5 MiB.
    """
    text = await _request_text(Request(scope, receive))
    match kind:
        case "page" | "huge":
            page = f"<html><body><pre>{html.escape(text)}</pre></body></html>"
            body = page.ljust(HUGE_BYTES) if kind == "huge" else page
            return Response(body, status, media_type="text/html")
        case "error":
            return _as_json({"error": text}, status)
        case "description":
            return _as_json({"error": "invalid_request", "error_description": text}, status)
        case "url-encoded":
            text = quote(text)
        case "base64":
            text = b64encode(text.encode()).decode()
        case "message":
            text = "\x07".join(text)
    return _as_json({"error": {"status": status, "message": text}}, status)


def _as_json(body: object, status: int) -> Response:
    return Response(json.dumps(body), status, media_type="application/json")


async def _request_text(request: Request) -> str:
    """Returns the text of a request, credentials first because a client may truncate the message."""
    form = (await request.body()).decode()
    headers = sorted(request.headers.items(), key=lambda header: header[0] != "authorization")
    lines = "\n".join(f"{name}: {value}" for name, value in headers)
    return f"{form}\n{lines}\n{request.method} {request.url}"
