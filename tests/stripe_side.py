"""Stripe's side of a test: a sandbox on a real socket, whose events the test delivers or loses."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from service.sandbox.app import create_app
from service.sandbox.clock import ManualClock
from service.sandbox.delivery import Delivery
from service.sandbox.oracle import Compared, Seen, compare, questions
from service.sandbox.stripe import Stripe
from service.sandbox.traffic import Traffic
from tests.service.sandbox.conftest import Server

KEY = "rk_test_stripe_side_0123456789"
PAST_SECONDS = 3600


class LiveClock(ManualClock):
    """Stands an hour ago, where a test moves it, until it is let go; then it is the machine's."""

    def __init__(self) -> None:
        super().__init__(int(time.time()) - PAST_SECONDS)
        self.live = False

    def now(self) -> float:
        return time.time() if self.live else super().now()


class StripeSide:
    """A Stripe over HTTP that can be told to say that there were too many requests."""

    def __init__(self) -> None:
        self.clock = LiveClock()
        self.stripe = Stripe(clock=self.clock, seed=1)
        self.traffic = Traffic(self.stripe, self.clock, 1)
        self.asked: list[str] = []
        """The path of every request, refused ones too."""
        self.refusals: list[tuple[int, dict[str, str]]] = []
        """Status and headers of the next answers; when there are none left, Stripe answers."""
        self.answers: dict[str, Any] = {}
        """What is answered to these paths, whatever Stripe would."""
        self._app = create_app(self.stripe, Delivery(self.stripe, []))
        self._server = Server()
        self._server.app = self._serve
        self.url = self._server.url

    def environ(self, **more: str) -> dict[str, str]:
        """Return what sends Onfile here."""
        return {"STRIPE_API_KEY": KEY, "ONFILE_STRIPE_URL": self.url, **more}

    def close(self) -> None:
        self._server.close()

    def create(self, **details: Any) -> str:
        """Make a customer and return its id."""
        return str(self.call("POST", "/v1/customers", **details)["id"])

    def call(self, method: str, path: str, **parameters: Any) -> Any:
        """Do something at Stripe and return its answer."""
        answer = self.stripe.call(method, path, parameters)
        assert answer.status == 200, answer.body
        return answer.body

    def customers(self) -> list[str]:
        """Return all customers, without the deleted ones, as Stripe lists them."""
        found: list[str] = []
        more = True
        while more:
            after = {"starting_after": found[-1]} if found else {}
            page = self.call("GET", "/v1/customers", limit=100, **after)
            found += [customer["id"] for customer in page["data"]]
            more = page["has_more"]
        return found

    def wrong(self, ask: Callable[[str], Any], customers: Sequence[str] = ()) -> list[Compared]:
        """Return the answers that are not Stripe's and do not say that events cannot tell.

        Asked is about these customers, or all that Stripe has, and the sources that they have.
        """
        owners = {
            source["id"]: customer
            for customer in customers or self.customers()
            for source in self.call("GET", f"/v1/customers/{customer}/sources", limit=100)["data"]
        }

        def seen(path: str) -> Seen:
            reply = ask(path)
            named = {name.lower(): value for name, value in reply.headers.items()}
            return Seen(reply.status, named, reply.body)

        asked = questions(customers or self.customers(), owners)
        return [one for path in asked if (one := compare(self.stripe, seen, path)).mismatch]

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked.append(scope["path"])
        app: Any = self._app
        if scope["path"] in self.answers:
            app = JSONResponse(self.answers[scope["path"]])
        if self.refusals:
            status, headers = self.refusals.pop(0)
            said = {"error": {"message": "Try later.", "type": "api_error"}}
            app = JSONResponse(said, status, headers)
        await app(scope, receive, send)


@contextmanager
def running() -> Iterator[StripeSide]:
    """Run one."""
    side = StripeSide()
    try:
        yield side
    finally:
        side.close()
