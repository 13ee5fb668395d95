"""Runs a flow as a shell command: its parameters are the options, its docstring is the help text."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from typing import Any, get_args

from cyclopts import App
from cyclopts.exceptions import CoercionError, CycloptsError
from cyclopts.exceptions import ValidationError as ConstraintError
from prefect import Flow, State
from prefect.settings import PREFECT_API_URL
from pydantic import ValidationError

from blocks.prefect_api import PrefectFailed, address, connected
from flows.deadline import OutOfTime, cancel_deadline, run_deadline
from flows.parameters import FORMATS_BY_TYPE, expected_format
from pipeline.errors import Code

START_TIMEOUT_S = 20.0
"""Time limit for Prefect's API to create the run: /health responds even if nothing else works."""
CRASH_REPORT_TIMEOUT_S = 5.0
"""Time limit for Prefect to report the run as crashed, after START_TIMEOUT_S."""


def run_from_shell(
    flow: Flow[..., Any],
    name: str,
    options: Sequence[str] | None = None,
    without_api: Callable[[str, Sequence[str]], None] = lambda _message, _options: None,
) -> None:
    """Runs the flow with the options of `python -m NAME`; the exit status is 0 only for a Completed run.

    `without_api` is called with the message and the options if Prefect's API does not respond.
    """
    run: Callable[..., State[Any]] = _started_in_time(flow)

    @wraps(flow.fn)
    def command(*args: Any, **kwargs: Any) -> int:  # noqa: ANN401 - the flow's own parameters
        with connected(os.environ), _start_deadline():
            state = run(*args, return_state=True, **kwargs)
        sys.stderr.write(f"{state.name}: {state.message}\n")
        return 0 if state.is_completed() else 1

    given = sys.argv[1:] if options is None else options
    app = App(name=f"python -m {name}", default_command=command, version_flags=[])
    try:
        status = app(given, result_action="return_value", exit_on_error=False, print_error=False)
    except CycloptsError as error:
        sys.exit(f"{_reason(error)}\n`python -m {name} --help` lists every option and its format.")
    except PrefectFailed as error:
        message = f"{error} [{Code.PREFECT_UNAVAILABLE}]"
        without_api(message, given)
        sys.exit(message)
    sys.exit(status)


def _started_in_time(flow: Flow[..., Any]) -> Flow[..., Any]:
    """The flow, which cancels the start deadline when it begins: a run survives outages of Prefect's API."""
    original = flow.fn

    @wraps(original)
    def started(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the flow's own parameters
        cancel_deadline()
        return original(*args, **kwargs)

    copy = flow.with_options()
    copy.fn = started
    return copy


@contextmanager
def _start_deadline() -> Iterator[None]:
    """Raises PrefectFailed unless the flow begins in time: Prefect's client retries silently for minutes."""
    try:
        with run_deadline(START_TIMEOUT_S, lambda: "the start", repeat_s=CRASH_REPORT_TIMEOUT_S):
            yield
    except OutOfTime:
        where = address(PREFECT_API_URL.value() or "")
        message = f"Prefect's API at {where} did not create the run within {START_TIMEOUT_S:g} s"
        raise PrefectFailed(f"{message}. Check its log; run again when it responds") from None


def _reason(error: CycloptsError) -> str:
    """Error of the command line, and the expected format."""
    if isinstance(error, CoercionError) and error.token and (known := _format(error.target_type)):
        return f"{error.token.keyword} {known}, not {error.token.value!r}."
    if isinstance(error, ConstraintError) and isinstance(error.__cause__, ValidationError) and error.argument:
        (wrong, *_) = error.__cause__.errors()
        # The fields of a group of settings are options; the group itself is not.
        name = f"--{wrong['loc'][-1]}".replace("_", "-") if wrong["loc"] else error.argument.name
        return f"{name} {expected_format(wrong)}, not {wrong['input']!r}."
    return str(error)


def _format(kind: object) -> str | None:
    kinds = (kind, *get_args(kind))
    return next((FORMATS_BY_TYPE[one] for one in kinds if one in FORMATS_BY_TYPE), None)
