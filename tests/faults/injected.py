"""What can happen to a request."""

import signal
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.faults.processes import FlowProcess

When = Literal["before", "after"]
"""Before the service gets the request, or after it has done what was asked, before its answer leaves."""


@dataclass
class Kill:
    """SIGKILL to the process that asks."""

    when: When
    process: Callable[[], FlowProcess]

    def before(self, _client: socket.socket) -> bool:
        """Kills before the request is passed on, if that is when."""
        if self.when == "before":
            self.process().send(signal.SIGKILL)
        return self.when != "before"

    def after(self, _client: socket.socket) -> bool:
        """Kills before the answer is passed on."""
        self.process().send(signal.SIGKILL)
        return False
