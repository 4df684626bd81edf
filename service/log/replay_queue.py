"""The replay queue: which entries of the log wait to be applied again.

An item names an entry and nothing more; what the entry says stays in the log. An item leaves the
queue once its entry was applied, or has failed and so has a job of its own.
"""

from collections.abc import Iterable, Sequence
from importlib.resources import files
from typing import Any

import redis

from service import doorbell
from service.keys import GROUP, REPLAY, REPLAY_HALT, REPLAYED
from service.log import claims

_ENQUEUE = (files("service") / "lua" / "enqueue_replay.lua").read_text()


def add(client: redis.Redis, entry_ids: Sequence[str]) -> str:
    """Queue these entries and ring for them; returns the id of the last one's item."""
    last: Any = client.eval(_ENQUEUE, 1, REPLAY, *entry_ids)
    doorbell.ring_replay(client)
    return str(last.decode())


def take_new(client: redis.Redis, consumer: str, count: int) -> list[tuple[str, str]]:
    """Take up to `count` items that no worker has taken: their ids, and the entries they name."""
    return [_named(item) for item in claims.take_new(client, REPLAY, consumer, count)]


def take_over(
    client: redis.Redis, consumer: str, min_idle_ms: int, count: int
) -> list[tuple[tuple[str, str], int]]:
    """Take over items as service.log.claims does; each comes with how often it has been taken.

    After one death they are still taken together: they have been applied before, and new events
    leave a replay one round at a time.
    """
    stuck = claims.take_over(client, REPLAY, consumer, min_idle_ms, count, in_company=1)
    return [(_named(item), taken) for item, taken in stuck]


def put_back(
    client: redis.Redis, consumer: str, item_ids: Sequence[str], *, idle_ms: int = 0
) -> None:
    """Have these count as never taken, as claims.give_back does."""
    claims.give_back(client, REPLAY, consumer, item_ids, idle_ms=idle_ms)


def remove(client: redis.Redis, item_ids: Iterable[str]) -> None:
    """Take items out of the queue for good; `client` may be a pipeline."""
    if ids := list(item_ids):
        client.xack(REPLAY, GROUP, *ids)
        client.xdel(REPLAY, *ids)


def waiting(client: redis.Redis) -> int:
    """Return how many items are in the queue, those included that a worker is at."""
    number: Any = client.xlen(REPLAY)
    return int(number)


def holds_any_up_to(client: redis.Redis, item_id: str) -> bool:
    """Tell whether this item or one queued before it is still there."""
    return bool(client.xrange(REPLAY, "-", item_id, count=1))


def drop(client: redis.Redis) -> int:
    """Empty the queue; returns how many items were in it. What a worker is at is finished.

    The stream itself stays, and with it the group that the worker will tell.
    """
    with client.pipeline(transaction=True) as pipe:
        pipe.xtrim(REPLAY, maxlen=0, approximate=False)
        pipe.delete(REPLAY_HALT)
        dropped, _ = pipe.execute()
    return int(dropped)


def replayed(client: redis.Redis) -> dict[str, int]:
    """Return how many replayed events ever came to each outcome."""
    counted: Any = client.hgetall(REPLAYED)
    return {outcome.decode(): int(number) for outcome, number in counted.items()}


def _named(item: claims.Item) -> tuple[str, str]:
    item_id, fields = item
    return item_id.decode(), fields[b"entry"].decode()
