"""Claims on a stream of the store: what one worker has taken no other gets, until its time is up.

The event log and the replay queue are such streams; their one consumer group knows what was taken
and not acknowledged, so that nothing is lost with the worker that took it.
"""

from collections.abc import Sequence
from typing import Any, TypeAlias

import redis

from service.keys import GROUP

Item: TypeAlias = tuple[bytes, dict[bytes, bytes]]
"""An id in the stream, and the fields there."""


def ensure_group(client: redis.Redis, stream: str) -> None:
    """Make the stream and its group if they are missing; nothing in it counts as taken then."""
    try:
        client.xgroup_create(stream, GROUP, id="0", mkstream=True)
    except redis.ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise


def take_new(client: redis.Redis, stream: str, consumer: str, count: int) -> list[Item]:
    """Take up to `count` items that nobody has taken."""
    try:
        reply: Any = client.xreadgroup(GROUP, consumer, {stream: ">"}, count=count)
    except redis.ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise
        ensure_group(client, stream)
        reply = client.xreadgroup(GROUP, consumer, {stream: ">"}, count=count)
    return [item for _, items in reply for item in items]


def take_over(  # noqa: PLR0913 - XCLAIM has these parts
    client: redis.Redis,
    stream: str,
    consumer: str,
    min_idle_ms: int,
    count: int,
    *,
    in_company: int = 0,
) -> list[tuple[Item, int]]:
    """Take over items that were taken `min_idle_ms` ago and never acknowledged.

    Each comes with how often it has been taken, this time included: one that was taken many
    times may be what kills the workers. So only what was put back comes in company, or was taken
    no more than `in_company` times; any other comes alone, the one that was taken least often
    first: none takes an innocent one with it. Of two that claim at once only one gets an item.
    """
    stuck = taken(client, stream, count, min_idle_ms=min_idle_ms)
    if not stuck:
        return []
    least = min(stuck.values())
    alike = [item_id for item_id, often in stuck.items() if often == least]
    ids: Any = alike if least <= in_company else alike[:1]
    claimed: Any = client.xclaim(stream, GROUP, consumer, min_idle_ms, ids)
    return [(item, least + 1) for item in claimed]


def taken(
    client: redis.Redis, stream: str, count: int, *, min_idle_ms: int = 0
) -> dict[bytes, int]:
    """Return how often each of the oldest items was taken that were, and are not acknowledged."""
    try:
        claimed: Any = client.xpending_range(stream, GROUP, "-", "+", count, idle=min_idle_ms)
    except redis.ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise
        return {}
    return {one["message_id"]: one["times_delivered"] for one in claimed}


def give_back(  # noqa: PLR0913 - XCLAIM has these parts
    client: redis.Redis,
    stream: str,
    consumer: str,
    ids: Sequence[str] | Sequence[bytes],
    *,
    idle_ms: int = 0,
    times: int = 0,
) -> None:
    """Have these count as taken so many times, the last of them `idle_ms` ago.

    Never, unless told otherwise: it was not their fault that nothing came of it. They may be taken
    over when that is long enough ago.
    """
    if ids:
        listed: Any = list(ids)
        client.xclaim(
            stream, GROUP, consumer, 0, listed, idle=idle_ms, retrycount=times, justid=True
        )
