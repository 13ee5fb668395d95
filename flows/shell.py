"""A flow as a shell command: its parameters are the options, its docstring the help."""

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
from flows.deadline import OutOfTime, lift_deadline, run_deadline
from flows.parameters import FORMS, form
from pipeline.errors import Code

START_S = 20.0
"""In which Prefect's API must have taken a new run: it answers /health even if it can do nothing else."""
START_AGAIN_S = 5.0
"""Then, for the report that the run has crashed."""


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
        sys.exit(f"{_reason(error)}\n`python -m {name} --help` shows every option and its form.")
    except PrefectFailed as error:
        message = f"{error} [{Code.PREFECT_UNAVAILABLE}]"
        without_api(message, given)
        sys.exit(message)
    sys.exit(status)


def _started_in_time(flow: Flow[..., Any]) -> Flow[..., Any]:
    """The flow, lifting the deadline of its start: what runs survives an outage of Prefect's API."""
    original = flow.fn

    @wraps(original)
    def begun(*args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the flow's own parameters
        lift_deadline()
        return original(*args, **kwargs)

    started = flow.with_options()
    started.fn = begun
    return started


@contextmanager
def _start_deadline() -> Iterator[None]:
    """Raises PrefectFailed unless the flow begins in time; Prefect's client retries for minutes, silently."""
    try:
        with run_deadline(START_S, lambda: "the start", again=START_AGAIN_S):
            yield
    except OutOfTime:
        where = address(PREFECT_API_URL.value() or "")
        message = f"Prefect's API at {where} did not start the run within {START_S:g} s. Look at its log"
        raise PrefectFailed(f"{message}; once it answers, run again") from None


def _reason(error: CycloptsError) -> str:
    """What is wrong with the command line, and the right form."""
    if isinstance(error, CoercionError) and error.token and (known := _form(error.target_type)):
        return f"{error.token.keyword} {known}, not {error.token.value!r}."
    if isinstance(error, ConstraintError) and isinstance(error.__cause__, ValidationError) and error.argument:
        (wrong, *_) = error.__cause__.errors()
        # A group of settings has no option of its own; its fields have.
        name = f"--{wrong['loc'][-1]}".replace("_", "-") if wrong["loc"] else error.argument.name
        return f"{name} {form(wrong)}, not {wrong['input']!r}."
    return str(error)


def _form(kind: object) -> str | None:
    return next((FORMS[one] for one in (kind, *get_args(kind)) if one in FORMS), None)
