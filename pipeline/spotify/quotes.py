"""Selects the part of an error response that a message may quote. Pure; the only place that decides it.

A proxy, a firewall or a wrong address may send back the request itself, including credentials.
"""

import html
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, quote_plus

from pipeline.masking import CREDENTIALS, MASK, printable

MAX_QUOTE_CHARS = 200
MIN_SECRET_CHARS = 8
"""Spotify's secrets have at least 32 characters; masking much shorter texts would garble messages."""

OAUTH_CODE = re.compile(r"[a-z_]{1,40}")
"""Error codes of RFC 6749, such as `invalid_grant`."""
REASON = re.compile(r"[A-Z_]{1,40}")
"""Reasons of the Web API, such as `QUOTA_EXCEEDED`."""
CONTENT_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}")


class Quote(NamedTuple):
    """`text`: error.message, or "<type>, <n> bytes". The other fields contain only plain codes."""

    text: str
    oauth_code: str | None = None
    reason: str | None = None


def quoted(body: bytes | None, content_type: str, length: str, secrets: Iterable[str]) -> Quote:
    """The quotable part of an error response. `body`: None if it was too large; `length`: its size."""
    known = list(secrets)
    error = _error(body)
    if isinstance(error, str) and _is_code(OAUTH_CODE, error, known):
        return Quote(error, oauth_code=error)
    described = Quote(f"{_type(content_type, known)}, {length}")
    if not isinstance(error, dict):
        return described
    message, reason = error.get("message"), error.get("reason")
    text = masked(message, known)[:MAX_QUOTE_CHARS].strip() if isinstance(message, str) else ""
    plain = isinstance(reason, str) and _is_code(REASON, reason, known)
    return Quote(text or described.text, reason=reason if plain else None)


def masked(text: str, secrets: Iterable[str]) -> str:
    """The text without control characters, and with each secret replaced in all its encodings."""
    text = printable(text)
    forms = {form for secret in secrets if len(secret) >= MIN_SECRET_CHARS for form in _forms(secret)}
    if forms:
        longest_first = sorted(forms, key=len, reverse=True)
        text = re.sub("|".join(map(re.escape, longest_first)), MASK, text, flags=re.IGNORECASE)
    return CREDENTIALS.sub(MASK, text)


def sent_secrets(authorization: str, form: str) -> set[str]:
    """Credentials in a request: its Authorization header, also decoded, and secret fields of its form."""
    credential = authorization.partition(" ")[2]
    found = {credential} | {value for name, value in parse_qsl(form) if name in _SECRET_FIELDS}
    with suppress(ValueError):  # of a bearer token
        found.add(b64decode(credential, validate=True).decode().partition(":")[2])
    return found


_SECRET_FIELDS = ("refresh_token", "client_secret", "code", "code_verifier")


def _forms(secret: str) -> set[str]:
    """A secret, and its encodings in URLs, HTML, JSON and base64."""
    encoded = {part for offset in range(3) if len(part := _base64(secret, offset)) >= MIN_SECRET_CHARS}
    encoded |= {part.replace("+", "-").replace("/", "_") for part in encoded}
    plain = {secret, json.dumps(secret)[1:-1], html.escape(secret), *encoded}
    return {form for text in plain for form in (text, quote(text, safe=""), quote_plus(text))}


def _base64(secret: str, offset: int) -> str:
    """The base64 characters that depend only on the secret, if `offset` bytes precede it."""
    raw = b"\0" * offset + secret.encode(errors="surrogatepass")
    return b64encode(raw).decode()[-(-offset * 8 // 6) : len(raw) * 8 // 6]


def _error(body: bytes | None) -> object:
    try:
        decoded = json.loads(body or b"")
    except (ValueError, RecursionError):
        return None
    return decoded.get("error") if isinstance(decoded, dict) else None


def _is_code(pattern: re.Pattern[str], text: str, secrets: list[str]) -> bool:
    return pattern.fullmatch(text) is not None and masked(text, secrets) == text


def _type(content_type: str, secrets: list[str]) -> str:
    plain = content_type.partition(";")[0].strip().lower()
    return plain if _is_code(CONTENT_TYPE, plain, secrets) else "unknown type"
