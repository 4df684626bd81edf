"""The sandbox as a developer meets it: over HTTP, by Stripe's own client, on a real socket."""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
import stripe as official
import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from service.sandbox.app import create_app
from service.sandbox.clock import ManualClock
from service.sandbox.delivery import CLEAR, Delivery
from service.sandbox.endpoints import Endpoint
from service.sandbox.stripe import Answer, Stripe
from service.sandbox.weather import Weather
from tests.service.sandbox.stripe_schemas import judge

KEY = "sk_test_sandbox_tests_0123456789"
SECRET = "whsec_sandbox_tests"
START = 1_652_289_172
PATIENCE_SECONDS = 20


class Received(NamedTuple):
    """One delivery as an endpoint sees it."""

    body: bytes
    signature: str
    content_type: str


class Receiver:
    """A webhook endpoint of ours on a real socket; it answers what it is told to."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.answers: list[int] = []
        """Statuses for the next deliveries; when there are none left, 200."""
        self.hang_up_after_answering = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signature = self.headers["Stripe-Signature"]
                outer.received.append(Received(body, signature, self.headers["Content-Type"]))
                self.send_response(outer.answers.pop(0) if outer.answers else 200)
                self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()
                self.close_connection = outer.hang_up_after_answering

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/webhooks/stripe?a=b"

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Server:
    """A web server on a port of its own; its application may be exchanged while it runs."""

    def __init__(self, app: ASGIApp | None = None) -> None:
        self.app = app
        listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        config = uvicorn.Config(
            app or self._forward,
            interface="asgi3",
            lifespan="on" if app else "off",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [listener]})
        self._thread.start()

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join()

    async def _forward(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app
        await self.app(scope, receive, send)


class Sandbox:
    """A running sandbox, and a client of it."""

    def __init__(self, stripe: Stripe, delivery: Delivery, url: str) -> None:
        self.stripe = stripe
        self.delivery = delivery
        self.url = url
        self.client = official.StripeClient(KEY, base_addresses={"api": url}, max_network_retries=0)
        self.raw = self.client.raw_request

    def fetch(self, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
        """Return status, headers and body of a request as curl would send it."""
        connection = http.client.HTTPConnection(self.url.removeprefix("http://"))
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST" if body else "GET", path, body, named)
        answer = connection.getresponse()
        got = answer.status, answer.headers, answer.read()
        connection.close()
        return got

    def events(self) -> list[str]:
        """The types of everything told so far, in Stripe's order."""
        return [event["type"] for event in self.stripe.events]

    def settle(self) -> None:
        """Wait until nothing is left to deliver."""
        give_up = time.monotonic() + PATIENCE_SECONDS
        while self.delivery.open:
            assert time.monotonic() < give_up, self.delivery.tally
            time.sleep(0.005)


@pytest.fixture
def clock() -> ManualClock:
    """A clock that only the test moves: what it does not move shares one second."""
    return ManualClock(START)


class Judged(Stripe):
    """A sandbox whose every answer and event is held against Stripe's published schemas."""

    def call(self, *asked: Any, **more: Any) -> Answer:
        answer = super().call(*asked, **more)
        judge(answer.body)
        for event in answer.events:
            judge(event)
        return answer


@pytest.fixture
def account(clock: ManualClock) -> Stripe:
    """Stripe without a network."""
    return Judged(clock=clock, seed=1)


@pytest.fixture
def call(account: Stripe) -> Callable[..., Answer]:
    """A request that must succeed."""

    def ask(method: str, path: str, parameters: Any = None, **more: str) -> Answer:
        answer = account.call(method, path, parameters, **more)
        assert answer.status == 200, answer.body
        return answer

    return ask


@pytest.fixture(scope="session")
def one_server() -> Iterator[Server]:
    """A server for all sandboxes that deliver to nobody: starting one takes a while."""
    server = Server()
    yield server
    server.close()


@pytest.fixture
def sandbox(account: Stripe, one_server: Server) -> Sandbox:
    """A running sandbox that delivers to nobody."""
    delivery = Delivery(account, [])
    one_server.app = create_app(account, delivery)
    return Sandbox(account, delivery, one_server.url)


@pytest.fixture
def client(sandbox: Sandbox) -> official.StripeClient:
    """Stripe's own client of it."""
    return sandbox.client


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A webhook endpoint."""
    one = Receiver()
    yield one
    one.close()


@pytest.fixture
def delivering(receiver: Receiver) -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes that deliver to the receiver, in any weather."""
    servers: list[Server] = []

    def start(*more: Endpoint, weather: Weather = CLEAR, retry: float = 0.02) -> Sandbox:
        stripe = Judged(seed=1)
        endpoints = [Endpoint(receiver.url, (SECRET,)), *more]
        delivery = Delivery(stripe, endpoints, weather=weather, first_retry_seconds=retry)
        servers.append(Server(create_app(stripe, delivery)))
        return Sandbox(stripe, delivery, servers[-1].url)

    yield start
    for each in servers:
        each.close()
