"""Server processes of the sandbox: start, wait until ready, stop."""

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
START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 10
POLL_S = 0.05
LAST_LINES = 15
"""Number of output lines that an error message contains."""
ANNOUNCEMENT = "listening on "
"""Start of the line with the address, which a stand-in prints when it is ready."""


class StandInFailed(RuntimeError):
    """A server exited or was not ready in time; the message contains the last lines of its output."""


class Server:
    """A server process. A thread reads its output, so the process never blocks on a full pipe.

    Output before it is ready is in `printed`; later output goes to stderr if `echo` is set.
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
        """Starts a stand-in, `python -m MODULE …`; closing the stack stops it."""
        server = cls(name, module)
        stack.callback(server.stop)
        return server

    def wait_for_address(self) -> str:
        """Waits for the stand-in's address; returns `http://127.0.0.1:<port>`, raises StandInFailed."""
        self.wait_until(lambda: self._address is not None)
        return f"http://{self._address}"

    def wait_until(
        self, is_ready: Callable[[], bool], poll_s: float = POLL_S, timeout_s: float | None = None
    ) -> None:
        """Waits until the server is ready; raises StandInFailed if its process exits, or at the timeout.

        `poll_s`: interval between checks. `timeout_s`: START_TIMEOUT_S by default.
        """
        timeout = START_TIMEOUT_S if timeout_s is None else timeout_s
        deadline = time.monotonic() + timeout
        while not is_ready():
            if self._process.poll() is not None:
                self._reader.join(STOP_TIMEOUT_S)
                raise StandInFailed(self._failure(f"ended with exit status {self._process.returncode}"))
            if time.monotonic() >= deadline:
                raise StandInFailed(self._failure(f"was not ready within {timeout} s"))
            time.sleep(poll_s)

    def stop(self) -> None:
        """Stops the process."""
        stop(self._process)
        self._reader.join(STOP_TIMEOUT_S)

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
                    os.write(2, line.encode())  # not sys.stderr: tests replace and close it

    def last_lines(self) -> str:
        """The last lines of output, indented, for an error message."""
        return "".join(f"  {line.rstrip()}\n" for line in self._last) or "  (nothing)\n"

    def _failure(self, what: str) -> str:
        return f"{self.name} did not start: it {what}. Last lines of its output:\n{self.last_lines()}"


class Worker(Server):
    """A server that starts child processes: they are in its process group, and `stop` ends them too."""

    process_group = 0

    def stop(self) -> None:
        """Stops the process and its children."""
        self._signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIMEOUT_S)
        self._signal(signal.SIGKILL)
        super().stop()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)


def stop(process: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """Ends a process with SIGTERM, then with SIGKILL if it is still running after STOP_TIMEOUT_S."""
    process.terminate()
    try:
        process.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
