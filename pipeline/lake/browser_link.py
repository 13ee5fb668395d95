"""Links to files of the lake, for browsers."""

from urllib.parse import quote, urlsplit

SANDBOX_HOST = "127.0.0.1"
"""There anyone may read the lake, so that a link needs no login."""


def browser_link(endpoint: str, bucket: str, key: str) -> str | None:
    """In the console of AWS, after a login, or in the sandbox itself; None for another store."""
    if urlsplit(endpoint).hostname == SANDBOX_HOST:
        return f"{endpoint}/{bucket}/{quote(key)}"
    if endpoint.endswith(".amazonaws.com"):
        return f"https://console.aws.amazon.com/s3/object/{bucket}?prefix={quote(key)}"
    return None
