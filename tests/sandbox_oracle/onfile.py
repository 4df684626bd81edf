"""Onfile itself, in this process: its web application, a worker's rounds, a real store."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from service import event_log
from service.projection import Projection
from service.sandbox.oracle import Seen
from service.settings import Settings
from service.signature import sign
from service.web.app import create_app
from workers import rounds
from workers.lines import CONSUMER
from workers.operators.timelines import opened_when_asked

if TYPE_CHECKING:
    import redis
    from starlette.types import Message

    from tests.conftest import Store

API_KEY = "sk_test_sandbox_oracle_0123456789"
SECRET = "whsec_sandbox_oracle"


class Onfile:
    """The whole service without its sockets; only the store is another process."""

    def __init__(self, store: "Store", client: "redis.Redis", runner: asyncio.Runner) -> None:
        self._client = client
        self._projection = Projection(client)
        self._runner = runner
        settings = Settings(redis_url=store.url, webhook_secrets=(SECRET,), api_keys=(API_KEY,))
        self.app = create_app(settings, opened_when_asked(settings))

    def forget(self) -> None:
        """Begin anew with an empty store."""
        self._client.flushall()

    def receive(self, bodies: Sequence[bytes]) -> None:
        """Let these deliveries come in at the same time; each must be accepted."""
        seen = self._runner.run(self._receive(bodies))
        assert {each.status for each in seen} <= {200}

    def apply(self, most: int, *, times: int = 1) -> None:
        """Let a worker apply the next pending events; more than once, as a killed one would."""
        entries = event_log.claim_new(self._client, CONSUMER, most)
        for _ in range(times):
            assert not rounds.run(self._projection, entries).failed
        event_log.acknowledge(self._client, [entry.entry_id for entry in entries])

    def ask(self, questions: Sequence[str]) -> dict[str, Seen]:
        """Put all these questions at the same time."""
        return dict(zip(questions, self._runner.run(self._ask(questions)), strict=True))

    async def _receive(self, bodies: Sequence[bytes]) -> list[Seen]:
        return await asyncio.gather(*map(self._deliver, bodies))

    async def _ask(self, questions: Sequence[str]) -> list[Seen]:
        key = {"authorization": f"Bearer {API_KEY}"}
        return await asyncio.gather(*(self._request("GET", each, key) for each in questions))

    async def _deliver(self, body: bytes) -> Seen:
        signature = sign(body, SECRET, now=time.time())
        headers = {"stripe-signature": signature, "content-length": str(len(body))}
        return await self._request("POST", "/webhooks/stripe", headers, body)

    async def _request(
        self, method: str, question: str, headers: dict[str, str], body: bytes = b""
    ) -> Seen:
        path, _, query = question.partition("?")
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        answer: list[Message] = []

        async def receive() -> "Message":
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: "Message") -> None:
            answer.append(message)

        await self.app(scope, receive, send)
        start, *rest = answer
        named = {name.decode(): value.decode() for name, value in start["headers"]}
        return Seen(start["status"], named, b"".join(part["body"] for part in rest))


@contextmanager
def onfile_on(store: "Store") -> Iterator[Onfile]:
    """Run Onfile over this store until the block is left."""
    with asyncio.Runner() as runner, store.client() as client:
        onfile = Onfile(store, client, runner)
        lifespan = onfile.app.router.lifespan_context(onfile.app)
        runner.run(lifespan.__aenter__())
        yield onfile
        runner.run(lifespan.__aexit__(None, None, None))
