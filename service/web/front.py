"""The front: deliveries go straight to the webhook, and everything else to the routes.

The webhook answers its own errors. To look through the routes, and to be ready at each step for an
error to answer, took a twentieth of accepting an event.
"""

from typing import Any

from starlette.applications import Starlette
from starlette.types import ASGIApp, Receive, Scope, Send

WEBHOOK_PATH = "/webhooks/stripe"


class Front(Starlette):
    """Starlette's application with a door of its own for deliveries."""

    def __init__(self, *, webhook: ASGIApp, **kwargs: Any) -> None:  # noqa: ANN401 - Starlette's own
        super().__init__(**kwargs)
        self._webhook = webhook

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one of the two answer; what is no POST is refused by the route of that path."""
        if scope.get("path") == WEBHOOK_PATH and scope["method"] == "POST":
            await self._webhook(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)
