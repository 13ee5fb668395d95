"""A flow as a shell command: its parameters are the options, its docstring the help."""

import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

from cyclopts import App
from prefect import Flow, State


def run_from_shell(flow: Flow[..., Any], module: str) -> None:
    """Runs the flow with the command line's options; the exit status is 0 only for a Completed run."""
    run: Callable[..., State[Any]] = flow

    @wraps(flow.fn)
    def command(*args: Any, **kwargs: Any) -> int:  # noqa: ANN401 - the flow's own parameters
        state = run(*args, return_state=True, **kwargs)
        sys.stderr.write(f"{state.name}: {state.message}\n")
        return 0 if state.is_completed() else 1

    app = App(name=f"python -m {module}", default_command=command, version_flags=[])
    sys.exit(app(sys.argv[1:], result_action="return_value"))
