"""A flow as a shell command: its parameters are the options, its docstring the help."""

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any, get_args

from cyclopts import App
from cyclopts.exceptions import CoercionError, CycloptsError, MissingArgumentError
from cyclopts.exceptions import ValidationError as ConstraintError
from prefect import Flow, State
from pydantic import ValidationError

from blocks.prefect_api import PrefectFailed, connected
from flows.errors import Code
from flows.parameters import FORMS, form


def run_from_shell(flow: Flow[..., Any], module: str) -> None:
    """Runs the flow with the command line's options; the exit status is 0 only for a Completed run."""
    run: Callable[..., State[Any]] = flow

    @wraps(flow.fn)
    def command(*args: Any, **kwargs: Any) -> int:  # noqa: ANN401 - the flow's own parameters
        with connected(os.environ):
            state = run(*args, return_state=True, **kwargs)
        sys.stderr.write(f"{state.name}: {state.message}\n")
        return 0 if state.is_completed() else 1

    app = App(name=f"python -m {module}", default_command=command, version_flags=[])
    try:
        status = app(sys.argv[1:], result_action="return_value", exit_on_error=False, print_error=False)
    except CycloptsError as error:
        sys.exit(f"{_reason(error)}\n`python -m {module} --help` shows every option and its form.")
    except PrefectFailed as error:
        sys.exit(f"{error} [{Code.PREFECT_UNAVAILABLE}]")
    sys.exit(status)


def _reason(error: CycloptsError) -> str:
    """What is wrong with the command line, and the right form."""
    if isinstance(error, CoercionError) and error.token and (known := _form(error.target_type)):
        return f"{error.token.keyword} {known}, not {error.token.value!r}."
    if isinstance(error, MissingArgumentError) and error.argument and not error.keyword:
        name = error.argument.name.lstrip("-").upper().removesuffix("S")
        return f"{name}… is missing: name at least one."
    if isinstance(error, ConstraintError) and isinstance(error.__cause__, ValidationError) and error.argument:
        (wrong, *_) = error.__cause__.errors()
        return f"{error.argument.name} {form(wrong)}, not {wrong['input']!r}."
    return str(error)


def _form(kind: object) -> str | None:
    return next((FORMS[one] for one in (kind, *get_args(kind)) if one in FORMS), None)
