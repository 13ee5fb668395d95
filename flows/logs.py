"""Logs of a run: progress at INFO, and an expected error as one ERROR record without a traceback.

Prefect 3.9.1 logs a traceback for each failed task, and two for each flow that returns a Failed state.
Unexpected exceptions keep their tracebacks.
"""

import logging
import re

from prefect.exceptions import FailedRun

from flows.deadline import OutOfTime
from pipeline.errors import Code, PipelineError

FINISHED = "Finished in state Failed"
MAX_PROGRESS_CHARACTERS = 200
"""Characters of a progress line that an error message quotes."""
_EXPECTED = re.compile(rf"\[({'|'.join(Code)})\]|\b{OutOfTime.__name__}\b")


class _LastLine(logging.Handler):
    """Stores the last progress line."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()[:MAX_PROGRESS_CHARACTERS]


_progress = _LastLine(logging.INFO)


def show_progress() -> None:
    """Sends INFO records of `flows` and `pipeline` to the run's logs; clears the progress of earlier runs."""
    for name in ("flows", "pipeline"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        for handler in (*logging.getLogger("prefect.flow_runs").handlers, _progress):
            logger.addHandler(handler)
    _progress.text = ""
    logging.getLogger("prefect.SnowflakeConnector").setLevel(logging.WARNING)


def last_progress() -> str:
    """The last line that `flows` or `pipeline` logged in this run."""
    return _progress.text


def log_one_error() -> None:
    """Filters Prefect's loggers: an expected error is logged as one ERROR record."""
    logging.getLogger("prefect.flow_runs").addFilter(_of_flow)
    logging.getLogger("prefect.task_runs").addFilter(_of_task)
    logging.getLogger("prefect.engine").addFilter(_of_engine)


def _of_flow(record: logging.LogRecord) -> bool:
    """Reduces Prefect's traceback of a Failed state to its message, and shortens the record before it."""
    if isinstance(error := _error(record), FailedRun):
        _reword(record, str(error))
    elif record.getMessage().startswith(FINISHED):
        _reword(record, FINISHED)
    return True


def _of_task(record: logging.LogRecord) -> bool:
    """Logs a task's expected error at INFO: the flow logs the one ERROR, with the effect on the run."""
    text = record.getMessage()
    expected = isinstance(_error(record), PipelineError) or _EXPECTED.search(text)
    if expected and record.levelno >= logging.ERROR:
        record.levelno, record.levelname = logging.INFO, logging.getLevelName(logging.INFO)
        _reword(record, re.split(r"[:(]", text)[0])
    return True


def _of_engine(record: logging.LogRecord) -> bool:
    return not isinstance(_error(record), FailedRun)


def _error(record: logging.LogRecord) -> BaseException | None:
    return record.exc_info[1] if record.exc_info else None


def _reword(record: logging.LogRecord, text: str) -> None:
    record.msg, record.args, record.exc_info = text, (), None
