"""Interrupts a command at a chosen write call of one of the three clients."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from prefect.client.base import PrefectHttpxAsyncClient, PrefectHttpxSyncClient
from snowflake.connector.cursor import SnowflakeCursor
from snowflake.connector.errors import ProgrammingError

READS = ("SHOW", "DESC", "USE", "SELECT", "Get", "List", "Describe", "Head", "GET")


class Killed(BaseException):
    """Simulates a killed process. Every later call raises it too, so `finally` blocks have no effect."""


class Interruption:
    """Allows a number of write calls, then refuses the next one or, with `kills`, kills after the last one.

    `at`: kills after this call, independent of the number. `writes`: the calls made so far.
    """

    def __init__(self, allowed: int | None = None, *, kills: bool = False, at: str = "") -> None:
        self.allowed, self.kills, self.at = allowed, kills or bool(at), at
        self.writes: list[str] = []
        self.is_over = False

    def before(self, call: str, refusal: Callable[[], Exception]) -> None:
        """Raises in place of a call that is not allowed."""
        if self.is_over and self.kills:
            raise Killed
        if _writes(call) and not self.kills and len(self.writes) == self.allowed:
            self.is_over = True
            raise refusal()

    def after(self, call: str) -> None:
        """Counts a write call; raises Killed after the last allowed one."""
        if _writes(call):
            self.writes.append(call)
            if self.kills and (len(self.writes) == self.allowed or call == self.at):
                self.is_over = True
                raise Killed


def _writes(call: str) -> bool:
    return not call.startswith(READS) and "/filter " not in call


def _name(request: httpx.Request) -> str:
    """Method, path and start of the body, because blocks are written to the same path."""
    return f"{request.method} {request.url.path} {request.content.decode()[:60]}"


@contextmanager
def interrupted(by: Interruption) -> Iterator[None]:
    """Applies the interruption to all calls of the three clients."""
    make_api_call = BaseClient._make_api_call  # type: ignore[attr-defined]  # noqa: SLF001 - below all clients
    execute = SnowflakeCursor.execute
    send, send_async = PrefectHttpxSyncClient.send, PrefectHttpxAsyncClient.send

    def call_aws(self: Any, operation: str, parameters: Any) -> Any:
        by.before(operation, lambda: ClientError({"Error": {"Code": "AccessDenied"}}, operation))
        response = make_api_call(self, operation, parameters)
        by.after(operation)
        return response

    def call_snowflake(self: Any, command: str, *args: Any, **kwargs: Any) -> Any:
        by.before(command, lambda: ProgrammingError(msg="refused", errno=3001, sqlstate="42501"))
        response = execute(self, command, *args, **kwargs)
        by.after(command)
        return response

    def call_prefect(self: Any, request: httpx.Request, *args: Any, **kwargs: Any) -> Any:
        name = _name(request)
        by.before(name, lambda: httpx.ConnectError("refused", request=request))
        response = send(self, request, *args, **kwargs)
        by.after(name)
        return response

    async def call_prefect_async(self: Any, request: httpx.Request, *args: Any, **kwargs: Any) -> Any:
        name = _name(request)
        by.before(name, lambda: httpx.ConnectError("refused", request=request))
        response = await send_async(self, request, *args, **kwargs)
        by.after(name)
        return response

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(BaseClient, "_make_api_call", call_aws)
        patched.setattr(SnowflakeCursor, "execute", call_snowflake)
        patched.setattr(PrefectHttpxSyncClient, "send", call_prefect)
        patched.setattr(PrefectHttpxAsyncClient, "send", call_prefect_async)
        yield
