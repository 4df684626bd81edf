"""What nobody waits for: counts and moments noted by a web process, written once a second."""

import asyncio
from collections import Counter
from typing import TypeAlias

import redis
import redis.asyncio

FLUSH_SECONDS = 1.0
"""A crash loses one second of these notes, and nothing else."""

Place: TypeAlias = tuple[str, str]
"""A hash and a field in it."""


class SideNotes:
    """Notes of one web process."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._client = client
        self._counts: Counter[Place] = Counter()
        self._values: dict[Place, float] = {}
        self._flusher: asyncio.Task[None] | None = None

    def count(self, key: str, field: str, by: int = 1) -> None:
        """Count one more there, or several; it reaches the store within about a second."""
        self._counts[key, field] += by
        self._flush_soon()

    def note(self, key: str, field: str, value: float) -> None:
        """Have this value there within about a second; of several the last one counts."""
        self._values[key, field] = value
        self._flush_soon()

    async def close(self) -> None:
        """Write what is left."""
        if self._flusher:
            self._flusher.cancel()
        await self._flush()

    def _flush_soon(self) -> None:
        if self._flusher is None:
            self._flusher = asyncio.create_task(self._flush_later())

    async def _flush_later(self) -> None:
        try:
            while self._counts or self._values:
                await asyncio.sleep(FLUSH_SECONDS)
                await self._flush()
        finally:
            self._flusher = None

    async def _flush(self) -> None:
        """Write the notes; if the store is away they wait for the next second."""
        counts, self._counts = self._counts, Counter()
        values, self._values = self._values, {}
        try:
            async with self._client.pipeline(transaction=True) as pipe:
                for (key, field), number in counts.items():
                    pipe.hincrby(key, field, number)
                for (key, field), value in values.items():
                    pipe.hset(key, field, value)
                await pipe.execute()
        except (redis.RedisError, OSError):
            self._counts.update(counts)
            self._values = values | self._values
