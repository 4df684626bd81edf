"""The front: deliveries go straight to the webhook, and everything else to the routes.

The webhook answers its own errors. To look through the routes, and to be ready at each step for an
error to answer, took a twentieth of accepting an event.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

WEBHOOK_PATH = "/webhooks/stripe"


class Front:
    """A middleware inside the one that answers for bugs, and outside of all others."""

    def __init__(self, app: ASGIApp, *, webhook: ASGIApp) -> None:
        self._app = app
        self._webhook = webhook

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one of the two answer; what is no POST is refused by the route of that path."""
        straight = scope["type"] == "http" and scope["path"] == WEBHOOK_PATH
        if straight and scope["method"] == "POST":
            await self._webhook(scope, receive, send)
        else:
            await self._app(scope, receive, send)
