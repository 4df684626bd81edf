"""The backlog: how far the workers are behind the event log, for /readyz and for operators."""

from importlib.resources import files
from typing import Any

import msgspec
import redis
import redis.asyncio

from service.keys import COUNTERS, FAILED, GROUP, LOG, RETRIES

COUNT_LIMIT = 10_000
"""How many entries are counted one by one where the store has lost its count."""

_SCRIPT = (files("service") / "lua" / "backlog.lua").read_text()
_KEYS = (LOG, RETRIES, FAILED, COUNTERS)


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
    failed: int = 0
    """Those of them that failed for good."""
    accepted: int = 0
    """Events that ever came into the log."""
    applied: int = 0
    """Events of them that were applied, changed anything or not: all but what is counted here."""
    discarded: int = 0
    """Events that an operator has given up."""
    at_ms: int = 0
    """When all this was so, by the store's clock, in unix milliseconds."""

    @property
    def retrying(self) -> int:
        """Those that failed and are tried again."""
        return self.failing - self.failed

    @property
    def pending(self) -> int:
        """All that waits to be applied."""
        return self.untaken + self.taken


def backlog(client: redis.Redis) -> Backlog:
    """Return how far the workers are behind."""
    reply: Any = client.register_script(_SCRIPT)(_KEYS, [GROUP, COUNT_LIMIT])
    return _backlog(reply)


async def backlog_async(client: "redis.asyncio.Redis") -> Backlog:
    """Return how far the workers are behind, for the web."""
    reply: Any = await client.register_script(_SCRIPT)(_KEYS, [GROUP, COUNT_LIMIT])
    return _backlog(reply)


def _backlog(reply: list[int]) -> Backlog:
    untaken, taken, age, failing, failed, accepted, applied, discarded, at_ms = reply
    return Backlog(
        untaken=untaken,
        taken=taken,
        oldest_ms=age if age >= 0 else None,
        failing=failing,
        failed=failed,
        accepted=accepted,
        applied=applied,
        discarded=discarded,
        at_ms=at_ms,
    )
