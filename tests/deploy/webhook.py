"""Where word of automations goes: a notification block, and what has come."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.serving import running

BLOCK = "custom-webhook/told"


@contextmanager
def webhook() -> Iterator[list[dict[str, str]]]:
    """Subject and body of each message that is sent by means of the block."""
    received: list[dict[str, str]] = []

    async def receive(request: Request) -> Response:
        received.append(await request.json())
        return Response()

    with running(Starlette(routes=[Route("/", receive, methods=["POST"])])) as url:
        kind: Any = CustomWebhookNotificationBlock
        block = kind(name="told", url=url, json_data={"subject": "{{subject}}", "body": "{{body}}"})
        block.save("told", overwrite=True)
        yield received
