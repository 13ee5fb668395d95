"""Quoting external responses in messages, and masking secrets in every encoding."""

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
    "reason that is not a code": (refusal("No", reason="<b>"), "application/json", Quote("No")),
    "OAuth code": (b'{"error": "invalid_grant"}', "text/plain", Quote("invalid_grant", "invalid_grant")),
    "no code": (b'{"error": "Go away"}', "application/json", Quote("application/json, 20 bytes")),
    "HTML": (b"<html>", "text/html; charset=utf-8", Quote("text/html, 20 bytes")),
    "too large": (None, "text/html", Quote("text/html, 20 bytes")),
    "invalid content type": (b"x", "text/html\x07<script>", Quote("unknown type, 20 bytes")),
    "nested": (b'{"error":' * 100_000, "application/json", Quote("application/json, 20 bytes")),
    "lines and colours": (refusal("a\nb\x1b[1m\u202ec"), "application/json", Quote("ab[1mc")),
    "message that is not a string": (refusal(["x"]), "application/json", Quote("application/json, 20 bytes")),
    "long": (refusal("x" * 999), "application/json", Quote("x" * MAX_QUOTE_CHARS)),
}


@pytest.mark.parametrize(("body", "content_type", "quote_"), QUOTES.values(), ids=QUOTES)
def test_a_response_is_quoted_briefly_and_in_printable_text(
    body: bytes | None, content_type: str, quote_: Quote
) -> None:
    assert quoted(body, content_type, "20 bytes", [SECRET]) == quote_


ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
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


@pytest.mark.parametrize("encode", ENCODINGS.values(), ids=ENCODINGS)
@settings(deadline=None, max_examples=50)
@given(
    secret=st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S"]), min_size=12, max_size=60)
)
def test_a_secret_is_masked_in_every_encoding(encode: Callable[[str], str], secret: str) -> None:
    text = masked(f"before {encode(secret)} after", [secret])
    assert text.startswith("before ")
    assert text.endswith(" after")
    middle = text.removeprefix("before ").removesuffix(" after")
    assert "***" in middle
    assert len(middle) <= 12  # base64 shares up to this many characters with the text around it


def test_an_error_code_equal_to_a_secret_is_not_quoted() -> None:
    quote_ = quoted(b'{"error": "secret_code"}', "text/html", "20 bytes", ["secret_code"])
    assert quote_ == Quote("text/html, 20 bytes")


def test_secrets_are_taken_from_the_headers_and_the_form_of_the_request() -> None:
    basic = b64encode(b"id:client-secret").decode()
    assert sent_secrets(f"Basic {basic}", "grant_type=refresh_token&refresh_token=a%2Bb") == {
        basic,
        "client-secret",
        "a+b",
    }
    assert "token" in sent_secrets("Bearer token", "")
