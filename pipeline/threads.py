"""Threads that wait for services: none of them keeps the process from exiting."""

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
    """Work did not end in time."""


class DaemonPool(Executor):
    """A pool of daemon threads: the interpreter joins those of ThreadPoolExecutor, even if one hangs."""

    def __init__(self, size: int) -> None:
        self._calls: SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = SimpleQueue()
        for _ in range(size):
            Thread(target=self._work, daemon=True).start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Runs a function in one of the threads, with the caller's context: Prefect's logs need it."""
        future: Future[T] = Future()
        context = copy_context()
        self._calls.put((future, lambda: context.run(fn, *args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 - the base class's signature
        """Cancels calls that have not started; running ones end by themselves, or with the process."""
        with suppress(Empty):
            while call := self._calls.get_nowait():
                call[0].cancel()
        self._calls.put(None)

    def _work(self) -> None:
        while call := self._calls.get():
            if call[0].set_running_or_notify_cancel():
                _settle(*call)
            del call  # its result must not live until the next call
        self._calls.put(None)  # for the next thread


@contextmanager
def threads() -> Iterator[Executor]:
    """A pool that is abandoned on leaving: a service that does not respond must not hold up SIGTERM."""
    pool = DaemonPool(THREADS)
    try:
        yield pool
    finally:
        pool.shutdown()


def within(seconds: float, work: Callable[[], T]) -> T:
    """What `work` returns or raises; raises Unfinished if that takes longer than `seconds`.

    For requests whose client has no total deadline: a response of one byte every ten seconds passes each
    read timeout. The work runs in a daemon thread, which is abandoned then. So this holds in every thread
    of the caller, and an alarm or SIGTERM in the main thread interrupts the wait.
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
    except BaseException as error:  # noqa: BLE001 - raised where the result is asked for
        future.set_exception(error)
    else:
        future.set_result(result)
