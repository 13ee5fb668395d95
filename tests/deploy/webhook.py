"""A webhook that receives notifications, and the notification block for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from prefect.blocks.notifications import CustomWebhookNotificationBlock
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.serving import running

BLOCK = "custom-webhook/received"


@contextmanager
def webhook() -> Iterator[list[dict[str, str]]]:
    """Yields the notifications received so far, with subject and body; saves the block BLOCK."""
    received: list[dict[str, str]] = []

    async def receive(request: Request) -> Response:
        received.append(await request.json())
        return Response()

    with running(Starlette(routes=[Route("/", receive, methods=["POST"])])) as url:
        kind: Any = CustomWebhookNotificationBlock
        block = kind(name="received", url=url, json_data={"subject": "{{subject}}", "body": "{{body}}"})
        block.save("received", overwrite=True)
        yield received
