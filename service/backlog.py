"""The backlog: how far the workers are behind the event log, for /readyz, metrics and operators."""

from importlib.resources import files
from typing import Any

import msgspec
import redis
import redis.asyncio

from service.keys import GROUP, LOG, RETRIES

COUNT_LIMIT = 10_000
"""How many entries are counted one by one where the store has lost its count."""

_SCRIPT = (files("service") / "lua" / "backlog.lua").read_text()


class Backlog(msgspec.Struct, frozen=True):
    """What was accepted and is not applied."""

    untaken: int
    """No worker has taken these yet; no more than COUNT_LIMIT where the store lost its count."""
    taken: int
    """A worker has taken these and not acknowledged them."""
    oldest_ms: int | None
    """Age of the oldest of both; None when there is none."""
    failing: int
    """Retrying, or failed for good: they hold up nobody and are not pending."""

    @property
    def pending(self) -> int:
        """All that waits to be applied."""
        return self.untaken + self.taken


def backlog(client: redis.Redis) -> Backlog:
    """Return how far the workers are behind."""
    reply: Any = client.register_script(_SCRIPT)([LOG, RETRIES], [GROUP, COUNT_LIMIT])
    return _backlog(reply)


async def backlog_async(client: "redis.asyncio.Redis") -> Backlog:
    """Return how far the workers are behind, for the web."""
    reply: Any = await client.register_script(_SCRIPT)([LOG, RETRIES], [GROUP, COUNT_LIMIT])
    return _backlog(reply)


def _backlog(reply: list[int]) -> Backlog:
    untaken, taken, age, failing = reply
    return Backlog(
        untaken=untaken, taken=taken, oldest_ms=age if age >= 0 else None, failing=failing
    )
