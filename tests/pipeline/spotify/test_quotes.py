"""What may be quoted of a foreign response: pure cases, and every way a secret may be written."""

import html
import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.spotify.quotes import MAX_QUOTE_CHARS, Quote, masked, quoted, sent_secrets

SECRET = 'AQD+1/kü&=4b 9f"e2c7'


def refusal(message: object, **further: object) -> bytes:
    return json.dumps({"error": {"status": 403, "message": message, **further}}).encode()


QUOTES: dict[str, tuple[bytes | None, str, Quote]] = {
    "message": (refusal("Forbidden"), "application/json", Quote("Forbidden")),
    "reason": (
        refusal("No", reason="QUOTA_EXCEEDED"),
        "application/json",
        Quote("No", None, "QUOTA_EXCEEDED"),
    ),
    "reason that is a text": (refusal("No", reason="<b>"), "application/json", Quote("No")),
    "OAuth code": (b'{"error": "invalid_grant"}', "text/plain", Quote("invalid_grant", "invalid_grant")),
    "no code": (b'{"error": "Go away"}', "application/json", Quote("application/json, 20 bytes")),
    "page": (b"<html>", "text/html; charset=utf-8", Quote("text/html, 20 bytes")),
    "too large": (None, "text/html", Quote("text/html, 20 bytes")),
    "odd type": (b"x", "text/html\x07<script>", Quote("unknown type, 20 bytes")),
    "nested": (b'{"error":' * 100_000, "application/json", Quote("application/json, 20 bytes")),
    "lines and colours": (refusal("a\nb\x1b[1m\u202ec"), "application/json", Quote("ab[1mc")),
    "message that is no text": (refusal(["x"]), "application/json", Quote("application/json, 20 bytes")),
    "long": (refusal("x" * 999), "application/json", Quote("x" * MAX_QUOTE_CHARS)),
}


@pytest.mark.parametrize(("body", "content_type", "quote_"), QUOTES.values(), ids=QUOTES)
def test_what_is_quoted(body: bytes | None, content_type: str, quote_: Quote) -> None:
    assert quoted(body, content_type, "20 bytes", [SECRET]) == quote_


WRITTEN: dict[str, Callable[[str], str]] = {
    "as it is": str,
    "in capitals": str.upper,
    "URL": lambda text: quote(text, safe=""),
    "form": quote_plus,
    "HTML": html.escape,
    "JSON": lambda text: json.dumps(text)[1:-1],
    "base64": lambda text: b64encode(text.encode()).decode(),
    "base64 of more, at 1": lambda text: b64encode(f"x{text}yz".encode()).decode(),
    "base64 of more, at 2": lambda text: urlsafe_b64encode(f"xx{text}yz".encode()).decode(),
    "base64 in a URL": lambda text: quote(b64encode(text.encode()).decode(), safe=""),
    "with control characters": "\x00".join,
    "Basic": lambda text: f"Basic {b64encode(f'id:{text}'.encode()).decode()}",
}


@pytest.mark.parametrize("write", WRITTEN.values(), ids=WRITTEN)
@settings(deadline=None, max_examples=50)
@given(
    secret=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=12, max_size=60)
)
def test_a_secret_is_masked_however_it_is_written(write: Callable[[str], str], secret: str) -> None:
    text = masked(f"before {write(secret)} after", [secret])
    assert text.startswith("before ")
    assert text.endswith(" after")
    middle = text.removeprefix("before ").removesuffix(" after")
    assert "***" in middle
    assert len(middle) <= 12  # what base64 shares with its neighbours, at most


def test_a_code_that_is_a_secret_is_no_code() -> None:
    said = quoted(b'{"error": "canary_secret"}', "text/html", "20 bytes", ["canary_secret"])
    assert said == Quote("text/html, 20 bytes")


def test_what_was_sent_is_secret() -> None:
    basic = b64encode(b"id:client-secret").decode()
    assert sent_secrets(f"Basic {basic}", "grant_type=refresh_token&refresh_token=a%2Bb") == {
        basic,
        "client-secret",
        "a+b",
    }
    assert "token" in sent_secrets("Bearer token", "")
