"""What a run logs: progress at INFO, and an expected failure as one ERROR record, its message.

Prefect logs a traceback for each task that fails and two for each flow that returns a Failed state
(3.9.1). Unexpected exceptions keep theirs.
"""

import logging
import re

from prefect.exceptions import FailedRun

from flows.deadline import OutOfTime
from pipeline.errors import Code, PipelineError

FINISHED = "Finished in state Failed"
LONGEST_PROGRESS = 200
"""Characters of a progress line that a message quotes."""
_EXPECTED = re.compile(rf"\[({'|'.join(Code)})\]|\b{OutOfTime.__name__}\b")


class _LastLine(logging.Handler):
    """Remembers the last line of progress."""

    text = ""

    def emit(self, record: logging.LogRecord) -> None:
        self.text = record.getMessage()[:LONGEST_PROGRESS]


_progress = _LastLine(logging.INFO)


def show_progress() -> None:
    """Makes what the packages log from INFO part of the run's logs; forgets the progress of earlier runs."""
    for name in ("flows", "pipeline"):
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        for handler in (*logging.getLogger("prefect.flow_runs").handlers, _progress):
            logger.addHandler(handler)
    _progress.text = ""
    logging.getLogger("prefect.SnowflakeConnector").setLevel(logging.WARNING)


def last_progress() -> str:
    """The last line that the packages have logged in this run."""
    return _progress.text


def log_one_error() -> None:
    """From now on an expected failure is one ERROR record, wherever the flow runs."""
    logging.getLogger("prefect.flow_runs").addFilter(_of_flow)
    logging.getLogger("prefect.task_runs").addFilter(_of_task)
    logging.getLogger("prefect.engine").addFilter(_of_engine)


def _of_flow(record: logging.LogRecord) -> bool:
    """The engine's record of a returned Failed state becomes its message; the one before is shortened."""
    if isinstance(error := _error(record), FailedRun):
        _reword(record, str(error))
    elif record.getMessage().startswith(FINISHED):
        _reword(record, FINISHED)
    return True


def _of_task(record: logging.LogRecord) -> bool:
    """A task's failure is progress: the flow says what it means for the run."""
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
