"""Identity and clock of a run, and how a flow ends."""

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
"""A run that starts further than this from its schedule, late or brought forward, is dated by its fetch."""
ONE_DAY = timedelta(days=1)


class Stopwatch:
    """How long each step of a run took, in seconds, by its name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Notes the duration of a step."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = round(perf_counter() - start, 3)


def start_run(snapshot_date: date | None = None, *, fetches: bool = True) -> Run:
    """A new run id, and the date that the run stands for: as given, as scheduled, or today (UTC).

    Raises ConfigurationError if the run `fetches` and a given date is neither today (UTC) nor yesterday.
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
    """How the ids of runs that start at a moment begin; they sort by time."""
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _date_of(now: datetime, scheduled: datetime | None) -> date:
    if scheduled is None:
        return now.date()
    # Prefect's times are pendulum's; a plain date is what everything else understands.
    day = datetime.fromtimestamp(scheduled.timestamp(), UTC).date()
    if abs(now - scheduled) > MAX_SCHEDULE_DRIFT:
        drift = "starts more than 12 hours from then"
    elif day > now.date():
        drift = "starts before that day"  # brought forward: no snapshot stands for a day to come
    else:
        return day
    log.warning(
        "This run was scheduled for %s and %s: what it fetches is dated today, %s",
        scheduled,
        drift,
        now.date(),
    )
    return now.date()


def _refuse_false_date(now: datetime, snapshot_date: date) -> None:
    """Spotify shows only the present: it may stand for the day before, if a run starts late, for no other."""
    today = now.date()
    if snapshot_date in (today, today - ONE_DAY):
        return
    message = (
        f"snapshot_date {snapshot_date} was refused: Spotify shows playlists only as they are now, "
        f"{today} (UTC). Nothing was requested or written. Use {today} or {today - ONE_DAY}, or leave it "
        "out; to publish kept snapshots of other days, run backfill-playlists"
    )
    raise ConfigurationError(message, Code.SNAPSHOT_DATE_REFUSED)


def ends_failed(flow_function: Callable[P, T]) -> Callable[P, "T | State[None]"]:
    """Turns an expected error into a Failed state with its message, wrong parameters included.

    So does the deadline, `limits.max_hours` of the flow: it covers whatever the main thread waits for.
    """
    mask_secrets_in_logs()
    log_one_error()

    @wraps(flow_function)
    def limited(*args: P.args, **kwargs: P.kwargs) -> T:
        hours = cast("Limits", kwargs.get("limits", Limits())).max_hours
        try:
            with metered(), run_deadline(hours * SECONDS_PER_HOUR, _where), prefect_errors():
                return flow_function(*args, **kwargs)
        except OutOfTime as cut:
            raise StopRun(_late(hours, cut), Code.RUN_DEADLINE) from cut

    checked = validate_call(limited)

    @wraps(flow_function)
    def ended(*args: P.args, **kwargs: P.kwargs) -> "T | State[None]":
        show_progress()
        try:
            return checked(*args, **kwargs)
        except ValidationError as error:
            wrong = _wrong(error, list(signature(flow_function).parameters))
            return Failed(message=str(ConfigurationError(wrong, Code.PARAMETER_INVALID)))
        except PipelineError as error:
            get_run_logger().debug("Expected error:", exc_info=error)
            return Failed(message=str(error))

    return ended


def _where() -> str:
    """What the run is doing: its task, and the last line of progress."""
    context = TaskRunContext.get()
    step = f"task {context.task.name}" if context else "the flow"
    return f"{step} ({last_progress() or 'no progress yet'})"


def _late(hours: float, cut: OutOfTime) -> str:
    return (
        f"The run was stopped after max_hours={hours:g}, in {cut.where}. {cut.outcome}. "
        "Run again; if the services responded, with a larger max_hours"
    )


def _wrong(error: ValidationError, names: list[str]) -> str:
    found = "; ".join(wrong_parameters(error, names))
    return f"The run's parameters are wrong: {found}. Nothing was requested"
