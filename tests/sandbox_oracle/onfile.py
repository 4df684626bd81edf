"""Onfile itself, in this process: its web application, a worker's rounds, a real store."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from service.drop import Drop
from service.log import event_log
from service.projection import Projection
from service.sandbox.oracle import Seen
from service.settings import Settings
from service.signature import sign
from service.web.app import create_app
from tests.asgi import request, running
from workers import rounds
from workers.lines import CONSUMER
from workers.operators.timelines import opened_when_asked

if TYPE_CHECKING:
    import redis
    from starlette.applications import Starlette

    from tests.conftest import Store

API_KEY = "sk_test_sandbox_oracle_0123456789"
SECRET = "whsec_sandbox_oracle"


class Onfile:
    """The whole service without its sockets; only the store is another process."""

    def __init__(
        self, app: "Starlette", client: "redis.Redis", runner: asyncio.Runner, drop: Drop
    ) -> None:
        self.app = app
        self._client = client
        self._projection = Projection(client, drop)
        self._runner = runner

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
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        answer = await request(self.app, method, path, query.encode(), sent, body)
        named = {name.decode(): value.decode() for name, value in answer.headers.items()}
        return Seen(answer.status, named, answer.body)


@contextmanager
def onfile_on(store: "Store", drop_fields: tuple[str, ...] = ()) -> Iterator[Onfile]:
    """Run Onfile over this store until the block is left."""
    settings = Settings(
        redis_url=store.url,
        webhook_secrets=(SECRET,),
        api_keys=(API_KEY,),
        drop_fields=drop_fields,
    )
    app = create_app(settings, opened_when_asked(settings))
    with store.client() as client, running(app) as runner:
        yield Onfile(app, client, runner, Drop(drop_fields))
