"""A server of the sandbox as a process: started, waited for until it is ready, stopped."""

import os
import signal
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from typing import ClassVar

ROOT = Path(__file__).parents[1]
CHILD = str(ROOT / "sandbox" / "child.py")
START_S = 120
"""Seconds that a server may take to start."""
STOP_S = 10
POLL_S = 0.05
LAST_LINES = 15
ANNOUNCEMENT = "listening on "
"""How the line begins in which a stand-in prints its address once it is ready."""


class StandInFailed(RuntimeError):
    """A server ended, or kept silent, before it was ready; the message has its last lines."""


class Server:
    """A server as a process. A thread reads what it prints, so that it never waits for a reader.

    Until it is ready, its lines are kept in `printed`; the last ones are for the message of a failure. Then
    they go to stderr (`echo`).
    """

    process_group: ClassVar[int | None] = None

    def __init__(
        self,
        name: str,
        module: Sequence[str],
        *,
        environment: Mapping[str, str] | None = None,
        folder: Path = ROOT,
        echo: bool = True,
    ) -> None:
        self.name = name
        self._echo = echo
        self._address: str | None = None
        self.printed: list[str] = []
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._process = subprocess.Popen(
            [sys.executable, CHILD, str(os.getpid()), *module],
            cwd=folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=self.process_group,
        )
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    @classmethod
    def start(cls, stack: ExitStack, name: str, *module: str) -> "Server":
        """A stand-in, `python -m …`; leaving the stack stops it."""
        server = cls(name, module)
        stack.callback(server.stop)
        return server

    def wait_for_address(self) -> str:
        """The address that a stand-in prints, as `http://127.0.0.1:<port>`; raises StandInFailed."""
        self.wait_until(lambda: self._address is not None)
        return f"http://{self._address}"

    def wait_until(
        self, is_ready: Callable[[], bool], poll_s: float = POLL_S, within_s: float | None = None
    ) -> None:
        """Returns once the server is ready; raises StandInFailed when its process ends, or in the end.

        `poll_s`: seconds between two looks. `within_s`: START_S, unless given.
        """
        patience = START_S if within_s is None else within_s
        deadline = time.monotonic() + patience
        while not is_ready():
            if self._process.poll() is not None:
                self._reader.join(STOP_S)
                raise StandInFailed(self._failure(f"ended with exit status {self._process.returncode}"))
            if time.monotonic() >= deadline:
                raise StandInFailed(self._failure(f"was not ready within {patience} s"))
            time.sleep(poll_s)

    def stop(self) -> None:
        """Stops the process."""
        stop(self._process)
        self._reader.join(STOP_S)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if line.startswith(ANNOUNCEMENT):
                self._address = line.split()[-1]
                continue
            self._last.append(line)
            if not self._address:
                self.printed.append(line.rstrip())
            if self._echo and self._address:
                with suppress(OSError):
                    os.write(2, line.encode())  # not sys.stderr, which tests replace and close

    def last_lines(self) -> str:
        """What it printed last, for a message."""
        return "".join(f"  {line.rstrip()}\n" for line in self._last) or "  (nothing)\n"

    def _failure(self, what: str) -> str:
        return f"{self.name} did not start: it {what}. It printed last:\n{self.last_lines()}"


class Worker(Server):
    """A server that starts processes of its own: they are in its process group, and end with it."""

    process_group = 0

    def stop(self) -> None:
        """Stops the process, and those that it has started."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_S)
        self._signal(signal.SIGKILL)
        super().stop()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def stop(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Ends a process: SIGTERM, and SIGKILL if it is still there after STOP_S."""
    process.terminate()
    try:
        process.wait(timeout=STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
