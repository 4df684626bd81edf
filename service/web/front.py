"""The front: deliveries go straight to the webhook, and everything else to the routes.

The webhook answers its own refusals. To look through the routes, and to be ready at each step for
one of theirs, took a twentieth of accepting an event.
"""

from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from service.web import errors

if TYPE_CHECKING:
    from service.web.webhook import Webhook

WEBHOOK_PATH = "/webhooks/stripe"


class Front(Starlette):
    """Starlette's application with a door of its own for deliveries."""

    def __init__(self, *, webhook: "Webhook", **kwargs: Any) -> None:  # noqa: ANN401 - Starlette's own
        super().__init__(**kwargs)
        self._webhook = webhook

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one of the two answer; what is no POST is refused by the route of that path."""
        if scope.get("path") == WEBHOOK_PATH and scope["method"] == "POST":
            try:
                await self._webhook(scope, receive, send)
            except Exception as error:  # as Starlette does: answered, and the server logs it
                response = await errors.bug(Request(scope), error)
                await response(scope, receive, send)
                raise
        else:
            await super().__call__(scope, receive, send)
