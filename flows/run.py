"""One run: its id, its date, and the only look at the clock."""

import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import wraps
from time import perf_counter
from typing import ParamSpec, TypeVar

from prefect import State, get_run_logger, runtime
from prefect.states import Failed

from flows import CODE_VERSION
from flows.errors import PipelineError, Transient
from flows.lake.layout import receipt_key
from flows.log_filters import mask_secrets_in_logs

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger(__name__)

FAR = timedelta(hours=12)
"""A run that starts further than this from its schedule, late or brought forward, is dated by its fetch."""


@dataclass(frozen=True)
class Run:
    """What every step needs to know of the run; `seconds` collects how long each took."""

    run_id: str
    snapshot_date: date
    started_at: datetime
    flow: str
    code_version: str = CODE_VERSION
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def receipt_key(self) -> str:
        """Where the receipt of the run lies."""
        return receipt_key(self.snapshot_date, self.run_id)

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Notes the duration of a step under its name."""
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[step] = round(perf_counter() - start, 3)


def start_run(snapshot_date: date | None = None) -> Run:
    """A new run id, and the date that the run stands for: as given, as scheduled, or today (UTC)."""
    _show_what_matters()
    now = datetime.now(UTC)
    return Run(
        run_id=f"{run_id_of(now)}-{secrets.token_hex(4)}",
        snapshot_date=snapshot_date or _date_of(now, runtime.flow_run.scheduled_start_time),
        started_at=now,
        flow=runtime.flow_run.flow_name or "",
    )


def run_id_of(moment: datetime) -> str:
    """How the ids of runs that start at a moment begin; they sort by time."""
    return f"{moment:%Y%m%dT%H%M%SZ}"


def _date_of(now: datetime, scheduled: datetime | None) -> date:
    if scheduled is None or abs(now - scheduled) <= FAR:
        # Prefect's times are pendulum's; a plain date is what everything else understands.
        return datetime.fromtimestamp((scheduled or now).timestamp(), UTC).date()
    log.warning(
        "This run was scheduled for %s and starts more than 12 hours from then: "
        "what it fetches is dated today, %s",
        scheduled,
        now.date(),
    )
    return now.date()


def ends_failed(flow_function: Callable[P, T]) -> Callable[P, "T | State[None]"]:
    """Turns an expected error into a Failed state with its message."""

    @wraps(flow_function)
    def ended(*args: P.args, **kwargs: P.kwargs) -> "T | State[None]":
        try:
            return flow_function(*args, **kwargs)
        except PipelineError as error:
            get_run_logger().debug("Expected error:", exc_info=error)
            return Failed(message=str(error))

    return ended


def is_transient(_task: object, _run: object, state: State[object]) -> bool:
    """Retry condition of the tasks: only what may pass by itself."""
    error = state.result(raise_on_failure=False)
    return isinstance(error, Transient)


def _show_what_matters() -> None:
    """Progress at INFO; the traceback of an expected error at DEBUG only, for its message says it all."""
    mask_secrets_in_logs()
    flows = logging.getLogger("flows")
    flows.setLevel(logging.INFO)
    for handler in logging.getLogger("prefect.flow_runs").handlers:
        flows.addHandler(handler)  # what the packages log is part of the run's logs
    logging.getLogger("prefect.SnowflakeConnector").setLevel(logging.WARNING)
    logging.getLogger("prefect.task_runs").addFilter(_without_traceback)


def _without_traceback(record: logging.LogRecord) -> bool:
    expected = record.exc_info and isinstance(record.exc_info[1], PipelineError)
    if expected and not logging.getLogger(record.name).isEnabledFor(logging.DEBUG):
        record.exc_info = None
    return True
