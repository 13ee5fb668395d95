"""Browser links to files of the lake."""

from urllib.parse import quote, urlsplit

SANDBOX_HOST = "127.0.0.1"
"""The sandbox serves its lake on loopback, without a login."""


def browser_link(endpoint: str, bucket: str, key: str) -> str | None:
    """Link to the AWS console (after a login) or to the sandbox; None for any other store."""
    if urlsplit(endpoint).hostname == SANDBOX_HOST:
        return f"{endpoint}/{bucket}/{quote(key)}"
    if endpoint.endswith(".amazonaws.com"):
        return f"https://console.aws.amazon.com/s3/object/{bucket}?prefix={quote(key)}"
    return None
