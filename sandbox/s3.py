"""`python -m sandbox.s3`: stand-in for S3, moto's server on loopback until SIGTERM or SIGINT.

The same port also serves moto's other AWS services; the sandbox uses SQS for the events of pipes.

Deviations from AWS:
- Data are in memory and lost at exit.
- Any access key is valid and may do everything. Only a key that STS issued for a role is restricted, to the
  policies of that role.
- There are no rate limits, and no latency of a network.
moto's documentation lists which operations and parameters it implements.
"""

import logging
import signal
import sys
import threading
from typing import Any

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.server import ThreadedMotoServer
from moto.sts.models import sts_backends


def enforce_role_policies() -> None:
    """Enables moto's access control for the keys of assumed roles; all other keys may do everything."""
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    authorize = ActionAuthenticatorMixin._authenticate_and_authorize_action  # noqa: SLF001 - moto has no option for it

    def authorize_roles(self: Any, *arguments: Any, **options: Any) -> None:
        key = self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
        if any(role.access_key_id == key for role in sts_backends[DEFAULT_ACCOUNT_ID]["aws"].assumed_roles):
            authorize(self, *arguments, **options)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize_roles  # type: ignore[method-assign]  # noqa: SLF001


def main() -> None:
    """Serves on a free port, and prints its address when it is ready."""
    enforce_role_policies()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    sys.stdout.write(f"listening on {host}:{port}\n")
    sys.stdout.flush()
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    stopped.wait()
    server.stop()


if __name__ == "__main__":
    main()
