"""Delivery: takes what is due out of the outbox, sends it, and notes what came of it.

Runs on one event loop; only the sending itself happens in threads.
"""

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Self

import structlog

from service.sandbox.clock import Clock, SystemClock
from service.sandbox.endpoints import Endpoint
from service.sandbox.errors import Json
from service.sandbox.outbox import FIRST_RETRY_SECONDS, Outbox, Tally, Try
from service.sandbox.postman import Postman
from service.sandbox.stripe import Stripe
from service.sandbox.weather import Weather

log = structlog.get_logger()

AT_ONCE = 16
"""Deliveries under way at a time."""

ACCEPTED = range(200, 300)
CLEAR = Weather()


class Delivery:
    """The way of a Stripe's events to its endpoints; use it as an async context manager."""

    def __init__(  # noqa: PLR0913 (all but the first two have a default that serves)
        self,
        stripe: Stripe,
        endpoints: Sequence[Endpoint],
        *,
        weather: Weather = CLEAR,
        clock: Clock | None = None,
        first_retry_seconds: float = FIRST_RETRY_SECONDS,
        postman: Postman | None = None,
    ) -> None:
        stripe.endpoints = len(endpoints)
        self.weather = weather
        self._stripe = stripe
        self._clock = clock or SystemClock()
        self._outbox = Outbox(endpoints, weather, first_retry_seconds=first_retry_seconds)
        self._postman = postman or Postman()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="delivery")
        self._under_way: set[asyncio.Task[None]] = set()
        self._free = asyncio.Semaphore(AT_ONCE)
        self._news = asyncio.Event()
        self._settled = asyncio.Event()
        self._settled.set()

    @property
    def open(self) -> int:
        """How many tries are still to come or under way; a given-up event has none."""
        return self._outbox.open

    @property
    def tally(self) -> Tally:
        """What has come of the deliveries so far."""
        return self._outbox.tally

    async def __aenter__(self) -> Self:
        """Begin to send."""
        self._pump = asyncio.create_task(self._run())
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stop sending; what is under way is waited for, what is still to come is dropped."""
        self._pump.cancel()
        await asyncio.gather(self._pump, *self._under_way, return_exceptions=True)
        self._threads.shutdown()
        self._postman.close()

    def post(self, events: Iterable[Json]) -> None:
        """Take events in, to be delivered to every endpoint."""
        for event in events:
            self._outbox.post(event, now=self._clock.now())
        if self._outbox.open:
            self._settled.clear()
            self._news.set()

    async def settled(self, seconds: float | None = None) -> bool:
        """Wait until every event has been delivered or given up; False if time ran out before."""
        try:
            await asyncio.wait_for(self._settled.wait(), seconds)
        except TimeoutError:
            return False
        return True

    async def _run(self) -> None:
        while True:
            self._news.clear()
            for each in self._outbox.due(self._clock.now()):
                await self._free.acquire()
                task = asyncio.create_task(self._send(each))
                self._under_way.add(task)
                task.add_done_callback(self._under_way.discard)
            due = self._outbox.next_due
            pause = None if due is None else max(0.0, due - self._clock.now())
            try:
                await asyncio.wait_for(self._news.wait(), pause)
            except TimeoutError:
                continue

    async def _send(self, each: Try) -> None:
        endpoint = self._outbox.endpoints[each.endpoint]
        send = partial(self._postman.deliver, endpoint, each.body, now=self._clock.now())
        try:
            status = await asyncio.get_running_loop().run_in_executor(self._threads, send)
        finally:
            self._free.release()
        if status in ACCEPTED:
            if self._outbox.taken(each):
                self._stripe.delivered(each.event_id)
        else:
            self._outbox.refused(each, now=self._clock.now())
            log.info(
                "delivery.refused",
                endpoint=endpoint.url,
                event_id=each.event_id,
                status=status or None,
            )
        if not self._outbox.open:
            self._settled.set()
        self._news.set()
