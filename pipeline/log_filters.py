"""Log filters that keep secrets out of the logs: libraries write whole requests at DEBUG, and more.

The loggers of spotipy are silenced where it is imported, in pipeline/spotify/spotipy_adapter.py.

Filters on the loggers themselves, because levels and `disabled` are reset by whoever configures logging.
"""

import logging

NO_ERRORS = ("snowflake.connector.network",)
"""Logs an ERROR with a traceback for each request that fails, retried or not; our own errors say it, too."""

NOT_AT_DEBUG = (
    # Signed headers and the session token: in requests, canonical requests and retries.
    "botocore.auth",
    "botocore.crt.auth",
    "botocore.endpoint",
    "botocore.awsrequest",
    "botocore.httpsession",
    "botocore.handlers",
    "botocore.discovery",
    # Credentials in responses: of STS, of the ECS and EC2 metadata services.
    "botocore.parsers",
    "botocore.credentials",
    "botocore.utils",
    "botocore.tokens",
    # Prefect's API key: the websocket's handshake and first message; HTTP/2 headers.
    "websockets.client",
    "hpack.hpack",
    "hpack.table",
    # Headers of Prefect's responses, its cookies and CSRF tokens.
    "httpcore.http11",
    "httpcore.http2",
)


def mask_secrets_in_logs() -> None:
    """Installs the filters; calling it again changes nothing."""
    for name in NOT_AT_DEBUG:
        logging.getLogger(name).addFilter(_drop_debug)
    for name in NO_ERRORS:
        logging.getLogger(name).addFilter(_drop_errors)
    # Quotes what it cannot read of a response's headers, which may be our own request.
    for vendor in ("", "snowflake.connector.vendored."):
        logging.getLogger(f"{vendor}urllib3.connection").addFilter(_drop_unreadable_headers)


def _drop_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def _drop_errors(record: logging.LogRecord) -> bool:
    return record.levelno < logging.ERROR


def _drop_unreadable_headers(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Failed to parse headers")
