"""HTTP sessions: proxies and CA bundle as the environment says, no retries of their own."""

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry


def open_session(url: str, connections: int = 1) -> requests.Session:
    """A session for one service. What the environment says of it is looked up once.

    Its .netrc is not: requests would send what that holds instead of our own Authorization header.
    """
    session = requests.Session()
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify, session.trust_env = found["proxies"], found["verify"], False
    no_retries = Retry(total=0, respect_retry_after_header=False)
    for scheme in ("https://", "http://"):
        session.mount(scheme, HTTPAdapter(max_retries=no_retries, pool_maxsize=connections))
    return session
