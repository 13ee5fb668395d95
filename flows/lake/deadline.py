"""Total deadline of a request: a response that trickles defeats every timeout between two bytes."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

T = TypeVar("T")


class Late(Exception):
    """The request did not end within its deadline."""


def within(seconds: float, request: Callable[[], T]) -> T:
    """The result of a request that runs in a thread of its own; raises Late after so many seconds.

    A late request is left behind. Its thread is a daemon, so that it keeps no process alive.
    """
    future: Future[T] = Future()
    Thread(target=_settle, args=(future, request), name="request", daemon=True).start()
    try:
        return future.result(seconds)
    except TimeoutError:
        if future.done():
            raise
        raise Late from None


def _settle(future: Future[T], request: Callable[[], T]) -> None:
    try:
        future.set_result(request())
    except BaseException as error:  # noqa: BLE001 - raised again where the request was started
        future.set_exception(error)
