"""Daemon threads for requests to services: a blocked request does not keep the process from exiting."""

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, wait
from contextlib import contextmanager, suppress
from contextvars import copy_context
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

THREADS = 8


class Unfinished(Exception):
    """The work did not finish within its time limit."""


class DaemonPool(Executor):
    """A pool of daemon threads. At exit, the interpreter would join the threads of a ThreadPoolExecutor."""

    def __init__(self, size: int) -> None:
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        for _ in range(size):
            Thread(target=self._work, daemon=True).start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Runs a function in one of the threads, with the caller's context, which Prefect's loggers need."""
        future: Future[T] = Future()
        context = copy_context()
        self._calls.put((future, lambda: context.run(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - the base class's signature
        """Cancels calls that have not started. Running calls end when they return, or with the process."""
        with suppress(Empty):
            while call := self._calls.get_nowait():
                call[0].cancel()
        self._calls.put(None)

    def _work(self) -> None:
        while call := self._calls.get():
            if call[0].set_running_or_notify_cancel():
                _settle(*call)
            del call  # frees the result now, not at the next call
        self._calls.put(None)  # stops the next thread


@contextmanager
def threads() -> Iterator[Executor]:
    """A pool that is not joined at the end of the block: an unresponsive service must not delay the exit."""
    pool = DaemonPool(THREADS)
    try:
        yield pool
    finally:
        pool.shutdown()


def within(seconds: float, work: Callable[[], T]) -> T:
    """Returns or raises as `work` does; raises Unfinished if that takes longer than `seconds`.

    A total deadline for clients that have only read timeouts, which a response of one byte every ten seconds
    never exceeds. The work runs in a daemon thread, which is abandoned at the deadline. It can be called in
    any thread; in the main thread, an alarm or SIGTERM interrupts the wait.
    """
    future: Future[T] = Future()
    context = copy_context()
    Thread(target=_settle, args=(future, lambda: context.run(work)), daemon=True).start()
    if not wait([future], seconds).done:
        raise Unfinished
    return future.result()


def _settle(future: Future[T], work: Callable[[], T]) -> None:
    try:
        result = work()
    except BaseException as error:  # noqa: BLE001 - `result` raises it again
        future.set_exception(error)
    else:
        future.set_result(result)
