"""Labels of requests: service, kind and number, so that a label means the same request in every run."""

import gzip
import json
import re
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from sandbox.services import BUCKET

STATEMENTS = "/queries/v1/query-request"
KEY = re.compile(rf"/{BUCKET}/\w+/(\w+)/")


class Request(NamedTuple):
    """A request as received."""

    service: str
    method: str
    target: str
    encoding: str
    body: bytes


class Label(NamedTuple):
    """A request of a run: service, kind, and number within its kind, from 1."""

    service: str
    kind: str
    number: int = 1

    def __str__(self) -> str:
        return " ".join(map(str, self))


def kind_of(request: Request) -> str:
    """Returns the kind of a request; for unknown requests, its path."""
    return {"spotify": _of_spotify, "s3": _of_s3, "snowflake": _of_snowflake}[request.service](request)


def _of_spotify(request: Request) -> str:
    url = urlsplit(request.target)
    if url.path == "/api/token":
        return "token"
    if url.path.endswith(("/items", "/tracks")):
        return "page"
    if re.fullmatch(r"/v1/playlists/\w+", url.path):
        return "snapshot" if "fields" in parse_qs(url.query) else "playlist"
    return url.path


def _of_s3(request: Request) -> str:
    url = urlsplit(request.target)
    for prefix in parse_qs(url.query).get("prefix", []):
        return f"LIST {prefix.split('/')[1]}"
    key = KEY.match(url.path)
    return f"{request.method} {key[1] if key else url.path}"


def _of_snowflake(request: Request) -> str:
    url = urlsplit(request.target)
    if url.path == STATEMENTS:
        body = gzip.decompress(request.body) if request.encoding == "gzip" else request.body
        text = re.sub(r"--.*", "", json.loads(body)["sqlText"])
        return "POLL" if re.search("COPY_HISTORY|PIPE_STATUS", text) else str(text.split()[0]).upper()
    if url.path == "/session/v1/login-request":
        return "login"
    if url.path == "/session" and "delete" in parse_qs(url.query):
        return "logout"
    return url.path
