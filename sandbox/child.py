"""Runs a module like `python -m`, and stops it if the parent process was killed.

`python sandbox/child.py PARENT_PID MODULE ARGUMENTS…`. Without this, a SIGKILL of the sandbox or of a test
run would leave its servers running.
"""

import os
import runpy
import signal
import sys
from threading import Thread
from time import sleep

POLL_S = 1.0


def main() -> None:
    """Starts the check of the parent process, then runs the module."""
    _, parent, *arguments = sys.argv
    Thread(target=stop_without, args=(int(parent),), daemon=True).start()
    sys.path[0] = ""  # the current folder, as with `python -m`
    sys.argv = arguments
    runpy.run_module(arguments[0], run_name="__main__", alter_sys=True)


def stop_without(parent: int) -> None:
    """Sends SIGTERM to this process when its parent is no longer `parent`."""
    while os.getppid() == parent:
        sleep(POLL_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main()
