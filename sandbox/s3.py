"""`python -m sandbox.s3`: moto's S3 on loopback until SIGTERM or SIGINT."""

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


def hold_roles_to_their_policies() -> None:
    """Switches moto's access control on for roles that somebody has assumed; all other keys may do all."""
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0
    authorize = ActionAuthenticatorMixin._authenticate_and_authorize_action  # noqa: SLF001 - moto has no other way

    def authorize_roles(self: Any, *arguments: Any, **options: Any) -> None:
        key = self.headers.get("Authorization", "").partition("Credential=")[2].partition("/")[0]
        if any(role.access_key_id == key for role in sts_backends[DEFAULT_ACCOUNT_ID]["aws"].assumed_roles):
            authorize(self, *arguments, **options)

    ActionAuthenticatorMixin._authenticate_and_authorize_action = authorize_roles  # type: ignore[method-assign]  # noqa: SLF001


def main() -> None:
    """Serves on a free port and prints its address once ready."""
    hold_roles_to_their_policies()
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
