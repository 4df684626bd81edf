"""What nobody waits for: counts and moments noted by a web process, written once a second."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping

import redis
import redis.asyncio

FLUSH_SECONDS = 1.0
"""A crash loses one second of these notes, and nothing else."""


class SideNotes:
    """Notes of one web process."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._client = client
        self._counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._values: defaultdict[str, dict[str, float]] = defaultdict(dict)
        """By the hash they belong in, then by the field."""
        self._flusher: asyncio.Task[None] | None = None

    def count(self, key: str, numbers: Mapping[str, int]) -> None:
        """Add these to the fields of a hash; they reach the store within about a second."""
        counts = self._counts[key]
        for field, number in numbers.items():
            counts[field] += number
        self._flush_soon()

    def note(self, key: str, values: Mapping[str, float]) -> None:
        """Have these in the hash within about a second; of several in a field the last counts."""
        self._values[key].update(values)
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
        counts, self._counts = self._counts, defaultdict(Counter)
        values, self._values = self._values, defaultdict(dict)
        try:
            async with self._client.pipeline(transaction=True) as pipe:
                for key, numbers in counts.items():
                    for field, number in numbers.items():
                        pipe.hincrby(key, field, number)
                for key, fields in values.items():
                    for field, value in fields.items():
                        pipe.hset(key, field, value)
                await pipe.execute()
        except (redis.RedisError, OSError):
            for key, numbers in counts.items():
                self._counts[key].update(numbers)
            for key, fields in values.items():
                self._values[key] = fields | self._values[key]
