"""Read stored documents for many queries at once: one round trip a turn of the event loop.

A call of its own for every query costs more than half of the throughput, and some hundred queries
at a time would need as many connections.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from typing import Any, TypeAlias, cast

from redis.asyncio import Redis, RedisCluster

from service.documents import opened
from service.stores import AWAY, STORE_TIMEOUT_SECONDS, StoreAwayError

MAX_KEYS_A_READ = 500
"""A read of this many documents takes the store a millisecond or so; others wait behind it."""

FindStore: TypeAlias = Callable[[], Awaitable[Redis | RedisCluster]]
Values: TypeAlias = Sequence[bytes | None]


class ProjectionReads:
    """Coalesced reads of the projection, for one event loop.

    One is on its way at a time and takes along all that was asked since the one before; to have
    two or four on their way was measured and was slower.
    """

    def __init__(self, find: FindStore, *, timeout: float = STORE_TIMEOUT_SECONDS) -> None:
        self._find = find
        self._timeout = timeout
        self._turn = asyncio.Lock()
        self._next: _Read | None = None

    async def get(self, key: str) -> bytes | None:
        """Return the document stored under the key, opened; None when nothing is.

        Raises StoreAwayError when the store does not answer within the timeout.
        """
        read = self._next
        if read is None or read.task.done() or len(read.keys) == MAX_KEYS_A_READ:
            read = self._next = _Read(self._fetch)
        place = len(read.keys)
        read.keys.append(key)
        await read.arrival()
        try:
            value = read.task.result()[place]
        except AWAY as error:
            raise StoreAwayError(str(error)) from error
        return value and opened(key, value)

    async def _fetch(self, read: "_Read") -> Values:
        """Wait for the turn, taking on more keys meanwhile, and read them all."""
        async with asyncio.timeout(self._timeout), self._turn:
            if self._next is read:
                self._next = None
            store = await self._find()
            if isinstance(store, RedisCluster):
                return await _fetch_from_cluster(store, read.keys)
            return cast("Values", await store.mget(read.keys))


class _Read:
    """Keys that go out together, and who waits for what comes back."""

    def __init__(self, fetch: Callable[["_Read"], Coroutine[Any, Any, Values]]) -> None:
        self.keys: list[str] = []
        self.task = asyncio.create_task(fetch(self))
        self.task.add_done_callback(self._wake)
        self._loop = asyncio.get_running_loop()
        self._waiting: list[asyncio.Future[None]] = []

    def arrival(self) -> "asyncio.Future[None]":
        """Return what is done when the read is; given up, it ends no other query's wait.

        Not asyncio.shield, which does the same for four times as much.
        """
        arrived = self._loop.create_future()
        self._waiting.append(arrived)
        return arrived

    def _wake(self, _task: "asyncio.Task[Values]") -> None:
        for arrived in self._waiting:
            if not arrived.done():
                arrived.set_result(None)


async def _fetch_from_cluster(cluster: RedisCluster, keys: list[str]) -> Values:
    """Read keys of any slots: a cluster takes no MGET across them, but a pipeline."""
    pipeline = cluster.pipeline()
    for key in keys:
        pipeline.get(key)
    return cast("Values", await pipeline.execute())
