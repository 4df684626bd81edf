"""How many events of each type came that are not projected: counted here, written once a second."""

import asyncio
from collections import Counter

import redis
import redis.asyncio

from service.keys import IGNORED

FLUSH_SECONDS = 1.0
"""A crash loses one second of these counts, and nothing else."""


class IgnoredCounts:
    """Counts for one web process; nobody waits for them."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._client = client
        self._counts: Counter[str] = Counter()
        self._flusher: asyncio.Task[None] | None = None

    def count(self, event_type: str) -> None:
        """Count one event; the count reaches the store within about a second."""
        self._counts[event_type] += 1
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_later())

    async def close(self) -> None:
        """Write what is left."""
        if self._flusher:
            self._flusher.cancel()
        await self._flush()

    async def _flush_later(self) -> None:
        try:
            while self._counts:
                await asyncio.sleep(FLUSH_SECONDS)
                await self._flush()
        finally:
            self._flusher = None

    async def _flush(self) -> None:
        """Write the counts; if the store is away they wait for the next second."""
        counts, self._counts = self._counts, Counter()
        try:
            async with self._client.pipeline(transaction=True) as pipe:
                for event_type, count in counts.items():
                    pipe.hincrby(IGNORED, event_type, count)
                await pipe.execute()
        except (redis.RedisError, OSError):
            self._counts.update(counts)
