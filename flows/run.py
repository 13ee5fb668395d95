"""Identity, clock and final state of a run."""

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from inspect import signature
from time import perf_counter
from typing import ParamSpec, TypeVar, cast

from prefect import State, get_run_logger, runtime
from prefect.context import TaskRunContext
from prefect.states import Failed
from pydantic import ValidationError, validate_call

from flows.code_version import code_version
from flows.deadline import OutOfTime, run_deadline
from flows.logs import last_progress, log_one_error, show_progress
from flows.parameters import Limits, wrong_parameters
from flows.prefect_errors import prefect_errors
from pipeline.errors import Code, ConfigurationError, PipelineError, StopRun
from pipeline.log_filters import mask_secrets_in_logs
from pipeline.records import Run
from pipeline.usage import metered

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

SECONDS_PER_HOUR = 3600

MAX_SCHEDULE_DRIFT = timedelta(hours=12)
"""Maximum difference between scheduled and actual start, late or early; above it, a run is dated today."""
ONE_DAY = timedelta(days=1)


class Stopwatch:
    """Durations of a run's steps: seconds by step name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Measures a step."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = round(perf_counter() - start, 3)


def start_run(snapshot_date: date | None = None, *, fetches: bool = True) -> Run:
    """A run with a new run id; its snapshot date is the given one, the scheduled one, or today (UTC).

    Raises ConfigurationError if the run `fetches` and the given date is neither today nor yesterday (UTC).
    """
    now = datetime.now(UTC)
    if snapshot_date is None:
        snapshot_date = _date_of(now, runtime.flow_run.scheduled_start_time)
    elif fetches:
        _refuse_false_date(now, snapshot_date)
    return Run(
        run_id=f"{run_id_of(now)}-{secrets.token_hex(4)}",
        snapshot_date=snapshot_date,
        started_at=now,
        flow=runtime.flow_run.flow_name or "",
        code_version=code_version(),
        flow_run_id=runtime.flow_run.id,
    )


def run_id_of(moment: datetime) -> str:
    """Prefix of the ids of runs that start at a moment. Run ids sort by start time."""
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _date_of(now: datetime, scheduled: datetime | None) -> date:
    if scheduled is None:
        return now.date()
    # Prefect's own time type becomes a plain date.
    day = datetime.fromtimestamp(scheduled.timestamp(), UTC).date()
    if abs(now - scheduled) > MAX_SCHEDULE_DRIFT:
        drift = "starts more than 12 hours before or after that time"
    elif day > now.date():
        drift = "starts before that day"  # no snapshot may have a future date
    else:
        return day
    log.warning(
        "This run was scheduled for %s and %s: its snapshots get today's date, %s",
        scheduled,
        drift,
        now.date(),
    )
    return now.date()


def _refuse_false_date(now: datetime, snapshot_date: date) -> None:
    """Raises ConfigurationError unless the date is today or yesterday: Spotify has no history API.

    Yesterday is accepted for a run that starts late.
    """
    today = now.date()
    if snapshot_date in (today, today - ONE_DAY):
        return
    message = (
        f"snapshot_date {snapshot_date} was refused: Spotify returns playlists only as they are now, "
        f"{today} (UTC). Nothing was requested or written. Use {today} or {today - ONE_DAY}, or leave it "
        "empty; to publish kept snapshots of other dates, run backfill-playlists"
    )
    raise ConfigurationError(message, Code.SNAPSHOT_DATE_REFUSED)


def ends_failed(flow_function: Callable[P, T]) -> Callable[P, "T | State[None]"]:
    """Decorator of flows: an expected error becomes a Failed state with the error's message.

    Expected errors are PipelineErrors, wrong parameters, and the deadline, `limits.max_hours` of the flow.
    """
    mask_secrets_in_logs()
    log_one_error()

    @wraps(flow_function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> T:
        hours = cast("Limits", kwargs.get("limits", Limits())).max_hours
        try:
            with metered(), run_deadline(hours * SECONDS_PER_HOUR, _current_step), prefect_errors():
                return flow_function(*args, **kwargs)
        except OutOfTime as error:
            raise StopRun(_deadline_message(hours, error), Code.RUN_DEADLINE) from error

    checked = validate_call(limited)

    @wraps(flow_function)
    def ended(*args: P.args, **kwargs: P.kwargs) -> "T | State[None]":
        show_progress()
        try:
            return checked(*args, **kwargs)
        except ValidationError as error:
            message = _parameters_message(error, list(signature(flow_function).parameters))
            return Failed(message=str(ConfigurationError(message, Code.PARAMETER_INVALID)))
        except PipelineError as error:
            get_run_logger().debug("Expected error:", exc_info=error)
            return Failed(message=str(error))

    return ended


def _current_step() -> str:
    """The current task, and the last progress line."""
    context = TaskRunContext.get()
    step = f"task {context.task.name}" if context else "the flow"
    return f"{step} ({last_progress() or 'no progress yet'})"


def _deadline_message(hours: float, error: OutOfTime) -> str:
    return (
        f"The run was stopped after max_hours={hours:g}, in {error.where}. {error.outcome}. "
        "Run again; if the services responded, with a larger max_hours"
    )


def _parameters_message(error: ValidationError, names: list[str]) -> str:
    found = "; ".join(wrong_parameters(error, names))
    return f"The run's parameters are wrong: {found}. Nothing was requested"
