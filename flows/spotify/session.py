"""HTTP sessions: proxies and CA bundle as the environment says, no retries of their own, no redirects."""

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry


def open_session(url: str, connections: int = 1) -> requests.Session:
    """A session for one service. What the environment says of it is looked up once.

    Its .netrc is not: requests would send what that holds instead of our own Authorization header.
    """
    session = requests.Session()
    found = session.merge_environment_settings(url, {}, None, None, None)
    # Plain http is for this machine only: a proxy would read along, and could not reach it anyway.
    session.proxies = found["proxies"] if url.startswith("https:") else {}
    session.verify, session.trust_env = found["verify"], False
    session.max_redirects = 0  # credentials go to no other place: TooManyRedirects
    no_retries = Retry(total=0, respect_retry_after_header=False)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=no_retries, pool_maxsize=connections))
    return session
