"""Log filters that keep secrets out of the logs: at DEBUG, libraries log complete requests and responses.

Filters are attached to the loggers, because a later logging configuration resets levels and `disabled`.
The module that imports spotipy, pipeline/spotify/spotipy_adapter.py, silences its loggers.
"""

import logging

ERRORS_DROPPED = ("snowflake.connector.network",)
"""Loggers that log an ERROR with a traceback for each failed request, even if the request is retried.

Our own errors report the failure.
"""

DEBUG_DROPPED = (
    # Signed headers and the session token: in requests, canonical requests and retries.
    "botocore.auth",
    "botocore.crt.auth",
    "botocore.endpoint",
    "botocore.awsrequest",
    "botocore.httpsession",
    "botocore.handlers",
    "botocore.discovery",
    # Credentials in responses of STS and of the ECS and EC2 metadata services.
    "botocore.parsers",
    "botocore.credentials",
    "botocore.utils",
    "botocore.tokens",
    # Prefect's API key, in the websocket's handshake and first message, and in HTTP/2 headers.
    "websockets.client",
    "hpack.hpack",
    "hpack.table",
    # Headers of Prefect's responses, its cookies and CSRF tokens.
    "httpcore.http11",
    "httpcore.http2",
)


def mask_secrets_in_logs() -> None:
    """Installs the filters; idempotent."""
    for name in DEBUG_DROPPED:
        logging.getLogger(name).addFilter(_drop_debug)
    for name in ERRORS_DROPPED:
        logging.getLogger(name).addFilter(_drop_errors)
    # urllib3 quotes headers that it cannot parse; a faulty server may send our own request there.
    for vendor in ("", "snowflake.connector.vendored."):
        logging.getLogger(f"{vendor}urllib3.connection").addFilter(_drop_unreadable_headers)


def _drop_debug(record: logging.LogRecord) -> bool:
    return record.levelno > logging.DEBUG


def _drop_errors(record: logging.LogRecord) -> bool:
    return record.levelno < logging.ERROR


def _drop_unreadable_headers(record: logging.LogRecord) -> bool:
    return not str(record.msg).startswith("Failed to parse headers")
